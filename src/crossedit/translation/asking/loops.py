"""Where the coroutines that ask a server run."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def drive(asking: Coroutine[Any, Any, None]) -> None:
    """Run it to its end: in this thread, or in another where an event loop runs in this one, as in a notebook."""
    if not _is_running():
        asyncio.run(asking)
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asking).result()


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
