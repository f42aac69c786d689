"""Files written for a test, and the real data where they are."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DATA = Path(os.environ.get("CROSSEDIT_DATA", Path(__file__).parents[2] / "../shared/data"))


@pytest.fixture(scope="session")
def editing() -> Path:
    """The folder of real editing files; a test that needs it skips without it."""
    folder = DATA / "editing"
    if not folder.is_dir():
        pytest.skip("the real data are not here (CROSSEDIT_DATA)")
    return folder


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., str]:
    """Write data as JSON, text or bytes as they are, and return the file's path."""

    def write(data: Any, name: str = "facts.json") -> str:
        path = tmp_path / name
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
            path.write_text(text, encoding="utf-8")
        return str(path)

    return write
