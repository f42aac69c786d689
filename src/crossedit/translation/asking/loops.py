"""Where the coroutines that ask a server run."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

_LOOK = 0.1  # seconds


def drive(asking: Coroutine[Any, Any, None], end: Callable[[], None] | None = None) -> None:
    """Run it to its end: in this thread, or in another where an event loop runs in this one, as in a notebook.

    Where this thread is interrupted while it waits for the other, `end` is called there, each time, by default to
    cancel all; the interrupt is raised once it has ended.
    """
    if not _is_running():
        asyncio.run(asking)
        return
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)  # so that its loop doesn't become this thread's
    loop = runner.get_loop()
    interrupt: BaseException | None = None
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_run, runner, asking)
        while not asked.done():
            try:
                # The system may tell another thread of a signal; this one heeds it when it next looks up.
                wait([asked], timeout=_LOOK)
            except BaseException as error:
                interrupt = error
                with suppress(RuntimeError):  # where the loop has just ended
                    loop.call_soon_threadsafe(end or (lambda: _cancel(loop)))
    if interrupt:
        raise interrupt
    asked.result()


def _run(runner: asyncio.Runner, asking: Coroutine[Any, Any, None]) -> None:
    with runner:
        runner.run(asking)


def _cancel(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
