"""The plan of an experiment in the terminal."""

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from crossedit.runs.estimates.prices import Translation
from crossedit.runs.plan import Plan, Stage
from crossedit.runs.words import hours, lasting, many, size
from crossedit.translation.asking.estimate import sentence

_MB = 2**20
_COLUMNS = ("Stage", "Rule", "Jobs", "GPU\nhours", "other\nhours", "GPU\nmemory", "Time known from")
_LOG_WIDTH = 160  # where there is no terminal that has one


def show(plan: Plan, console: Console | None = None) -> None:
    """Print jobs and hours per stage, what one job asks for at most, storage and the cost of translations."""
    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=_LOG_WIDTH)
    if not plan.jobs:
        console.print(Text("Nothing to be done: all outputs are there and up to date."))
        return
    table = _table(plan, narrow=False)
    if Measurement.get(console, console.options.update(max_width=1000), table).maximum > console.width:
        table = _table(plan, narrow=True)
    console.print(table)
    console.print(Text(_foot(plan), style="dim"), soft_wrap=True)
    for line in lines(plan):
        console.print(Text(line), soft_wrap=True)


def lines(plan: Plan) -> list[str]:
    """Return the sentences below the table."""
    largest = max(plan.stages, key=lambda stage: (stage.gpu_mem_mb, stage.mem_mb))
    longest = max(plan.stages, key=lambda stage: stage.runtime)
    host = max(stage.mem_mb for stage in plan.stages)
    gpu = f"{size(largest.gpu_mem_mb * _MB)} of GPU memory ({largest.rule}), " if largest.gpu_mem_mb else ""
    at_most = f"{gpu}{size(host * _MB)} of host memory, {lasting(longest.runtime * 60)} ({longest.rule})"
    kinds = ", ".join(f"{kind} {size(number)}" for kind, number in plan.storage.items() if number >= _MB)
    storage = f"{size(sum(plan.storage.values()))}{f': {kinds}' if kinds else ''}"
    too_large = [stage.rule for stage in plan.stages if stage.gpu_mem_mb > plan.gpu_memory * 1024]
    return [
        f"One job asks for at most {at_most}; a retry for more.",
        *(
            f"{rule} needs more than the {plan.gpu_memory:g} GiB of a GPU that `gpu_memory` says: take a smaller "
            "backbone, half precision, or larger GPUs."
            for rule in too_large
        ),
        f"Storage, estimated: {storage}.",
        *(_priced(cost) for cost in plan.costs),
    ]


def _table(plan: Plan, narrow: bool) -> Table:
    """Return the rules with their jobs; where there is little room, without stages and GPU memory."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    shown = [name for name in _COLUMNS if not (narrow and name in ("Stage", "GPU\nmemory"))]
    for name in shown:
        table.add_column(
            name, justify="left" if name in ("Stage", "Rule", "Time known from") else "right", no_wrap=True
        )
    before = ""
    for stage in plan.stages:
        memory = size(stage.gpu_mem_mb * _MB) if stage.gpu_mem_mb else ""
        named = ("" if stage.stage == before else stage.stage, stage.rule, f"{stage.jobs:,}")
        row = (*named, _hours(stage.gpu_hours), _hours(stage.other_hours), memory, _known(stage))
        table.add_row(*(text for name, text in zip(_COLUMNS, row, strict=True) if name in shown))
        before = stage.stage
    table.add_section()
    total = ("", "all", f"{plan.jobs:,}", _hours(plan.gpu_hours), _hours(plan.other_hours), "", "")
    table.add_row(*(text for name, text in zip(_COLUMNS, total, strict=True) if name in shown), style="bold")
    return table


def _hours(number: float) -> str:
    return hours(number) if number else ""


def _known(stage: Stage) -> str:
    if stage.measured == stage.jobs:
        return "earlier runs"
    return f"both ({stage.measured} ran before)" if stage.measured else "estimate"


def _foot(plan: Plan) -> str:
    if plan.measured == plan.jobs:
        return "Times are those of earlier runs."
    estimated = many(plan.jobs - plan.measured, "job")
    return f"Times of {estimated} are estimates by parameters and tokens; what one cell really takes makes them better."


def _priced(cost: Translation) -> str:
    reckoned = "" if cost.exact else f" Reckoned by the sizes of splits: {cost.why}."
    return f"Translation of {cost.facts} by {cost.model}: {sentence(cost)}.{reckoned}"
