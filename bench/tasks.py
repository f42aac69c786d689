"""Items of tasks per second, one prompt at a time through transformers' `generate` and by our decoding, in one run.

    python bench/tasks.py                                  the config's last backbone on the demo's items
    python bench/tasks.py --path gpt2-xl --tasks boolq,sst2 --items 20
    python bench/tasks.py --shape llama-7b --items 8       on a GPU: a random model of a real one's shape
    python bench/tasks.py --shape tiny --dtype float32     anywhere

Both make the same prompts, generate greedily up to the same limit, and read and judge what came by the same rules; how
many verdicts are the same is told. They take turns, and the shortest time of each counts: another load on the machine
only adds to it. A random model also tells tokens per second (of prompts and generations as they pass the layers:
without padding, and what several prompts begin with once) and which share of the device's matrix rate that is, counted
as bench/shapes.py does.
"""

import argparse
import sys
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import torch
import yaml
from rich.console import Console
from rich.table import Table
from torch import Tensor

from crossedit import config as configuration
from crossedit import places
from crossedit.backbones.backbone import DTYPES, Backbone
from crossedit.errors import UserError, nearest
from crossedit.sweeps.tasks.asking import judged, run_task
from crossedit.sweeps.tasks.items import make_items
from crossedit.sweeps.tasks.prompts import fitted, questions
from crossedit.sweeps.tasks.task import CORRECTED, Task, load_task
from crossedit.sweeps.tasks.worked import worked
from edits import seconds
from shapes import layer_weights, matrix_rate, random_backbone

FILES = Path("resources/demo/tasks/test")
TITLES = ("task", "items", "one at a time", "together", "ratio", "same verdicts")
SHAPED = ("tokens/s: one", "together", "matrix rate: one", "together")
JUDGED = ("item", "part", "answered", "answer", "gained", "possible")


class Measured(NamedTuple):
    """What one way of asking took."""

    seconds: float
    passed: int  # tokens through the layers
    generated: int


class Compared(NamedTuple):
    """Both ways on some items. same: how many verdicts are the same, of as many as there are prompts."""

    items: int
    prompts: int
    same: int
    alone: Measured
    together: Measured


def total(found: Collection[Compared]) -> Compared:
    """Return all comparisons as one."""
    alone, together = ([one.alone for one in found], [one.together for one in found])
    return Compared(
        sum(one.items for one in found),
        sum(one.prompts for one in found),
        sum(one.same for one in found),
        *(Measured(*map(sum, zip(*ways, strict=True))) for ways in (alone, together)),
    )


def one_at_a_time(backbone: Backbone, task: Task, items: pl.DataFrame, protocol: str) -> pl.DataFrame:
    """Return the VERDICTS on all items, each prompt by a `generate` of its own."""
    rules = task.protocol(protocol)
    asked = list(questions(rules, protocol, items))
    prompts = [fitted(backbone, question, rules.limit) for question in asked]
    generated = [_generated(backbone, prompt.ids, rules.limit) if prompt.ids else [] for prompt in prompts]
    return judged(backbone, task, protocol, asked, prompts, generated)


def _generated(backbone: Backbone, prompt: list[int], limit: int) -> list[int]:
    ids = torch.tensor([prompt], device=backbone.device)
    whole = backbone.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=sorted(backbone.ends),
        pad_token_id=backbone.tokenizer.pad_token_id,
    )
    said: list[int] = whole[0, len(prompt) :].tolist()
    return said


def measured(backbone: Backbone, ask: Callable[[], pl.DataFrame]) -> tuple[Measured, pl.DataFrame]:
    """Return what it takes to get some verdicts, and these."""
    passed: list[Tensor] = []
    verdicts: list[pl.DataFrame] = []

    def count(_: Any, __: Any, inputs: dict[str, Any]) -> None:
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        # Added up at the end: a number would be waited for.
        passed.append(torch.tensor(ids.numel()) if mask is None else mask[:, -ids.shape[1] :].sum())

    hook = backbone.model.base_model.register_forward_pre_hook(count, with_kwargs=True)
    try:
        taken = seconds(lambda: verdicts.append(ask()))
    finally:
        hook.remove()
    generated = int(verdicts[0]["generation_ids"].list.len().sum())
    return Measured(taken, int(sum(map(int, passed))), generated), verdicts[0]


def compare(backbone: Backbone, task: Task, items: pl.DataFrame, protocol: str, repeats: int) -> Compared:
    """Ask all items both ways, in turn."""
    ways: tuple[Callable[[pl.DataFrame], pl.DataFrame], ...] = (
        partial(one_at_a_time, backbone, task, protocol=protocol),
        partial(run_task, backbone, task, protocol=protocol),
    )
    for ask in ways:
        ask(items[:2])  # the first call sets up what later ones find done
    taken: tuple[list[Measured], list[Measured]] = ([], [])
    verdicts = []
    for _ in range(repeats):
        for way, ask in zip(taken, ways, strict=True):
            found, told = measured(backbone, partial(ask, items))
            way.append(found)
            verdicts.append(told.select(JUDGED).rows())
    same = sum(one == other for one, other in zip(*verdicts[:2], strict=True))
    return Compared(len(items), len(verdicts[0]), same, *map(min, taken))


def used(backbone: Backbone, one: Measured, rate: float) -> float:
    """Return the share of the matrix rate: 2 operations per weight and token that passed it."""
    head = backbone.model.config.hidden_size * backbone.model.config.vocab_size
    return 2 * (one.passed * layer_weights(backbone) + one.generated * head) / one.seconds / rate


def configured(path: Path, name: str | None) -> Backbone:
    """Return the config's backbone of that name, or its last one, as the experiment has made it."""
    config = configuration.checked(yaml.safe_load(path.read_text(encoding="utf-8")))
    name = name or list(config["backbones"])[-1]
    if name not in config["backbones"]:
        raise UserError(f"--backbone: {path} has no '{name}'; {nearest(name, config['backbones'])}")
    entry, made = config["backbones"][name], Path(places.backbone_folder(config, name)) / "model"
    if "path" not in entry and not made.exists():
        raise UserError(f"{made}: not there yet; run the experiment of {path} first.")
    return Backbone.load(name, {"path": str(made)} | entry)


def drawn(names: list[str], size: int | None) -> dict[str, tuple[Task, pl.DataFrame]]:
    """Return tasks and their items of the demo, by name."""
    files = {file.stem: file for file in sorted(FILES.iterdir())}
    tasks = {name: load_task(name) for name in names or files}
    return {name: (task, make_items(task, [files[name]], size, seed=0)) for name, task in tasks.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--backbone", help="default: the config's last")
    parser.add_argument("--path", help="a model's folder or hub id instead")
    parser.add_argument("--shape", help="a random model of that shape instead")
    parser.add_argument("--dtype", default="bfloat16", choices=list(DTYPES), help="of the random model")
    parser.add_argument("--tasks", help="names, separated by commas; default: all of the demo")
    parser.add_argument("--items", type=int, help="how many of each task; default: all of the demo")
    parser.add_argument(
        "--protocol", default=CORRECTED, help="corrected (stops where the answer is decided) or upstream"
    )
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    tasks = drawn(given.tasks.split(",") if given.tasks else [], given.items)
    if given.shape:
        texts = [text for pair in tasks.values() for text in worked(*pair)["text_prompt"]]
        backbone = random_backbone(given.shape, given.dtype, texts)
    elif given.path:
        backbone = Backbone.load(Path(given.path).name, {"path": given.path})
    else:
        backbone = configured(given.config, given.backbone)
    rate = matrix_rate(backbone) if given.shape else None
    where = f"{torch.get_num_threads()} threads, {backbone.device}, {backbone.model.dtype}"
    table = Table(title=f"Items per second: {backbone.name}, {given.protocol}, {where}")
    for title in (*TITLES, *(SHAPED if rate else ())):
        table.add_column(title, justify="left" if title == "task" else "right")
    found = {name: compare(backbone, *pair, given.protocol, given.repeats) for name, pair in tasks.items()}
    for name, one in {**found, "all": total(found.values())}.items():
        ways = (one.alone, one.together)
        row = [f"{one.items / way.seconds:.2f}" for way in ways]
        row += [f"{one.alone.seconds / one.together.seconds:.1f}x", f"{one.same} of {one.prompts}"]
        if rate:
            row += [f"{way.passed / way.seconds:,.0f}" for way in ways]
            row += [f"{used(backbone, way, rate):.1%}" for way in ways]
        table.add_row(name, str(one.items), *row)
    console = Console(width=150 if rate else 110)
    console.print(table)
    if rate:
        console.print(f"Matrix rate: {rate / 1e12:.2f} TFLOP/s.")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"bench/tasks.py: {error}")
