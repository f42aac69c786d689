"""The form that a server is asked to answer in."""

import json
from dataclasses import replace

import pytest
from server import Reply

from crossedit.errors import UserError
from crossedit.translation.asking import client
from crossedit.translation.translate import translate

pytestmark = pytest.mark.usefixtures("quick")


def test_a_strict_schema_of_the_records_keys_is_asked_for(server, key, facts, made):
    translate(facts(1), made)
    (sent,) = server.requests
    wished = sent["response_format"]["json_schema"]
    assert wished["strict"] is True
    keys = ["subject", "prompt", "target", "original", "rephrase"]
    assert wished["schema"] == {
        "type": "object",
        "properties": {name: {"type": "string"} for name in keys},
        "required": keys,
        "additionalProperties": False,
    }
    kept = json.loads((made.store / "answers.jsonl").read_text())
    assert kept["request"] == sent


def forms(server):
    return [request.get("response_format", {}).get("type", "text") for request in server.requests]


@pytest.mark.parametrize("known", [("text", "json_object"), ("text",)])
def test_a_server_is_asked_for_the_strictest_form_that_it_knows(server, key, facts, made, known, caplog, monkeypatch):
    monkeypatch.setattr(client, "TRIES", 1)
    server.known_forms = known
    result = translate(facts(4), replace(made, concurrency=1, model="gpt-4"))
    assert len(result.rows) == 4
    steps = client.FORMS[: client.FORMS.index(known[-1])]
    assert forms(server) == [*steps, *[known[-1]] * 4]
    (warning,) = caplog.messages
    assert f"gpt-4 knows no json_schema; it is asked for {known[-1]}" in warning
    kept = [json.loads(line)["request"] for line in (made.store / "answers.jsonl").read_text().splitlines()]
    assert kept == server.requests[len(steps) :], "what is stored is what was sent"
    assert translate(facts(4), replace(made, model="gpt-4", offline=True)).rows == result.rows


def test_each_model_is_asked_for_its_own_form(server, key, facts, made):
    server.known_forms = ("text",)
    translate(facts(6), replace(made, concurrency=1))
    assert forms(server).count("json_schema") == 2, "once by the model of each split"


def test_a_refusal_of_everything_is_none_of_the_form(server, key, facts, made):
    server.troubles = [Reply(400, {"error": {"message": "too long"}})] * 9
    with pytest.raises(UserError, match="answers 400: too long"):
        translate(facts(1), made)
    assert forms(server) == ["json_schema", "json_object", "text"]


def test_a_form_that_is_named_is_the_only_one(server, key, facts, made):
    server.known_forms = ("text",)
    with pytest.raises(UserError, match="answers 400: response_format json_object is not known"):
        translate(facts(1), replace(made, response_format="json_object"))
    translate(facts(1), replace(made, response_format="text"))
    assert forms(server) == ["json_object", "text"]


def test_json_object_is_passed_over_where_the_messages_do_not_say_json(server, key, facts, made, tmp_path):
    server.known_forms = ("text", "json_object")
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("From {source} to {target}, keeping the keys: {record}", encoding="utf-8")
    translate(facts(1), replace(made, prompt=prompt))
    assert forms(server) == ["json_schema", "text"]
