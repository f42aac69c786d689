"""One look for every progress bar: what is being done, how far it is, the time left.

On a terminal the bar moves; in a log file, where nothing can be overwritten, it is a line now and then, for `tail -f`.
"""

import threading
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def bar(what: str, total: float | None) -> Iterator[Progress]:
    """Show a bar on standard error; `progress.update(progress.task_ids[0], advance=1, description=…)` moves it on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    ended = threading.Event()
    with Progress(*columns, console=console) as progress:
        progress.add_task(what, total=total)
        lines = threading.Thread(target=_lines, args=(progress, console, ended), daemon=True)
        if not console.is_terminal:
            lines.start()
        try:
            yield progress
        finally:
            ended.set()
            if lines.is_alive():
                lines.join()


def _lines(progress: Progress, console: Console, ended: threading.Event) -> None:
    """Write a line about the bar every few seconds, with the time left, until it has ended."""
    while not ended.wait(SECONDS_BETWEEN_LINES):
        (task,) = progress.tasks
        left = "?" if task.time_remaining is None else f"{task.time_remaining:.0f}"
        total = "?" if task.total is None else f"{task.total:.0f}"
        console.print(f"{task.description}: {task.completed:.0f} of {total}, {left} s left", highlight=False)


def track(items: Iterable[T], what: str, total: float | None = None) -> Iterator[T]:
    """Yield the items under a progress bar."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(what, total) as progress:
        for item in items:
            yield item
            progress.advance(progress.task_ids[0])
