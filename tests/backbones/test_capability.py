"""Benchmarks of lm-eval: what is asked of it, what is kept, and what is said where something is missing.

Where lm-eval is installed (envs/lm-eval.yaml) a small group of tasks is really asked.
"""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from crossedit.backbones import capability
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.capability import Benchmarks, load, measure
from crossedit.backbones.cli import commands
from crossedit.errors import UserError

installed = pytest.mark.skipif(
    importlib.util.find_spec("lm_eval") is None, reason="lm-eval isn't installed here (envs/lm-eval.yaml has it)"
)
RESULTS = {
    "results": {
        "capitals": {"name": "capitals", "sample_len": 12, "acc,none": 0.5, "acc_stderr,none": 0.1},
        "capitals_en": {"sample_len": 6, "acc,none": 0.25, "acc_stderr,none": 0.2, "exact,cut": 0.75},
        "capitals_zh": {"sample_len": 6, "acc,none": 0.75, "acc_stderr,none": "N/A"},
    },
    "group_subtasks": {"capitals": ["capitals_en", "capitals_zh"]},
    "versions": {"capitals": "1", "capitals_en": 3.0, "capitals_zh": 3.0},
    "n-shot": {"capitals": 2, "capitals_en": 2, "capitals_zh": 2},
}


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stand-in for lm-eval that has a group `capitals` and keeps what it is asked."""
    asked: dict[str, Any] = {}

    class TaskManager:
        def __init__(self, include_path: str | None = None) -> None:
            asked["include_path"] = include_path
            self.all_tasks = ["capitals", "capitals_tag", "far"]

        def load(self, names: list[str]) -> dict[str, Any]:
            if "far" in names:
                raise ConnectionError("Couldn't reach 'far'\non the Hub")
            return {"tasks": {"capitals_en": "en", "capitals_zh": "zh"}, "groups": {"capitals": "both"}}

    def simple_evaluate(model: Any, **rest: Any) -> dict[str, Any]:
        asked.update(rest, model=model)
        return RESULTS

    modules = {
        "lm_eval": {"simple_evaluate": simple_evaluate},
        "lm_eval.models": {},
        "lm_eval.models.huggingface": {"HFLM": SimpleNamespace},
        "lm_eval.tasks": {"TaskManager": TaskManager},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(capability, "version", lambda package: f"{package} 1")
    return asked


def test_what_the_configuration_says_reaches_lm_eval(harness: dict[str, Any], llama: Backbone) -> None:
    entry = {"tasks": ["capitals"], "num_fewshot": 2, "limit": 6, "include_path": "own", "backbones": ["llama"]}
    measure(llama, load(Benchmarks.of(entry)), seed=7)
    assert harness["include_path"] == "own"
    assert (harness["tasks"], harness["num_fewshot"], harness["limit"]) == (["both"], 2, 6)
    assert {name: value for name, value in harness.items() if name.endswith("_seed")} == dict.fromkeys(
        ("random_seed", "numpy_random_seed", "torch_random_seed", "fewshot_random_seed"), 7
    )
    # The model is the backbone's own, so path, revision, dtype, device and remote code are as in every other stage.
    assert harness["model"].pretrained is llama.model
    assert harness["model"].tokenizer is llama.tokenizer


def test_scores_keep_their_errors_counts_versions_and_parts(harness: dict[str, Any], llama: Backbone) -> None:
    found = measure(llama, load(Benchmarks.of({"tasks": ["capitals"]})), seed=0)
    assert found["weights"] == llama.digest
    assert found["packages"]["lm_eval"] == "lm_eval 1"
    group = found["tasks"]["capitals"]
    assert group["scores"] == {"acc": {"score": 0.5, "stderr": 0.1}}
    assert (group["questions"], group["version"], group["num_fewshot"]) == (12, "1", 2)
    # A score under a filter says which; lm-eval's N/A is no number.
    assert group["parts"]["capitals_en"]["scores"]["exact (cut)"] == {"score": 0.75, "stderr": None}
    assert group["parts"]["capitals_zh"]["scores"]["acc"]["stderr"] is None
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"tasks": []}, "capability.tasks: is empty; name at least one"),
        ({"num_fewshot": 5}, "capability: `tasks` is missing"),
        ({"tasks": "capitals"}, "capability.tasks: 'capitals' must be a list"),
        ({"tasks": ["capitals"], "num_fewshot": "five"}, "capability.num_fewshot: 'five' must be a whole number"),
        ({"tasks": ["capitals"], "limit": 0}, "capability.limit: "),
        ({"tasks": ["capitals"], "fewshot": 5}, "capability.fewshot: unknown field; did you mean 'num_fewshot'?"),
        ({"tasks": ["capital"]}, "lm-eval has no 'capital'; did you mean 'capitals'?"),
        ({"tasks": ["capitals_tag"]}, "'capitals_tag' stands for several tasks"),
        ({"tasks": ["far"]}, "the questions of far can't be loaded: Couldn't reach 'far' Nothing is downloaded"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    harness: dict[str, Any], entry: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError) as error:
        load(Benchmarks.of(entry))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_an_option_is_called_by_its_name() -> None:
    arguments = ["capability", "--name", "small", "--entry", "{}", "--out", "none", "--capability", "[]"]
    done = CliRunner().invoke(commands, arguments)
    assert str(done.exception).startswith("--capability: '[]' is no JSON object")


def test_without_lm_eval_the_environment_is_named_and_nothing_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    monkeypatch.setitem(sys.modules, "lm_eval.tasks", None)
    out = tmp_path / "small/capability.json"
    arguments = ["capability", "--name", "small", "--entry", '{"path": "nowhere"}']
    done = CliRunner().invoke(commands, [*arguments, "--capability", '{"tasks": ["mmlu"]}', "--out", str(out)])
    assert isinstance(done.exception, UserError)
    assert "envs/lm-eval.yaml" in str(done.exception)
    assert not out.exists()


def own_tasks(folder: Path) -> None:
    """Write a group of two tasks, each with six questions."""
    questions = [{"question": f"{number} and {number}?", "choices": ["yes", "no"], "answer": 0} for number in range(6)]
    (folder / "own.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")
    for lang in ("en", "zh"):
        (folder / f"{lang}.yaml").write_text(
            f"""
task: capitals_{lang}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/own.jsonl}}}}
test_split: test
fewshot_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: answer
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 3.0}}
""",
            encoding="utf-8",
        )
    (folder / "group.yaml").write_text(
        """
group: capitals
task: [capitals_en, capitals_zh]
aggregate_metric_list: [{metric: acc, weight_by_size: true}]
metadata: {version: 1}
""",
        encoding="utf-8",
    )


@installed
@pytest.mark.slow
def test_lm_eval_asks_tasks_of_ones_own(tmp_path: Path, llama: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    own_tasks(tmp_path)
    llama.model.save_pretrained(tmp_path / "model")
    llama.tokenizer.save_pretrained(tmp_path / "model")
    out = tmp_path / "results/backbones/small/capability.json"
    asked = {"tasks": ["capitals"], "num_fewshot": 1, "include_path": str(tmp_path), "limit": 4}
    arguments = ["capability", "--name", "small", "--entry", json.dumps({"path": str(tmp_path / "model")})]
    arguments += ["--capability", json.dumps(asked), "--seed", "3", "--out", str(out)]
    done = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text(encoding="utf-8"))
    group = found["tasks"]["capitals"]
    parts = group["parts"].values()
    assert (group["questions"], group["num_fewshot"], [part["questions"] for part in parts]) == (8, 1, [4, 4])
    # Both parts have the same questions, so their mean is the group's.
    assert {part["scores"]["acc"]["score"] for part in parts} == {group["scores"]["acc"]["score"]}
    assert group["scores"]["acc"]["stderr"] is not None
    assert {part["version"] for part in parts} == {3.0}
