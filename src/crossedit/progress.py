"""One look for every progress bar: what is being done, how far it is, the time left."""

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")


@contextmanager
def bar(what: str, total: float | None) -> Iterator[Progress]:
    """Show a bar on standard error; `progress.update(progress.task_ids[0], advance=1, description=…)` moves it on.

    In a log file, where nothing can be overwritten, only its last state is written.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        progress.add_task(what, total=total)
        yield progress


def track(items: Iterable[T], what: str, total: float | None = None) -> Iterator[T]:
    """Yield the items under a progress bar."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(what, total) as progress:
        for item in items:
            yield item
            progress.advance(progress.task_ids[0])
