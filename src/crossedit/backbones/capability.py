"""What a backbone is able to do: benchmarks of the lm-evaluation-harness, as C-Eval and MMLU in Bi-ZsRE's Table 3.

    benchmarks = Benchmarks.of({"tasks": ["ceval-valid", "mmlu"], "num_fewshot": 5})
    measured = measure(backbone, load(benchmarks), seed=0)
    measured["tasks"]["mmlu"]["scores"]["acc"]          {"score": 0.4, "stderr": 0.004}

lm-eval isn't among the packages of crossedit; envs/lm-eval.yaml is an environment that has both.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NamedTuple

from crossedit.backbones.backbone import Backbone
from crossedit.config import check_benchmarks
from crossedit.errors import UserError, nearest

PACKAGES = ("lm_eval", "datasets", "torch", "transformers")
_BATCH_SIZE = 8  # on a CPU; a GPU takes as many as fit


@dataclass(frozen=True)
class Benchmarks:
    """Which benchmarks are asked, and how."""

    tasks: list[str]  # tasks or groups of tasks, as lm-eval calls them
    num_fewshot: int = 5  # worked questions before each; tasks that never have any keep to that
    limit: int | None = None  # questions of each task; all where there is none
    include_path: str | None = None  # a folder with tasks of one's own

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Benchmarks":
        """Return what a configuration's `capability` says. Raises UserError for the first mistake in it."""
        check_benchmarks(entry)
        return cls(**{name: value for name, value in entry.items() if name != "backbones"})


class Loaded(NamedTuple):
    """Benchmarks with their questions."""

    benchmarks: Benchmarks
    tasks: list[Any]  # lm-eval's own objects, in the order of the benchmarks
    manager: Any


def load(benchmarks: Benchmarks) -> Loaded:
    """Return the benchmarks with their questions, which need no backbone yet.

    Raises UserError where lm-eval isn't installed, where it has no such task, and where questions can't be got.
    """
    try:
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise UserError(
            f"capability: lm-eval isn't installed here ({error}); run the command in the environment of "
            "envs/lm-eval.yaml, or snakemake with `--sdm conda`, which makes it."
        ) from error
    manager = TaskManager(include_path=benchmarks.include_path)
    for name in benchmarks.tasks:
        if name not in manager.all_tasks:
            raise UserError(f"capability.tasks: lm-eval has no '{name}'; {nearest(name, manager.all_tasks)}")
    with _questions(benchmarks.tasks):
        loaded = manager.load(benchmarks.tasks)
    found = {**loaded["tasks"], **loaded["groups"]}
    for name in benchmarks.tasks:
        if name not in found:
            raise UserError(f"capability.tasks: '{name}' stands for several tasks of lm-eval; name them one by one.")
    return Loaded(benchmarks, [found[name] for name in benchmarks.tasks], manager)


def measure(backbone: Backbone, asked: Loaded, seed: int) -> dict[str, Any]:
    """Return the scores of all benchmarks, each with its standard error, number of questions and version, as JSON.

    Scores are from 0 to 1 where lm-eval's are. The seed is that of which worked questions are drawn.
    """
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    batch_size = "auto" if backbone.device.type == "cuda" else _BATCH_SIZE
    benchmarks = asked.benchmarks
    results = simple_evaluate(
        HFLM(pretrained=backbone.model, tokenizer=backbone.tokenizer, batch_size=batch_size),
        tasks=asked.tasks,
        num_fewshot=benchmarks.num_fewshot,
        limit=benchmarks.limit,
        task_manager=asked.manager,
        log_samples=False,
        **dict.fromkeys(("random_seed", "numpy_random_seed", "torch_random_seed", "fewshot_random_seed"), seed),
    )
    return {
        "backbone": backbone.name,
        "weights": backbone.digest,
        "dtype": str(backbone.model.dtype),
        "device": str(backbone.device),
        "seed": seed,
        "num_fewshot": benchmarks.num_fewshot,
        "limit": benchmarks.limit,
        "packages": {name: version(name) for name in PACKAGES},
        "tasks": {name: _task(results, name) for name in benchmarks.tasks},
    }


@contextmanager
def _questions(names: list[str]) -> Iterator[None]:
    """Within it lm-eval loads data sets; what keeps it from that becomes a UserError."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        said = f"capability.tasks: the questions of {', '.join(names)} can't be loaded: {reason}"
        if os.environ.get("HF_HUB_OFFLINE") == "1":
            said += " Nothing is downloaded here (`offline`); run the command once on a machine with network."
        raise UserError(said) from error


def _task(results: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what lm-eval found of a task or group, and of the parts that it is made of."""
    found = results["results"][name]
    scores = {}
    for key, value in found.items():
        metric, _, chosen = key.partition(",")
        if chosen and not metric.endswith("_stderr"):
            error = found.get(f"{metric}_stderr,{chosen}")
            # lm-eval writes N/A where it knows none.
            stderr = error if isinstance(error, float) else None
            scores[metric if chosen == "none" else f"{metric} ({chosen})"] = {"score": value, "stderr": stderr}
    parts = results["group_subtasks"].get(name, ())
    return {
        "version": results["versions"].get(name),
        "num_fewshot": results["n-shot"].get(name),
        "questions": found["sample_len"],
        "scores": scores,
        **({"parts": {part: _task(results, part) for part in parts}} if parts else {}),
    }
