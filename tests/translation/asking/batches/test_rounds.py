"""Batches of what is next to be asked, round after round."""

import logging
import time
from collections import Counter
from dataclasses import replace

import pytest
from batch_runs import all_are_settled, ask, questions

from crossedit.errors import UserError
from crossedit.translation.asking import batches
from crossedit.translation.store import Store
from crossedit.translation.translate import translate


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
    ("form", "sent"),
    [("auto", "text"), ("json_object", "json_object"), ("json_schema", "json_schema"), ("text", "text")],
)
def test_the_form_of_answers_is_what_is_set_or_what_every_model_takes(server, facts, made, form, sent):
    assert all_are_settled(ask(facts(1), replace(made, response_format=form)))
    (request,) = server.requests
    assert request.get("response_format", {"type": "text"})["type"] == sent
    if form == "json_schema":
        assert set(request["response_format"]["json_schema"]["schema"]["required"]) >= {"subject", "prompt"}


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


def test_batches_are_cut_in_no_time(server, facts, made):
    """However many requests there are: twice as many take about twice as long."""
    run = batches._Run([], Store(made.store), made)
    (question,) = questions(facts(1), made)
    begun = time.process_time()
    assert [len(lines) for lines in run._parts([question] * 60_000)] == [50_000, 10_000]
    assert time.process_time() - begun < 60
