"""No more requests, and no more tokens, in any minute than a server allows.

pace = Pace(settings)
await pace(request)              returns when the request may be sent
pace.settle(request, answer)     what it has really taken
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiolimiter import AsyncLimiter

from crossedit.translation.asking.prices import counted, expected
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer


class Pace:
    """Lets requests pass one after the other, evenly: a burst is no more than what is due in a second."""

    def __init__(self, settings: Settings) -> None:
        self._requests = _limiter(settings.requests_per_minute)
        self._tokens = _limiter(settings.tokens_per_minute)
        self._owed = 0.0  # tokens of answers beyond what was expected of them
        self._next = asyncio.Lock()

    async def __call__(self, request: Mapping[str, Any]) -> None:
        """Return when the request may be sent; those that wait go in the order in which they came."""
        async with self._next:
            if self._requests:
                await self._requests.acquire()
            if self._tokens:
                needed, self._owed = sum(expected(request)) + self._owed, 0.0
                self._owed = min(needed, 0.0)
                while needed > 0:
                    part = min(needed, self._tokens.max_rate)
                    await self._tokens.acquire(part)
                    needed -= part

    def settle(self, request: Mapping[str, Any], answer: Answer) -> None:
        """Charge the next request with what this one has taken beyond the estimate, or give it what is left."""
        taken = counted(answer, "total_tokens")
        if taken is not None:
            self._owed += taken - sum(expected(request))


def _limiter(per_minute: float | None) -> AsyncLimiter | None:
    if per_minute is None:
        return None
    burst = max(1.0, per_minute / 60)
    return AsyncLimiter(burst, 60 * burst / per_minute)
