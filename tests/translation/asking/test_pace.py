import asyncio
import selectors
from dataclasses import replace

import pytest

from crossedit.translation.asking.pace import Pace
from crossedit.translation.store import Answer

REQUEST = {"model": "gpt-4", "messages": [{"role": "user", "content": "x" * 160}]}  # 40 tokens, 60 expected


class _Sleeper(selectors.DefaultSelector):
    """Waits for nothing: its clock jumps."""

    now = 0.0

    def select(self, timeout=None):
        self.now += (timeout or 0.0) + 1e-6
        return super().select(0)


def times(made, count, taken=100, tasks=8):
    """Return when each of the requests may be sent, in seconds; answers take as many tokens."""
    sleeper = _Sleeper()
    loop = asyncio.SelectorEventLoop(sleeper)
    loop.time = lambda: sleeper.now
    found = []

    async def run():
        pace = Pace(made)
        left = iter(range(count))

        async def work():
            for _ in left:
                await pace(REQUEST)
                found.append(loop.time())
                await asyncio.sleep(0.5)
                pace.settle(REQUEST, Answer("", usage={"total_tokens": taken}))

        await asyncio.gather(*(work() for _ in range(tasks)))

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return found


def most_in_a_minute(times):
    return max(sum(start <= other < start + 60 for other in times) for start in times)


@pytest.mark.parametrize("limit", [1, 3, 50, 60.5, 500])
def test_requests_in_any_minute(made, limit):
    found = times(replace(made, requests_per_minute=limit), count=int(limit * 3) + 2)
    assert 0.95 * limit <= most_in_a_minute(found) <= max(1.1 * limit, limit + 0.5)
    assert found[-1] <= 3.2 * 60 + 60 / limit


@pytest.mark.parametrize("limit", [2_000, 6_050, 30_000])
@pytest.mark.parametrize("taken", [50, 200])
def test_tokens_in_any_minute_as_the_server_counts_them(made, limit, taken):
    found = times(replace(made, tokens_per_minute=limit), count=3 * limit // taken, taken=taken)
    late = [time for time in found if time > 5]
    assert 0.9 * limit <= most_in_a_minute(late) * taken <= 1.1 * limit


def test_a_request_of_more_tokens_than_a_minute_allows_is_sent_by_itself(made):
    found = times(replace(made, tokens_per_minute=50), count=3)
    assert found[-1] >= 2 * 110


def test_without_limits_nothing_waits(made):
    assert times(made, count=100, tasks=100)[-1] < 0.01
