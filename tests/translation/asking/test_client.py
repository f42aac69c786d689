import asyncio
import json
import logging
import re
import threading
import time
from dataclasses import replace
from email.utils import formatdate
from types import SimpleNamespace

import pytest
from server import LOST, Reply, translated

from crossedit.errors import UserError
from crossedit.translation.asking import client, troubles
from crossedit.translation.store import Store
from crossedit.translation.translate import translate

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("trouble", [408, 429, 503, "429 with Retry-After", *LOST])
def test_passing_troubles_are_tried_again(server, key, facts, made, patient, trouble):
    server.troubles = [trouble, trouble]
    server.retry_after = "0.02"
    result = translate(facts(1), made)
    assert len(result.rows) == 1
    assert len(server.requests) == 3


@pytest.mark.parametrize("trouble", [429, "hanging", "dripping"])
def test_a_trouble_that_does_not_pass_ends_after_a_number_of_tries(server, key, facts, made, trouble):
    server.troubles = [trouble] * 100
    with pytest.raises(UserError, match=r"answers 429|has not answered within 0\.1 s, 4 times"):
        translate(facts(1), replace(made, timeout=0.1))
    assert len(server.requests) == 4


def test_who_is_told_to_wait_waits_and_so_do_all_others(server, key, facts, made, monkeypatch):
    """Four are in flight when one of them is told; the others are answered thereafter."""
    told, heard = client.told, threading.Event()
    monkeypatch.setattr(client, "told", lambda error: (heard.set(), told(error))[1])
    server.answer = lambda *asked: heard.wait(60) and translated(*asked)
    server.together, server.troubles = 4, [None, None, None, "429 with Retry-After"]
    server.retry_after = "0.4"
    result = translate(facts(12), replace(made, concurrency=4))
    assert len(result.rows) == 12
    assert server.times[4] - server.times[3] >= 0.39


NOW = 1_000_000_000.7  # seconds since 1970


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "0.3"},
        {"retry-after-ms": "300", "Retry-After": "100"},
        {"Retry-After": formatdate(NOW + 0.3, usegmt=True)},
    ],
)
def test_how_long_to_wait_is_said_in_several_ways(server, key, facts, made, monkeypatch, headers):
    monkeypatch.setattr(troubles, "time", SimpleNamespace(time=lambda: NOW))
    server.troubles = [Reply(429, {"error": {"message": "wait"}}, headers)]
    translate(facts(1), made)
    first, second = server.times
    assert 0.29 < second - first < 60


@pytest.mark.parametrize("said", ["0", "-5", "soon", "nan", "inf", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_wait_that_is_none_is_a_trouble_like_others(server, key, facts, made, said):
    server.troubles = [Reply(429, {"error": {"message": "wait"}}, {"Retry-After": said})] * 100
    with pytest.raises(UserError, match="answers 429: wait"):
        translate(facts(1), made)
    assert len(server.requests) == 4


def test_to_be_told_to_wait_is_no_try_but_patience_ends(server, key, facts, made, monkeypatch):
    server.troubles = ["429 with Retry-After"] * 8 + ["500"] * 3
    server.retry_after = "0.02"
    assert len(translate(facts(1), made).rows) == 1
    assert len(server.requests) == 12
    monkeypatch.setattr(client, "PATIENCE", 0.2)
    server.troubles = ["429 with Retry-After"] * 100
    with pytest.raises(UserError, match="answers 429: come again"):
        translate(facts(2), made)
    monkeypatch.setattr(client, "PATIENCE", 600)
    server.retry_after, asked = "86400", len(server.requests)
    with pytest.raises(UserError, match="answers 429: come again; it asks to wait for 86400 s, then run this again"):
        translate(facts(2), made)
    assert len(server.requests) == asked + 1, "nobody waits for a day"


def test_who_is_told_to_wait_stays_while_others_are_answered(server, key, facts, made, monkeypatch):
    """The server answers one request at a time and sends the others away, so that some come very often."""
    # By a clock that hardly runs but jumps with each answer: less than all answers take, and much more than one does.
    monkeypatch.setattr(client, "PATIENCE", 1.8)
    begun = time.monotonic()
    monkeypatch.setattr(client.Client, "_now", lambda _: 0.3 * server.paid.total() + (time.monotonic() - begun) / 100)
    free, sent_away = threading.Semaphore(1), threading.Semaphore(0)
    complete = server.complete

    def one_at_a_time(request, headers):
        if not free.acquire(blocking=False):
            sent_away.release()
            return Reply(429, {"error": {"message": "come again"}}, {"Retry-After": "0.001"})
        try:
            for _ in range(7 - server.paid.total()):  # all that are left come in between
                assert sent_away.acquire(timeout=60)
            return complete(request, headers)
        finally:
            free.release()

    monkeypatch.setattr(server, "complete", one_at_a_time)
    assert len(translate(facts(8), replace(made, concurrency=8)).rows) == 8


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (401, {}, r"refuses the key in OPENAI_API_KEY \(401\)"),
        (402, {"message": "no funds"}, "answers 402: no funds$"),
        (404, {"message": "no such model"}, "answers 404: no such model; does base_url end as it should"),
        (429, {"message": "?", "code": "insufficient_quota"}, "no money left on this key's account"),
        (429, {"message": "?", "type": "insufficient_quota"}, "no money left on this key's account"),
    ],
)
def test_a_refusal_ends_the_run_with_one_sentence(server, key, facts, made, status, error, sentence):
    server.troubles = [Reply(status, {"error": error})] * 9
    with pytest.raises(UserError, match=sentence):
        translate(facts(9), replace(made, concurrency=1, response_format="text"))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "said", "sentence"),
    [
        (400, {"error": {"message": "bad temperature"}}, "answers 400: bad temperature"),
        (
            403,
            {"error": {"message": "?"}},
            r"refuses the key in OPENAI_API_KEY \(403\), or this request; set another one.",
        ),
        (413, {"message": "too large"}, "answers 413: too large"),
        (422, {"error": {"message": "two\nlines"}}, "answers 422: two"),
        (422, {"detail": "unknown field"}, "answers 422: unknown field"),
        (422, {"detail": [{"msg": "Field required"}]}, r'answers 422: {"detail": \[{"msg": "Field required"}\]}'),
        (400, {"error": "context too long"}, "answers 400: context too long"),
        (400, b"plain words\nand more", "answers 400: plain words"),
        (400, b"<html><style>b {}</style>\n<h1>Too &amp; Large</h1>\n<p>nginx</p>", "answers 400: Too & Large"),
        (400, b"", "answers 400: Error code: 400"),
        (400, b"x" * 400, "answers 400: " + "x" * 300),
    ],
)
def test_a_refusal_of_each_record_ends_the_run_in_the_servers_words(server, key, facts, made, status, said, sentence):
    server.troubles = [Reply(status, said)] * 9
    with pytest.raises(UserError, match=rf"{sentence} \(5 records in a row, the last 'France 4' in zh\)$"):
        translate(facts(9), replace(made, concurrency=1, response_format="text"))
    assert len(server.requests) == 5


@pytest.mark.parametrize("trouble", [401, 403, 400, 404, 429, 500, "text", "header", "reason"])
def test_the_key_is_in_no_error_log_or_store(server, key, facts, made, caplog, capfd, trouble, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("COLUMNS", "200")
    server.answer = lambda record, language: f"no JSON, but {key}"
    translate(facts(1), replace(made, attempts=1))
    reply = {
        "text": Reply(200, key.encode(), {"Content-Type": "text/plain"}),
        "header": Reply(500, {"error": {"message": "x" * 290 + key}}, {"X-Your-Key": key}),
        "reason": Reply(409, f"{key} {key}".encode(), {"Content-Type": "text/plain"}),
    }.get(trouble, trouble)
    server.troubles = [reply] * 100
    with pytest.raises(UserError) as caught:
        translate(facts(9), replace(made, response_format="text"))
    assert server.headers[-1] == f"Bearer {key}", "the server got it, and quotes it"
    stored = "".join(path.read_text() for path in made.store.iterdir())
    assert "no JSON, but ***" in stored
    for text in (str(caught.value), stored, caplog.text, *capfd.readouterr()):
        assert key not in text
        assert key[:12] not in text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("wrong", ["sk-“quoted”-key", "sk-two\nlines"])
def test_a_key_that_no_header_can_hold(server, facts, made, monkeypatch, wrong):
    monkeypatch.setenv("OPENAI_API_KEY", wrong)
    with pytest.raises(UserError, match="OPENAI_API_KEY holds characters that no key has") as caught:
        translate(facts(1), made)
    assert wrong not in str(caught.value)
    assert not server.requests


def test_a_line_break_at_the_keys_end_is_none_of_it(server, facts, made, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-key\n")
    translate(facts(1), made)
    assert server.headers == ["Bearer sk-key"]


def test_a_server_that_is_none(server, key, facts, made):
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/v1 can't be asked: Connection error\. \(.*failed\)"):
        translate(facts(1), replace(made, base_url="http://127.0.0.1:9/v1"))


PAGE = Reply(200, b"<html>Welcome</html>", {"Content-Type": "text/html"})


@pytest.mark.parametrize(
    "reply",
    [PAGE, Reply(200, {"error": {"message": "no such path"}}), Reply(200, {"choices": []}), Reply(200, b"[]")],
)
def test_what_is_no_chat_completion_comes_from_a_wrong_address_or_passes(server, key, facts, made, reply):
    server.troubles = [reply]
    with pytest.raises(UserError, match=r"answers with no chat completion \(.*\); does base_url end as it should"):
        translate(facts(1), made)
    assert len(server.requests) == 1
    server.troubles = [None, reply]
    assert len(translate(facts(2), replace(made, concurrency=1)).rows) == 2
    assert len(server.requests) == 1 + 3


def test_a_model_may_refuse_and_is_asked_again(server, key, facts, made):
    server.troubles = ["refusal"]
    translate(facts(1), made)
    store, (first, second) = Store(made.store), server.requests
    answer = store.get(first, 1)
    assert (answer.answer, answer.refusal) == (None, "I can't help with that.")
    assert (answer.finish_reason, answer.usage["total_tokens"], answer.answered_by) == (
        "stop",
        15,
        "gpt-3.5-turbo-0613",
    )
    assert "the model refuses: I can't help" in second["messages"][-1]["content"]


@pytest.mark.parametrize("code", ["content_filter", "data_inspection_failed"])
def test_a_filters_refusal_is_the_models_and_ends_no_run(server, key, facts, made, code):
    filtered = Reply(400, {"error": {"message": "inappropriate", "code": code}})
    server.troubles = [filtered] * 3
    result = translate(facts(2), replace(made, concurrency=1))
    assert [row["case_id"] for row in result.rows] == [1]
    assert result.failures[0]["reasons"] == ["the model refuses: inappropriate"] * 3


def test_half_a_character_can_be_stored(server, key, facts, made):
    body = server.completion({**REQUEST, "model": "gpt-4"})
    body["choices"][0]["message"]["content"] = "cut: \ud83d"
    server.troubles = [Reply(200, json.dumps(body).encode())]
    result = translate(facts(1), made)
    assert result.questions[0].answers[0].answer == "cut: ?"


REQUEST = {"messages": [{"role": "user", "content": 'From English to Chinese: {"subject": "France"}'}]}


def test_an_ended_client_tries_nothing_again(server, key, made):
    async def run():
        async with client.Client(made) as asking:
            asking.ended = True
            await asking.ask({**REQUEST, "model": "gpt-4"}, ["subject"])

    server.troubles = [429]
    with pytest.raises(UserError, match="answers 429"):
        asyncio.run(run())
    assert len(server.requests) == 1


@pytest.mark.parametrize("short", ["a", "none"])
def test_a_key_that_is_a_placeholder_is_left_in_the_servers_words(server, facts, made, monkeypatch, short):
    monkeypatch.setenv("OPENAI_API_KEY", short)
    server.troubles = [Reply(402, {"error": {"message": "none bad temperature"}})]
    with pytest.raises(UserError, match=r"answers 402: none bad temperature$"):
        translate(facts(1), made)


@pytest.mark.parametrize("count", ["10", None, [1], float("nan"), -1])
def test_tokens_that_are_no_number_are_estimated(server, key, facts, made, count):
    complete = server.completion

    def completion(request, trouble=None):
        body = complete(request, trouble)
        body["usage"].update(prompt_tokens=count, total_tokens=count)
        return body

    server.completion = completion
    limited = replace(made, prices={"gpt-4": {"input": 1, "output": 1}}, model="gpt-4", budget=5, tokens_per_minute=1e6)
    assert len(translate(facts(2), limited).rows) == 2
    assert len(translate(facts(2), limited).rows) == 2
    assert Store(made.store).get(server.requests[0], 1).usage["completion_tokens"] == 5


def test_a_long_wait_is_told_once(server, key, facts, made, caplog, monkeypatch):
    waiting = set()

    async def sleep(seconds):
        waiting.add(asyncio.current_task())
        await asyncio.sleep(0)

    # Time stands still until all four wait.
    monkeypatch.setattr(client, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    monkeypatch.setattr(client.Client, "_now", lambda _: float(len(waiting) >= 4))
    monkeypatch.setattr(client, "LONG", 0.1)
    server.together, server.troubles = 4, ["429 with Retry-After"] * 4
    translate(facts(8), made)
    (told,) = [message for message in caplog.messages if "asks to wait" in message]
    assert re.fullmatch(rf"{server.url} asks to wait for \d+ s; nothing is asked till then\.", told)
