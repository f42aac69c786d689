"""Batches and requests that bring errors, and servers that refuse them."""

from dataclasses import replace

import pytest
from batch_runs import all_are_settled, ask
from server import Server, running

from crossedit.errors import UserError
from crossedit.translation.store import Store
from crossedit.translation.translate import translate


@pytest.mark.parametrize("end", ["expired", "cancelled", "expired at once", "no files"])
def test_what_a_batch_that_ends_early_has_answered_is_kept_and_the_rest_asked_again(server, facts, made, end):
    server.ends = [end]
    its = ask(facts(9).filter(split="train"), made)
    assert all_are_settled(its)
    answered = {"expired": 3, "cancelled": 3, "expired at once": 0, "no files": 0}[end]
    assert [len(kept.asked) for kept in server.batches.values()] == [6, 6 - answered]
    assert not server.twice or end == "no files"


def test_batches_that_never_bring_an_answer_are_given_up(server, facts, made):
    server.ends = ["expired at once"] * 9
    with pytest.raises(UserError, match=r"3 times in a row .* \(batch_expired: not executed in time\)"):
        ask(facts(2), replace(made, model="gpt-4"))
    assert len(server.batches) == 3


def test_a_batch_that_fails_says_why_and_can_be_repeated(server, facts, made):
    server.ends = ["failed"]
    with pytest.raises(UserError, match=r"refuses batch batch_0: failed: line 1$"):
        ask(facts(2), replace(made, model="gpt-4"))
    assert all_are_settled(ask(facts(2), replace(made, model="gpt-4")))
    assert len(server.batches) == 2


def test_requests_that_get_errors_are_asked_again(server, facts, made):
    server.troubles = ["error line", "no response", "no completion", "torn line"]
    its = ask(facts(6), replace(made, model="gpt-4"))
    assert all_are_settled(its)
    assert [len(kept.asked) for kept in server.batches.values()] == [6, 4]


@pytest.mark.parametrize(
    ("trouble", "rounds", "reason"),
    [
        ("error line", 3, "500: The server had an error."),
        ("no response", 3, "request_timeout: too slow"),
        ("torn line", 3, "with nothing"),
        (429, 3, "429: trouble"),
        (400, 1, "400: trouble"),
        (413, 1, "413: trouble"),
        (422, 1, "422: trouble"),
    ],
)
def test_a_record_that_only_gets_errors_is_given_up_and_listed(server, facts, made, trouble, rounds, reason):
    settings = replace(made, model="gpt-4")
    server.never["France 1"] = trouble
    result = translate(facts(4), settings)
    assert [len(kept.asked) for kept in server.batches.values()] == [4] + [1] * (rounds - 1)
    assert [row["case_id"] for row in result.rows] == [0, 2, 3]
    (failure,) = result.failures
    assert (failure["case_id"], failure["reasons"]) == (1, [f"the server answers {reason}"])
    server.batches.clear()
    assert not translate(facts(2), settings).rows[1:], "nor does it end a run in which nothing else is asked"
    assert len(server.batches) == rounds, "a later run tries again"
    server.never.clear()
    assert len(translate(facts(4), settings).rows) == 4


def test_an_answered_record_whose_second_attempt_is_refused_is_listed_with_both_reasons(server, facts, made):
    good = server.answer
    server.answer = lambda record, language: "Sorry." if record["subject"] == "France 1" else good(record, language)
    server.troubles = [None, None, 400]
    result = translate(facts(2), replace(made, model="gpt-4"))
    assert result.failures[0]["reasons"] == ["not JSON (from character 1 on)", "the server answers 400: trouble"]
    assert result.asked == 2


@pytest.mark.parametrize(("trouble", "rounds"), [("error line", 3), (400, 1), (404, 3), ("torn line", 3)])
def test_where_nothing_is_answered_that_a_model_is_asked_the_run_stops(server, facts, made, trouble, rounds):
    """Though the other model answers everything."""
    server.never = {f"France {case}": trouble for case in (4, 5)}
    with pytest.raises(UserError, match=r"answers nothing that gpt-4 is asked, the last with"):
        translate(facts(6), made)
    assert len(server.batches) == 1 + rounds
    assert len(Store(made.store)) == 4


def test_a_server_without_batches_says_so(facts, made, key):
    sentence = r"answers 404 to POST /v1/files; does it have a Batch API"
    with running(Server()) as other, pytest.raises(UserError, match=sentence):
        ask(facts(1), replace(made, base_url=other.url))


@pytest.mark.parametrize("kind", ["upload", "create", "list", "get", "content"])
@pytest.mark.parametrize("trouble", ["lost", 500, 429, "cut"])
def test_calls_in_trouble_are_made_again_and_no_batch_twice(server, facts, made, kind, trouble):
    server.calls = {kind: [trouble, trouble]}
    its = ask(facts(3), replace(made, model="gpt-4"))
    assert all_are_settled(its)
    assert server.called["list" if (kind, str(trouble)) in (("create", "lost"), ("create", "cut")) else kind] > 1
    assert len(server.batches) == 1
    assert not server.twice


def test_a_batch_whose_making_was_not_told_is_found_among_many(server, facts, made, monkeypatch):
    for server.oldest_first in (False, True):
        server.batches.clear()
        for number in range(250):
            other = {"id": f"other_{number}", "object": "batch", "status": "completed", "created_at": number * 10**7}
            server.batches[other["id"]] = type("Kept", (), {"said": other, "asked": [], "states": []})()
        server.calls = {"create": ["lost"]}
        settings = replace(made, model="gpt-4", store=made.store / str(server.oldest_first))
        assert all_are_settled(ask(facts(2), settings))
        assert len(server.batches) == 251
