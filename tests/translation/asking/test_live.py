import asyncio
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from server import Reply, translated

from crossedit.errors import UserError
from crossedit.translation import store
from crossedit.translation.asking import live
from crossedit.translation.store import Store
from crossedit.translation.translate import translate

pytestmark = pytest.mark.usefixtures("quick")

PRICES = {"gpt-4": {"input": 1000, "output": 2000}}  # a token in is a tenth of a cent, one out a fifth


@pytest.fixture
def priced(made):
    """Settings whose answers cost two cents each, of the server's usual usage."""
    return replace(made, model="gpt-4", prices=PRICES)


def stored(settings):
    return len(Store(settings.store))


@pytest.mark.parametrize("concurrency", [1, 5])
def test_as_many_requests_are_in_flight_as_wished(server, key, facts, made, concurrency):
    server.together, server.seconds = concurrency, 0.03
    translate(facts(8), replace(made, concurrency=concurrency))
    assert server.most_flying == concurrency


def test_it_may_be_asked_from_within_an_event_loop_as_a_notebook_runs_one(server, key, facts, made):
    async def cell():
        return translate(facts(3), made)

    assert len(asyncio.run(cell()).rows) == 3


def test_an_answer_is_stored_before_it_is_read(server, key, facts, made, monkeypatch):
    def stops(question, answer):
        assert Store(made.store).get(question.request, question.attempt) == answer
        raise UserError("stopped")

    monkeypatch.setattr("crossedit.translation.questions.Question.take", stops)
    with pytest.raises(UserError, match="stopped"):
        translate(facts(1), made)
    assert stored(made) == 1


def test_those_in_flight_are_stored_and_no_other_is_started_once_the_server_refuses(
    server, key, facts, made, monkeypatch
):
    end, ended = live._Run._end, threading.Event()
    monkeypatch.setattr(live._Run, "_end", lambda run: (end(run), ended.set()))
    server.answer = lambda *asked: ended.wait(60) and translated(*asked)
    server.together, server.troubles = 4, [None, None, None, 401]
    with pytest.raises(UserError, match="refuses the key"):
        translate(facts(9), made)
    assert len(server.requests) == 4
    assert stored(made) == 3


def test_who_waits_for_another_try_is_not_waited_for_once_the_server_refuses(server, key, facts, made):
    server.retry_after = "120"
    server.together, server.troubles = 2, ["429 with Retry-After", Reply(401, {})]
    start = time.monotonic()
    with pytest.raises(UserError, match="refuses the key"):
        translate(facts(9), replace(made, concurrency=2))
    assert time.monotonic() - start < 120
    assert len(server.requests) == 2


def test_a_run_that_is_stopped_goes_on_where_it_was(server, key, facts, made):
    server.troubles = [None] * 4 + [401] * 9
    with pytest.raises(UserError):
        translate(facts(9), replace(made, concurrency=1))
    server.troubles = []
    assert len(translate(facts(9), made).rows) == 9
    assert server.paid.total() == len(server.paid) == 9, "no answered request is asked again"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_budget_holds_and_a_larger_one_goes_on(server, key, facts, priced, concurrency):
    server.usage, server.seconds = (100, 50), 0.02  # 20 cents
    limited = replace(priced, budget=2, concurrency=concurrency)
    with pytest.raises(UserError, match=r"over the budget: \$(1\.\d\d|2\.00) of \$2\.00 are spent") as caught:
        translate(facts(20), limited)
    done = len(server.requests)
    assert 6 <= done <= 10
    assert f"{done} of 20 records are done and stored" in str(caught.value)
    with pytest.raises(UserError, match="over the budget"):
        translate(facts(20), limited)
    assert len(server.requests) == done, "all runs together have the one budget"
    result = translate(facts(20), replace(priced, budget=5))
    assert len(result.rows) == 20
    assert server.paid.total() == len(server.paid) == 20


def test_a_budget_that_is_enough_for_one_at_a_time_is_enough(server, key, facts, priced):
    """What is put aside for requests in flight may be more than they cost: they are waited for."""
    server.seconds = 0.02
    assert len(translate(facts(20), replace(priced, budget=0.8, concurrency=4)).rows) == 20


@pytest.mark.parametrize("trouble", ["hanging", "cut connection", "cut body"])
def test_tries_without_an_answer_count_for_the_budget(server, key, facts, priced, patient, trouble):
    """A request is tried four times where there is the money."""
    server.never = {"France 0": trouble}
    limited = replace(priced, concurrency=1)
    with pytest.raises(UserError, match=r"over the budget: \$0\.\d+ of \$0\.70 are spent, 0 of 3"):
        translate(facts(3), replace(limited, budget=0.7))
    assert 1 < len(server.requests) < 4
    assert len(translate(facts(3), replace(limited, budget=5.0)).rows) == 2


def test_an_answer_that_is_an_error_costs_nothing(server, key, facts, priced, capfd):
    server.never = {"France 0": 500, "France 1": 429}
    with pytest.raises(UserError, match="429"):
        translate(facts(2), replace(priced, budget=5.0, concurrency=1))
    assert len(server.requests) == 8
    assert "$0.00" in (said := capfd.readouterr().err)
    assert "$0.1" not in said


def test_who_cannot_be_reached_is_paid_nothing(key, priced, facts):
    limited = replace(priced, base_url="http://127.0.0.1:9/v1", budget=0.7)
    with pytest.raises(UserError, match="can't be asked: Connection error"):
        translate(facts(1), limited)


def test_a_budget_needs_a_price(server, key, facts, made):
    with pytest.raises(UserError, match="there is no price for gpt-3"):
        translate(facts(3), replace(made, budget=1))
    assert not server.requests


def test_progress_says_what_is_done_and_spent(server, key, facts, priced, made, capfd):
    translate(facts(3), priced)
    said = capfd.readouterr().err
    assert "translation, $0.06" in said
    assert "3/3" in said
    translate(facts(4), made)
    assert "$" not in capfd.readouterr().err


def test_one_run_asks_and_the_other_waits_and_takes_its_answers(server, key, facts, made, caplog, logged):
    waits = logged(store.log, "another run is asking")
    server.answer = lambda *asked: waits.wait(60) and translated(*asked)
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: translate(facts(9), made), range(2)))
    assert server.paid.total() == len(server.paid) == 9
    assert results[0].rows == results[1].rows
    assert sum("another run is asking" in message for message in caplog.messages) == 1


def test_a_record_that_fails_may_keep_its_source(server, key, facts, made):
    server.answer = lambda record, language: "no"
    result = translate(facts(1), replace(made, attempts=2, failed="keep_source"))
    assert len(server.requests) == 2
    assert result.failures[0]["reasons"][0].startswith("not JSON")
    (row,) = result.rows
    assert (row["lang"], row["subject"], row["origin"]) == ("zh", "France 0", "untranslated")


NO_COMPLETION = Reply(200, {"error": {"message": "moderated"}})


@pytest.mark.parametrize("at", [0, 3, 5])
@pytest.mark.parametrize(
    ("trouble", "reason", "tries"),
    [
        (Reply(400, {"error": {"message": "too long"}}), "the server answers 400: too long", 3),
        (
            Reply(403, {"error": {"message": "moderated"}}),
            r"the server (answers 403: moderated|refuses the key .* or this request)",
            1,
        ),
        (413, r"the server answers 413: trouble with Bearer \*\*\*", 1),
        (Reply(422, {"detail": "no"}), "the server answers 422: no", 3),
        (500, r"the server answers 500: trouble with Bearer \*\*\*", 4),
        ("cut connection", "the server can't be asked: Connection error", 4),
        ("hanging", r"the server has not answered within 0\.1 s, 4 times", 4),
    ],
)
def test_a_record_that_is_always_refused_is_given_up_while_others_are_answered(
    server, key, facts, made, patient, caplog, at, trouble, reason, tries
):
    server.never = {f"France {at}": trouble}
    one = replace(made, concurrency=1, model="gpt-4", timeout=0.1)
    result = translate(facts(6), one)
    assert [row["case_id"] for row in result.rows] == [case for case in range(6) if case != at]
    (failure,) = result.failures
    assert failure["case_id"] == at
    assert re.match(reason, failure["reasons"][0])
    assert re.search(rf"'France {at}' in zh is given up: {reason}", caplog.text)
    assert stored(made) == 5, "nothing is stored for it"
    assert len(server.requests) <= 5 + 2 + tries

    again = translate(facts(6), one)
    assert again.failures[0]["case_id"] == at, "it is all that is asked now, and the model has answered before"
    server.never = {}
    assert len(translate(facts(6), one).rows) == 6


def test_a_completion_of_an_unknown_shape_is_asked_for_twice_as_it_may_be_paid(server, key, facts, made):
    server.never = {"France 1": NO_COMPLETION}
    result = translate(facts(3), replace(made, concurrency=1))
    assert result.failures[0]["reasons"] == [
        "the server answers with no chat completion ({'message': 'moderated'}); does base_url end as it should, often "
        "in /v1?"
    ]
    assert len(server.requests) == 2 + 2


def test_one_record_that_is_refused_is_named_where_nothing_was_ever_answered(server, key, facts, made):
    server.troubles = [413] * 9
    with pytest.raises(UserError, match=r"answers 413: .* \(asked for 'France 0' in zh\)$"):
        translate(facts(1), made)


def test_records_refused_in_a_row_end_the_run_though_others_were_answered_before(server, key, facts, made):
    server.never = {f"France {case}": 413 for case in (1, 2, 3, 4, 6, 7, 8, 9, 10)}
    with pytest.raises(UserError, match=r"5 records in a row, the last 'France 10' in zh"):
        translate(facts(12), replace(made, concurrency=1, model="gpt-4"))
    assert len(server.requests) == 11
    assert stored(made) == 2


def test_a_model_that_refuses_everything_is_not_excused_by_another(server, key, facts, made):
    server.never = {f"France {case}": 413 for case in (4, 5)}
    with pytest.raises(UserError, match=r"asked for 'France 4' in zh"):
        translate(facts(6), replace(made, concurrency=1))
    assert stored(made) == 4
