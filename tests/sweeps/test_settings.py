"""What a configuration may say of tasks and sweeps, and what follows from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossedit import places
from crossedit.config import cells, checked
from crossedit.errors import UserError
from crossedit.sweeps.settings import Sweep, asked, earlier, extent, sweeps

ROOT = Path(__file__).parents[2]
Config = dict[str, Any]
TASKS = "resources/demo/tasks"


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def raw() -> Config:
    return {
        "seed": 3,
        "languages": ["en", "zh"],
        "facts": {"demo": {"files": "resources/demo/facts", "splits": {"test": 64}}},
        "backbones": {"one": {"path": "some/model"}, "two": {"path": "other/model"}},
        "editors": {"ROME": {"method": "ROME"}, "MEMIT": {"method": "MEMIT"}, "IKE": {"method": "IKE"}},
        "tasks": {
            "rte": {"files": f"{TASKS}/test/rte.jsonl"},
            "sst2": {"files": [f"{TASKS}/test/sst2.tsv"], "size": 10, "protocols": ["corrected", "upstream"]},
        },
        "sweeps": {
            "on": {"editor": "ROME", "setting": "instance-sequential", "stops": [1, 4, 9]},
            "at-once": {"editor": "MEMIT", "setting": "batch-single", "stops": [2, 64], "backbones": ["two"]},
            "tens": {
                "editor": "MEMIT",
                "setting": "batch-sequential",
                "batch_size": 10,
                "stops": [1, 6],
                "backbones": ["one"],
                "tasks": ["sst2"],
                "language": "zh",
                "seed": 0,
            },
        },
    }


def test_what_is_left_away_takes_its_default(raw: Config) -> None:
    config = checked(raw)
    shared = {"facts": "demo", "language": "en", "tasks": ["rte", "sst2"], "seed": 3}
    assert config["sweeps"]["on"] == {**raw["sweeps"]["on"], **shared, "batch_size": 1, "backbones": ["one", "two"]}
    assert config["sweeps"]["at-once"] == {**raw["sweeps"]["at-once"], **shared}
    assert config["sweeps"]["tens"] == {**raw["sweeps"]["tens"], "facts": "demo"}
    assert config["tasks"]["rte"]["size"] == "all"
    assert config["tasks"]["rte"]["protocols"] == ["corrected"]
    assert checked(config) == config


def test_sweeps_and_tasks_may_be_left_away(raw: Config) -> None:
    del raw["sweeps"], raw["tasks"]
    config = checked(raw)
    assert config["sweeps"] == config["tasks"] == {}
    assert list(sweeps(config)) == []


def test_sweeps_need_no_cell_of_the_grid(raw: Config) -> None:
    raw["exclude"] = [{"facts": "demo"}]
    assert not list(cells(checked(raw)))
    del raw["sweeps"]
    with pytest.raises(UserError, match="leave no cell of the grid"):
        checked(raw)


def test_each_sweep_runs_on_each_of_its_backbones(raw: Config) -> None:
    found = list(sweeps(checked(raw)))
    assert found == [Sweep("on", "one"), Sweep("on", "two"), Sweep("at-once", "two"), Sweep("tens", "one")]


def test_a_stop_is_a_number_of_edits_or_a_batch_size(raw: Config) -> None:
    entries = checked(raw)["sweeps"]
    assert extent(entries["on"], 9) == (1, 9)
    assert extent(entries["at-once"], 64) == (64, 1)
    assert extent(entries["tens"], 6) == (10, 6)


def test_sequential_edits_go_on_from_the_stop_before(raw: Config) -> None:
    entries = checked(raw)["sweeps"]
    assert [earlier(entries["on"], stop) for stop in (1, 4, 9)] == [None, 1, 4]
    assert [earlier(entries["at-once"], stop) for stop in (2, 64)] == [None, None]
    assert [earlier(entries["tens"], stop) for stop in (1, 6)] == [None, 1]


def test_verdicts_are_one_file_per_stop_and_those_before_edits_are_shared(raw: Config) -> None:
    config = checked(raw)
    found = {sweep: places.verdicts(config, sweep) for sweep in sweeps(config)}
    assert all(len(set(files)) == len(files) for files in found.values())
    assert [len(files) for files in found.values()] == [3 + 1, 3 + 1, 2 + 1, 2 + 1]
    shared = set(found[Sweep("on", "two")]) & set(found[Sweep("at-once", "two")])
    assert shared == {"results/sweeps/unedited/two/0/verdicts.parquet"}


def test_the_order_of_tasks_in_the_config_changes_nothing(raw: Config) -> None:
    before = asked(checked(raw), Sweep("on", "one"))
    raw["tasks"] = dict(reversed(raw["tasks"].items()))
    assert asked(checked(raw), Sweep("on", "one")) == before


def test_the_unedited_backbone_is_asked_the_tasks_of_all_its_sweeps(raw: Config) -> None:
    raw["sweeps"]["on"] |= {"tasks": ["rte"], "backbones": ["one"]}
    raw["sweeps"]["at-once"]["tasks"] = []
    config = checked(raw)
    assert asked(config, Sweep("on", "one")) == [("rte", "corrected")]
    assert asked(config, Sweep("tens", "one")) == [("sst2", "corrected"), ("sst2", "upstream")]
    assert asked(config, Sweep("unedited", "one")) == [
        ("rte", "corrected"),
        ("sst2", "corrected"),
        ("sst2", "upstream"),
    ]
    assert asked(config, Sweep("unedited", "two")) == places.verdicts(config, Sweep("at-once", "two")) == []


def at(path: str, value: Any) -> Callable[[Config], None]:
    def change(raw: Config) -> None:
        *parents, last = path.split("/")
        place = raw
        for name in parents:
            place = place[name]
        place[last] = value

    return change


WRONG = [
    (at("tasks/rtf", {"files": "resources/demo/facts"}), "tasks.rtf: there is no such task; did you mean 'rte'?"),
    (at("tasks/rte", {"files": f"{TASKS}/test/rte.json"}), f"tasks.rte.files: '{TASKS}/test/rte.json' doesn't exist;"),
    (at("tasks/rte/train", "nowhere.jsonl"), "tasks.rte.train: 'nowhere.jsonl' doesn't exist;"),
    (at("tasks/rte/size", 0), "tasks.rte.size: 0 is no number of items; write a whole number above 0, or all."),
    (at("tasks/rte/protocols", ["published"]), "tasks.rte.protocols.0: 'published' is not allowed;"),
    (at("tasks/rte/fils", "x"), "tasks.rte.fils: unknown field; did you mean 'files'?"),
    (
        lambda raw: raw["backbones"].update(own={"recipe": {"facts": "demo", "tasks": 0.2}}),
        "backbones.own.recipe.tasks: no task has items to train on; give one `train` in `tasks`.",
    ),
    (
        at("sweeps/unedited", {"editor": "ROME", "setting": "batch-single", "stops": [1]}),
        "sweeps.unedited: the name is",
    ),
    (at("sweeps/on/editor", "ROMA"), "sweeps.on.editor: 'ROMA' is unknown; did you mean 'ROME'?"),
    (at("sweeps/on/backbones", ["three"]), "sweeps.on.backbones: 'three' is unknown;"),
    (at("sweeps/on/tasks", ["rtf"]), "sweeps.on.tasks: 'rtf' is unknown; did you mean 'rte'?"),
    (at("sweeps/on/facts", "dmeo"), "sweeps.on.facts: 'dmeo' is unknown; did you mean 'demo'?"),
    (at("sweeps/on/language", "fr"), "sweeps.on.language: 'fr' is not among `languages`;"),
    (at("sweeps/on/setting", "sequential"), "sweeps.on.setting: 'sequential' is not allowed;"),
    (at("sweeps/on/stops", [4, 2]), "sweeps.on.stops: [4, 2] must rise."),
    (at("sweeps/on/stops", [0, 2]), "sweeps.on.stops.0: 0 is too small; it must be at least 1."),
    (at("sweeps/on/stops", []), "sweeps.on.stops: is empty; name at least one."),
    (
        at("sweeps/on/stops", [65]),
        "sweeps.on.stops: the last one needs 65 test facts, but facts.demo.splits.test draws 64",
    ),
    (at("sweeps/tens/stops", [7]), "sweeps.tens.stops: the last one needs 70 test facts,"),
    (at("sweeps/on/batch_size", 2), "sweeps.on.batch_size: instance-sequential edits one fact at a time; leave the"),
    (at("sweeps/at-once/batch_size", 2), "sweeps.at-once.batch_size: the stops of batch-single are its batch sizes;"),
    (lambda raw: raw["sweeps"]["tens"].pop("batch_size"), "sweeps.tens: batch-sequential needs a `batch_size`, the"),
    (at("sweeps/tens/editor", "ROME"), "sweeps.tens.setting: ROME writes one fact at a time; write instance-seq"),
    (at("sweeps/on/editor", "IKE"), "sweeps.on.editor: IKE makes no change of weights, which is what sweeps add up;"),
    (
        lambda raw: (at("easyeditor", {"path": "resources"})(raw), at("editors/ROME/engine", "easyeditor")(raw)),
        "sweeps.on.editor: sweeps run on crossedit's own editors; leave out the editor's `engine`.",
    ),
    (lambda raw: raw["sweeps"]["on"].pop("editor"), "sweeps.on: `editor` is missing; add it."),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_a_mistake_is_one_sentence(change: Callable[[Config], None], said: str, raw: Config) -> None:
    change(raw)
    with pytest.raises(UserError) as caught:
        checked(raw)
    message = str(caught.value)
    assert message.startswith(f"config: {said}")
    assert "\n" not in message
    assert message[-1] in ".?"
