"""Tasks as they are in resources/tasks, the real files where they are, and generations judged by hand."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from crossedit.sweeps.tasks.said import Said, up_to_stop
from crossedit.sweeps.tasks.task import Task, load_task

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CROSSEDIT_DATA", ROOT / "../shared/data"))
NAMES = ("boolq", "conll03", "gsm8k", "mutual", "natural-questions", "rte", "samsum", "sst2")

Judge = Callable[..., tuple[bool, float, float]]


@pytest.fixture(scope="session")
def tasks() -> dict[str, Task]:
    return {name: load_task(name, ROOT / "resources/tasks") for name in NAMES}


@pytest.fixture(scope="session")
def judge(tasks: dict[str, Task]) -> Judge:
    """Return (answered, gained, possible) of one generation under a task's rules."""

    def judged(
        task: str,
        generation: str,
        wanted: Sequence[str],
        protocol: str = "corrected",
        prompt: str = "",
        part: str = "",
        closed: bool = False,
    ) -> tuple[bool, float, float]:
        rules = tasks[task].protocol(protocol)
        said = Said(prompt, up_to_stop(generation, rules.stop), generation, closed, part, wanted)
        answer = rules.reading.parse(said)
        ((gained, possible),) = rules.judging([said], [answer])
        return answer is not None, gained, possible

    return judged


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real task files; a test that needs it skips without it."""
    folder = DATA / "tasks"
    if not folder.is_dir():
        pytest.skip("the real data are not here (CROSSEDIT_DATA)")
    return folder


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write text as it is, a list as jsonl, and return the path."""

    def write(data: Any, name: str = "items.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        text = data if isinstance(data, str) else "".join(json.dumps(one) + "\n" for one in data)
        path.write_text(text, encoding="utf-8")
        return path

    return write
