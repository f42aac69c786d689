import json
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest

from crossedit.errors import UserError
from crossedit.translation.asking import live
from crossedit.translation.settings import CHECKS
from crossedit.translation.store import Store
from crossedit.translation.translate import assemble, translate


def test_every_record_is_translated_by_the_model_of_its_split(server, key, facts, made):
    result = translate(facts(6), made)
    assert [row["case_id"] for row in result.rows] == list(range(6))
    assert result.rows[5] == {
        **dict.fromkeys(result.rows[5]),
        "split": "test",
        "case_id": 5,
        "lang": "zh",
        "relation": "capital",
        "subject": "法国 5",
        "prompt": "首都是哪座城市：法国 5?",
        "target": "罗马",
        "original": "巴黎",
        "rephrase": "法国 5的首都叫什么？",
        "origin": "translated",
        "translated_by": "gpt-4-0613",
    }
    assert Counter(request["model"] for request in server.requests) == {"gpt-3.5-turbo": 4, "gpt-4": 2}
    assert {request["temperature"] for request in server.requests} == {0}


def test_the_request_is_the_papers_with_one_record(server, key, facts, made):
    translate(facts(1), made)
    (message,) = server.requests[0]["messages"]
    first, second = message["content"].split("\n")
    assert first == ("Please translate the following JSON data from English to Chinese and keep the format unchanged:")
    assert json.loads(second) == {
        "subject": "France 0",
        "prompt": "What is the capital of France 0?",
        "target": "Rome",
        "original": "Paris",
        "rephrase": "France 0 has which capital?",
    }


def test_a_second_run_asks_nothing_and_needs_no_key(server, key, facts, made, monkeypatch):
    first = translate(facts(6), made)
    monkeypatch.delenv("OPENAI_API_KEY")
    second = translate(facts(6), made)
    assert second.rows == first.rows
    assert len(server.requests) == 6


def test_several_languages_and_none_of_them_chinese(server, key, facts, made):
    both = replace(made, targets=("de", "zh"))
    result = translate(facts(3), both)
    table = assemble(facts(3), result.rows, result.failures)
    assert table.filter(lang="de", case_id=1)["subject"].item() == "Frankreich 1"
    assert Counter(table["lang"]) == {"en": 3, "de": 3, "zh": 3}
    german = table.filter(table["lang"] != "zh")
    again = translate(german, both)
    assert {row["lang"] for row in again.rows} == {"zh"}, "what a case holds already isn't translated"


def test_rows_that_ask_for_the_same_are_asked_once(server, key, facts, made):
    twice = facts(2).with_columns(pl.col("subject", "prompt", "rephrase").first())
    result = translate(twice, replace(made, model="gpt-4"))
    assert len(result.rows) == 2
    assert len(server.requests) == 1


def test_a_record_that_never_comes_right_is_asked_n_times_and_listed(server, key, facts, made):
    good = server.answer

    def answer(record, language):
        return "Sorry, no." if record["subject"] == "France 1" else "```json\n" + good(record, language) + "\n```"

    server.answer = answer
    result = translate(facts(3), replace(made, fenced="read"))
    table = assemble(facts(3), result.rows, result.failures)
    (failure,) = result.failures
    assert (failure["split"], failure["case_id"], failure["lang"]) == ("train", 1, "zh")
    assert len(failure["reasons"]) == 3
    assert all("not JSON" in reason for reason in failure["reasons"])
    assert sorted(table["case_id"]) == [0, 0, 2, 2], "the case is left out in every language"
    assert len(server.requests) == 2 + 3
    translate(facts(3), replace(made, fenced="read"))
    assert len(server.requests) == 2 + 3, "nor is it asked again in a second run"


def test_an_answer_that_cannot_be_used_is_asked_again(server, key, facts, made):
    answers = iter(['{"subject": "only"}', None])
    good = server.answer
    server.answer = lambda record, language: next(answers, good(record, language))
    result = translate(facts(1), made)
    assert len(result.rows) == 1
    assert not result.failures
    assert len(server.requests) == 3


def test_missing_answers_without_a_key(server, no_key, facts, made):
    with pytest.raises(UserError, match=r"6 of 6 records .* set OPENAI_API_KEY to ask gpt-3.5-turbo, gpt-4"):
        translate(facts(6), made)
    assert not server.requests


def test_offline_asks_nothing_though_a_key_is_set(server, key, facts, made):
    translate(facts(3).head(2), made)
    with pytest.raises(UserError, match=r"1 of 3 records .* `offline` is set"):
        translate(facts(3), replace(made, offline=True))
    assert len(server.requests) == 2


def test_the_store_holds_what_the_server_said_before_it_is_read(server, key, facts, made):
    server.answer = lambda record, language: "no JSON at all"
    translate(facts(1), replace(made, attempts=1))
    (line,) = (made.store / "answers.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert kept["request"] == server.requests[0]
    assert kept["answer"] == "no JSON at all"
    assert kept["answered_by"] == "gpt-3.5-turbo-0613"
    assert kept["usage"]["total_tokens"] == 15
    assert len(Store(made.store)) == 1


def test_no_facts_in_the_source_language(server, key, facts, made):
    with pytest.raises(UserError, match="no facts in 'fr'; the table's languages are: en"):
        translate(facts(2), replace(made, source="fr"))


@pytest.mark.parametrize("degenerate", ['{"subject": ' + "1" * 5000, "[" * 20_000, "{" * 20_000])
def test_a_degenerate_answer_is_asked_again_and_replayed(server, key, facts, made, degenerate):
    good, said = server.answer, iter([degenerate])
    server.answer = lambda record, language: next(said, None) or good(record, language)
    first = translate(facts(1), made)
    assert len(first.rows) == 1
    assert translate(facts(1), replace(made, offline=True)).rows == first.rows
    assert [len(request["messages"]) for request in server.requests] == [1, 2], "it doesn't go back"


def test_a_question_that_is_given_up_is_listed_and_asked_in_the_next_run(server, key, facts, made):
    def refused(questions, store, settings):
        for question in questions:
            question.give_up("answers 400: too long")

    result = translate(facts(2), made, ask=refused)
    assert [failure["reasons"] for failure in result.failures] == [["answers 400: too long"]] * 2
    assert [question.kinds for question in result.questions] == [["no answer from the server"]] * 2
    assert (result.rows, result.asked) == ([], 0)
    assert len(translate(facts(2), made).rows) == 2


def test_reasons_have_kinds_without_what_is_particular(server, key, facts, made):
    said = iter(["Sorry.", '{"subject": "罗马", "x": "y"}'])
    server.answer = lambda record, language: next(said, None) or json.dumps(record)
    (question,) = translate(facts(1), made).questions
    assert question.kinds == ["not JSON", "keys missing", "keys unknown", CHECKS["untranslated"]]
    assert len(question.reasons) == 3


def test_what_another_run_has_asked_meanwhile_is_not_counted_as_asked_here(server, key, facts, made):
    def after_another(questions, store, settings):
        translate(facts(2), settings)
        live.ask(questions, store, settings)

    result = translate(facts(5), replace(made, model="gpt-4"), ask=after_another)
    assert (result.asked, len(server.requests)) == (3, 5)
