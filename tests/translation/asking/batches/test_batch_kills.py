"""Processes that are killed on the way, and everything that goes wrong at once."""

import json
from dataclasses import replace

import pytest
from batch_runs import all_are_settled, ask, killed

from crossedit.translation.translate import translate


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_a_process_killed_between_any_two_steps_asks_nothing_twice(server, facts, made, every):
    """With a record that gets no answer at first, so that there is a second round."""
    server.wait = 1
    step = 0
    while True:
        settings = replace(made, model="gpt-4", store=made.store / str(step))
        server.troubles = ["error line"]
        came = killed(step, facts(2), settings)
        its = ask(facts(2), settings)
        assert all_are_settled(its), step
        assert len(server.batches) == 2, step
        assert sum(server.paid.values()) == 2, step
        assert not server.twice, step
        lines = (settings.store / "answers.jsonl").read_bytes().splitlines()
        assert len({(one["attempt"], json.dumps(one["request"])) for one in map(json.loads, lines)}) == len(lines) == 2
        server.batches.clear()  # which would be found again: another store asks for the same
        server.paid.clear()
        server.submitted.clear()
        if not came:
            break
        step += every
    assert step > 50


@pytest.mark.parametrize(
    ("count", "kills"), [(200, (11, 40, 200)), pytest.param(1000, (11, 40, 300, 900, 1500), marks=pytest.mark.slow)]
)
def test_a_third_of_everything_goes_wrong_and_every_record_ends_once(server, facts, made, count, kills):
    """Also through SIGKILLs, batches that end early, and calls that are lost."""
    server.share, server.seed = 0.3, 1
    server.ends = ["expired", "completed", "cancelled"]
    for kind, troubles in {"create": ("lost", 500, "lost", 429), "content": ("cut", 429), "get": (503, "cut")}.items():
        server.calls[kind] = [*troubles, None] * 20
    for step in kills:
        assert killed(step, facts(count), made)
    result = translate(facts(count), made)
    assert len(result.rows) + len(result.failures) == count
    assert len({(row["split"], row["case_id"]) for row in result.rows}) == len(result.rows)
    assert len(result.failures) < 0.1 * count
    assert all(failure["reasons"] for failure in result.failures)
    assert not server.twice
    assert set(server.paid.values()) == {1}
    assert sum(server.paid.values()) <= 1.5 * count
    stored = (made.store / "answers.jsonl").read_bytes().splitlines()
    assert len(stored) == sum(server.paid.values()) == sum(len(question.answers) for question in result.questions)
