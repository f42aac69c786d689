"""A small configuration."""

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Config = dict[str, Any]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def raw() -> Config:
    return {
        "languages": ["en", "zh"],
        "facts": {
            "demo": {
                "files": ["resources/demo/facts"],
                "translation": {"source": "en", "targets": ["zh"], "model": "gpt-4", "store": "answers"},
            }
        },
        "backbones": {"tiny": {"path": "some/model", "hparams": "demo"}},
        "editors": {"ROME": {"method": "ROME"}, "IKE": {"method": "IKE"}},
    }
