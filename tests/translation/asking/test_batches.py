"""Answers through the Batch API, from a server that misbehaves, to processes that are killed."""

import functools
import inspect
import json
import logging
import os
import signal
from collections import Counter
from dataclasses import replace

import pytest
from batch_server import BatchServer
from server import Server, running

from crossedit.errors import UserError
from crossedit.translation import store
from crossedit.translation.asking import batch_api, batches, ledger, live
from crossedit.translation.settings import from_entry
from crossedit.translation.store import Store
from crossedit.translation.translate import translate, wanted


@pytest.fixture
def server():
    with running(BatchServer()) as server:
        yield server


@pytest.fixture
def made(entry, key, quick):
    """Settings that ask the server through its Batch API."""
    return from_entry({**entry, "batch": True, "poll": 0.01})


def questions(facts, settings):
    return [question for _, _, question in wanted(facts, settings)]


def ask(facts, settings):
    """Ask as a process does that has just begun."""
    its = questions(facts, settings)
    batches.ask(its, Store(settings.store), settings)
    return its


def all_are_settled(its):
    return all(question.request is None for question in its) and all(question.translation for question in its)


def test_each_model_has_a_batch_and_each_question_its_answer(server, facts, made):
    result = translate(facts(6), made)
    assert [row["subject"] for row in result.rows] == [f"法国 {case}" for case in range(6)]
    assert result.asked == 6
    assert {answer.batch for question in result.questions for answer in question.answers} == {"batch_0", "batch_1"}
    sizes = {kept.asked[0]["body"]["model"]: len(kept.asked) for kept in server.batches.values()}
    assert sizes == {"gpt-3.5-turbo": 4, "gpt-4": 2}
    assert not server.paid - Counter(server.submitted)
    assert not list(made.store.glob("batches/[!l]*")), "what was submitted isn't kept beside its answers"
    translate(facts(6), made)
    assert len(server.batches) == 2, "a second run asks nothing"


def test_an_answer_that_cannot_be_used_is_asked_again_in_the_next_round(server, facts, made):
    good, sorry = server.answer, iter(["Sorry.", "No."])
    server.answer = lambda record, language: (
        next(sorry, good(record, language)) if record["subject"] == "France 1" else good(record, language)
    )
    its = ask(facts(3).filter(split="train"), made)
    assert all_are_settled(its)
    assert [len(kept.asked) for kept in server.batches.values()] == [2, 1, 1]
    assert max(len(question.answers) for question in its) == 3


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


def test_a_server_that_takes_few_tokens_at_once_gets_smaller_batches(server, facts, made, caplog):
    server.tokens = 5
    its = ask(facts(20), replace(made, model="gpt-4"))
    assert all_are_settled(its)
    assert "too large for the server; 5 requests are asked at once" in caplog.text
    assert max(len(kept.asked) for kept in server.batches.values() if kept.said["status"] == "completed") == 5
    assert sum(server.paid.values()) == 20
    server.tokens = 0
    with pytest.raises(UserError, match="too many tokens: line 1"):
        ask(facts(21), replace(made, model="gpt-4"))


def test_requests_that_get_errors_are_asked_again_and_in_the_end_named(server, facts, made):
    server.troubles = ["error line", "no response", "no completion", "torn line"]
    its = ask(facts(6), replace(made, model="gpt-4"))
    assert all_are_settled(its)
    assert [len(kept.asked) for kept in server.batches.values()] == [6, 4]
    server.troubles = ["error line"] * 3
    with pytest.raises(UserError, match=r"1 of 7 records get errors .* 3 times each, the last 500: The server had an"):
        ask(facts(7), replace(made, model="gpt-4"))


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


def hooked(monkeypatch, tick):
    """Let `tick` be called before and after every step that leaves a trace on the disk or at the server."""

    def around(owner, name):
        original = getattr(owner, name)

        @functools.wraps(original)
        async def awaited(*arguments, **named):
            tick()
            result = await original(*arguments, **named)
            tick()
            return result

        @functools.wraps(original)
        def called(*arguments, **named):
            tick()
            result = original(*arguments, **named)
            tick()
            return result

        monkeypatch.setattr(owner, name, awaited if inspect.iscoroutinefunction(original) else called)

    for name in ("intend", "submitted", "end", "drop", "_append"):
        around(ledger.Ledger, name)
    for name in ("_upload", "_found_or_made", "_find", "lines", "get"):
        around(batch_api.BatchApi, name)
    around(store.Store, "put")


def killed(step, facts, settings):
    """Ask in a process of its own that is killed at that step; say whether it came so far."""
    its = questions(facts, settings)  # polars doesn't work in a forked process
    child = os.fork()
    if not child:
        status = 1
        try:
            left = iter(range(step))

            def tick():
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)

            with pytest.MonkeyPatch.context() as monkeypatch:
                hooked(monkeypatch, tick)
                batches.ask(its, Store(settings.store), settings)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


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


def test_a_batch_on_its_way_serves_a_run_that_asks_more_besides(server, facts, made):
    settings = replace(made, model="gpt-4")
    server.wait = 5
    server.on_create = lambda kept: setattr(server, "wait", 1)
    assert killed(14, facts(4), settings)
    (entry,) = ledger.Ledger(settings.store).on_their_way
    its = ask(facts(7), settings)
    assert all_are_settled(its)
    assert [len(kept.asked) for kept in server.batches.values()] == [4, 3]
    assert not server.twice
    assert entry.requests == 4


def test_a_batch_that_nothing_waits_for_any_more_is_stored_all_the_same(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(4), settings)
    server.batches["batch_0"].states = ["completed"]
    other = replace(settings, targets=("de",))
    assert all_are_settled(ask(facts(1), other))
    assert not ledger.Ledger(settings.store).on_their_way
    ask(facts(4), settings)
    assert len(server.batches) == 2


def test_what_is_on_its_way_is_not_asked_in_another_way(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(4), settings)
    its = questions(facts(4), settings)
    with pytest.raises(UserError, match=r"batch: 4 of the requests are being asked in batches on their way"):
        live.ask(its, Store(settings.store), replace(settings, batch=False))
    with running(BatchServer()) as other:
        elsewhere = replace(settings, base_url=other.url)
        with pytest.raises(UserError, match=rf"base_url: 4 of the requests .* in a batch at {server.url}"):
            batches.ask(its, Store(settings.store), elsewhere)
    assert not server.requests
    (settings.store / "batches" / "ledger.jsonl").unlink()
    live.ask(its, Store(settings.store), replace(settings, batch=False))
    assert all_are_settled(its)


def test_a_batch_that_the_server_does_not_know_is_not_submitted_again_by_itself(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(2), settings)
    server.batches.clear()
    with pytest.raises(UserError, match=r"answers 404 to GET /v1/batches/batch_0; .* is this batch one of the key's"):
        ask(facts(2), settings)


PRICES = {"gpt-4": {"input": 10, "output": 30}}


def test_a_batch_is_cut_to_the_budget_and_a_larger_one_goes_on(server, facts, made):
    server.usage = (100, 100)  # 0.2 cents in a batch where the file has a share for them
    poor = replace(made, model="gpt-4", prices=PRICES, budget=0.02)
    with pytest.raises(UserError, match=r"could go over the budget: \$0\.0\d of \$0\.02 are spent, \d+ of 30 records"):
        ask(facts(30), poor)
    answered = sum(server.paid.values())
    assert 0 < answered < 30
    assert answered * 0.002 <= 0.02
    assert all_are_settled(ask(facts(30), replace(poor, budget=1.0)))
    assert sum(server.paid.values()) == 30
    assert not server.twice


def test_what_is_on_its_way_counts_for_the_budget(server, facts, made):
    server.usage = (100, 100)
    settings = replace(made, model="gpt-4", prices=PRICES)
    assert killed(14, facts(20), settings)
    with pytest.raises(UserError, match="could go over the budget"):
        ask(facts(40), replace(settings, budget=0.01))
    assert len(server.batches) == 1, "nothing could be asked besides it"
    assert sum(server.paid.values()) == 20


def test_batches_keep_within_the_limits_of_the_server(server, facts, made, monkeypatch):
    monkeypatch.setattr(batches, "REQUESTS", 4)
    ask(facts(10), replace(made, model="gpt-4"))
    assert [len(kept.asked) for kept in server.batches.values()] == [4, 4, 2]
    size = max(map(len, server.files.values()))
    monkeypatch.setattr(batches, "BYTES", size // 2)
    ask(facts(20), replace(made, model="gpt-4"))
    assert all(len(server.files[kept.said["input_file_id"]]) <= size for kept in server.batches.values())
    assert all(len(kept.asked) <= 2 for kept in list(server.batches.values())[3:])


@pytest.mark.parametrize(
    ("form", "prompt", "sent"),
    [
        ("auto", None, "json_object"),
        ("auto", "From {source} to {target}, same format: {record}", "text"),
        ("json_schema", None, "json_schema"),
        ("text", None, "text"),
    ],
)
def test_the_form_of_answers_is_what_is_set_or_without_a_risk(server, facts, made, tmp_path, form, prompt, sent):
    if prompt:
        (tmp_path / "prompt.txt").write_text(prompt, encoding="utf-8")
    settings = replace(made, response_format=form, prompt=tmp_path / "prompt.txt" if prompt else None)
    assert all_are_settled(ask(facts(1), settings))
    (request,) = server.requests
    assert request.get("response_format", {"type": "text"})["type"] == sent
    if form == "json_schema":
        assert set(request["response_format"]["json_schema"]["schema"]["required"]) >= {"subject", "prompt"}


def test_a_server_without_batches_says_so(facts, made, key):
    sentence = r"answers 404 to POST /v1/files; does it have a Batch API"
    with running(Server()) as other, pytest.raises(UserError, match=sentence):
        ask(facts(1), replace(made, base_url=other.url))


def test_the_key_is_nowhere(server, facts, made, key, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    server.troubles = ["error line", "prose"]
    server.calls = {"get": [500, 429]}
    ask(facts(3), made)
    server.calls = {"upload": [401]}
    with pytest.raises(UserError, match="refuses the key in OPENAI_API_KEY") as refused:
        ask(facts(4), made)
    server.calls = {"upload": [400]}
    with pytest.raises(UserError, match=r"answers 400: trouble with Bearer \*\*\*") as other:
        ask(facts(4), made)
    assert set(server.headers) == {f"Bearer {key}"}
    files = [path.read_text(encoding="utf-8") for path in made.store.rglob("*") if path.is_file()]
    said = [str(refused.value), str(other.value), caplog.text, *capfd.readouterr(), *files]
    assert not any(key in text for text in said)


def test_a_third_of_everything_goes_wrong_and_every_record_ends_once(server, facts, made):
    """Also through four kills, batches that end early, and calls that are lost."""
    server.share, server.seed = 0.3, 1
    server.ends = ["expired", "completed", "cancelled"]
    for kind, troubles in {"create": ("lost", 500, "lost", 429), "content": ("cut", 429), "get": (503, "cut")}.items():
        server.calls[kind] = [*troubles, None] * 20
    for step in (11, 40, 200, 400):
        assert killed(step, facts(300), made)
    result = translate(facts(300), made)
    assert len(result.rows) + len(result.failures) == 300
    assert len({(row["split"], row["case_id"]) for row in result.rows}) == len(result.rows)
    assert len(result.failures) < 30
    assert all(failure["reasons"] for failure in result.failures)
    assert not server.twice
    assert set(server.paid.values()) == {1}
    assert sum(server.paid.values()) <= 1.5 * 300
    stored = (made.store / "answers.jsonl").read_bytes().splitlines()
    assert len(stored) == sum(server.paid.values()) == sum(len(question.answers) for question in result.questions)


def test_a_ledger_cut_at_any_byte_is_read(tmp_path, caplog):
    first = ledger.Ledger(tmp_path)
    request = {"model": "gpt-4", "messages": [{"role": "user", "content": "一\u2028二"}]}
    lines = [ledger.line(request, attempt) for attempt in (1, 2)]
    entry = first.intend("https://localhost/v1", lines)
    whole = first.path.read_bytes()
    first.submitted(entry, "batch_1")
    with_id = first.path.read_bytes()
    for end in range(len(with_id)):
        first.path.write_bytes(with_id[:end])
        again = ledger.Ledger(tmp_path)
        assert [one.name for one in again.on_their_way] == [entry.name] * (end >= len(whole) - 1)
        assert [one.id for one in again.on_their_way if one.id] == ["batch_1"] * (end >= len(with_id) - 1)
    (open_one,) = again.on_their_way
    assert list(again.asked(open_one).values()) == [(request, 1), (request, 2)]
    again.end(open_one, "expired")
    assert not ledger.Ledger(tmp_path).on_their_way
    assert again.intend("https://localhost/v1", lines).name != entry.name, "asked once more, it is another batch"


def test_what_was_submitted_and_is_gone_is_asked_for(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(2), settings)
    (path,) = settings.store.glob("batches/[!l]*.jsonl")
    path.unlink()
    with pytest.raises(UserError, match=r"can't be read .* what batch batch_0 was asked; bring it back"):
        ask(facts(2), settings)
