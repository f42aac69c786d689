import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from crossedit.translation.store import Answer, Store, line

REQUEST = {"model": "gpt-4", "messages": [{"role": "user", "content": "你好"}], "temperature": 0}


def test_what_is_put_is_got_by_a_later_store(tmp_path, caplog):
    answer = Answer("早\n上", "stop", {"total_tokens": 3}, "gpt-4-0613")
    Store(tmp_path).put(REQUEST, 1, answer)
    assert Store(tmp_path).get(REQUEST, 1) == answer
    assert not caplog.text


@pytest.mark.parametrize(
    "other",
    [
        {**REQUEST, "model": "gpt-3.5-turbo"},
        {**REQUEST, "temperature": 1},
        {**REQUEST, "messages": [{"role": "user", "content": "您好"}]},
        {**REQUEST, "seed": 0},
    ],
)
def test_another_request_or_attempt_is_not_answered(tmp_path, other):
    store = Store(tmp_path)
    store.put(REQUEST, 1, Answer("早"))
    assert store.get(other, 1) is None
    assert store.get(REQUEST, 2) is None


def test_a_recorded_answer_stands_in_for_every_model(tmp_path):
    recorded = Answer("早", recorded_from="resources/demo/facts")
    (tmp_path / "demo.jsonl").write_text(line({**REQUEST, "model": None}, 1, recorded))
    assert Store(tmp_path).get(REQUEST, 1) == recorded
    assert Store(tmp_path).get({**REQUEST, "model": "gpt-3.5-turbo"}, 1) == recorded
    own = Answer("早上好", answered_by="gpt-4")
    Store(tmp_path).put(REQUEST, 1, own)
    assert Store(tmp_path).get(REQUEST, 1) == own, "a model's own answer goes first"


def test_a_store_cut_at_any_byte_loses_only_the_last_answer(tmp_path, caplog):
    lines = [line({**REQUEST, "seed": n}, 1, Answer(f"答 {n}")) for n in range(3)]
    whole = "".join(f"{text}\n" for text in lines).encode()
    last = whole[:-1].rfind(b"\n") + 1
    path = tmp_path / "answers.jsonl"
    for end in range(last + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            store = Store(tmp_path)
        assert len(store) == 2
        assert "line 3 is no whole answer" in caplog.text
    store.put({**REQUEST, "seed": 2}, 1, Answer("答 2"))
    again = Store(tmp_path)
    assert [again.get({**REQUEST, "seed": n}, 1) for n in range(3)] == [Answer(f"答 {n}") for n in range(3)]


def test_many_threads_and_stores_may_put_at_once(tmp_path):
    def put(number):
        Store(tmp_path).put({**REQUEST, "seed": number}, 1, Answer("x" * 5000))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(40)))
    lines = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert sorted(json.loads(text)["request"]["seed"] for text in lines) == list(range(40))


def test_looking_up_makes_no_folder(tmp_path):
    assert Store(tmp_path / "none").get(REQUEST, 1) is None
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("form", ["json_schema", "json_object"])
def test_the_form_of_the_answer_is_no_part_of_the_question(tmp_path, form):
    Store(tmp_path).put({**REQUEST, "response_format": {"type": form}}, 1, Answer("早"))
    assert Store(tmp_path).get(REQUEST, 1) == Answer("早")


def test_one_asks_at_a_time_and_the_next_gets_what_the_first_has_put(tmp_path, caplog):
    first, second = Store(tmp_path / "store"), Store(tmp_path / "store")
    waiting, done = threading.Event(), []

    def ask():
        waiting.set()
        with second.asking():
            done.append(second.get(REQUEST, 1))

    thread = threading.Thread(target=ask)
    with caplog.at_level(logging.WARNING), first.asking():
        thread.start()
        waiting.wait()
        first.put(REQUEST, 1, Answer("早"))
        thread.join(0.2)
        assert not done
    thread.join()
    assert done == [Answer("早")]
    assert "another run is asking for answers; this one waits" in caplog.text


def test_files_that_have_not_changed_are_not_read_again(tmp_path, caplog):
    store = Store(tmp_path)
    store.put(REQUEST, 1, Answer("早"))
    (tmp_path / "torn.jsonl").write_text('{"request"')
    store = Store(tmp_path)
    caplog.clear()
    with store.asking():
        pass
    assert not caplog.text
