import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossedit.errors import UserError
from crossedit.translation import records, store
from crossedit.translation.store import Answer, Store, line
from crossedit.translation.translate import translate

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
        store = Store(tmp_path)
        assert len(store) == 2
    store.put({**REQUEST, "seed": 2}, 1, Answer("答 2"))
    again = Store(tmp_path)
    assert [again.get({**REQUEST, "seed": n}, 1) for n in range(3)] == [Answer(f"答 {n}") for n in range(3)]


def test_half_a_line_is_told_of_once_and_only_where_something_is_asked(tmp_path, caplog):
    (tmp_path / "answers.jsonl").write_bytes(line(REQUEST, 1, Answer("早")).encode()[:-4])
    store = Store(tmp_path)
    assert not caplog.text
    with store.asking():
        assert "answers.jsonl: line 1, the last, is no whole answer; it is asked again" in caplog.text
        store.put(REQUEST, 1, Answer("早"))
    caplog.clear()
    with Store(tmp_path).asking():
        assert not caplog.text


def edited(change):
    """A line of the store, after a change by hand."""
    kept = json.loads(line(REQUEST, 1, Answer("早", usage={"total_tokens": 3})))
    change(kept)
    return json.dumps(kept, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (edited(lambda kept: kept.update(note="looks fine")), 2),
        (edited(lambda kept: kept.update(answer={"subject": "法国"})), 2),
        (edited(lambda kept: kept.update(usage="3")), 2),
        (edited(lambda kept: kept.update(attempt="1")), 2),
        (edited(lambda kept: kept["request"].update(messages=[])), 2),
        (edited(lambda kept: kept.pop("answer")), 2),
        (json.dumps(json.loads(edited(dict)), indent=1).encode(), 3),
        (edited(dict).decode().encode("utf-16"), 2),
        (edited(dict).decode().encode("gbk"), 2),
        (b'{"request": 1}', 2),
        (b"[" * 100_000, 2),
        (b"\x00" * 9, 2),
    ],
    ids=["key", "object", "usage", "attempt", "messages", "lacks", "indented", "utf-16", "gbk", "int", "deep", "nul"],
)
def test_a_line_that_was_changed_by_hand_is_not_paid_for_again(tmp_path, content, number):
    path = tmp_path / "answers.jsonl"
    path.write_bytes(line({**REQUEST, "seed": 0}, 1, Answer("好")).encode() + b"\n" + content + b"\n")
    with pytest.raises(UserError, match=rf"answers.jsonl: line {number} is no answer as they are written there"):
        Store(tmp_path)


def test_what_an_editor_does_to_ends_of_lines_means_nothing(tmp_path):
    text = line(REQUEST, 1, Answer("早"))
    (tmp_path / "answers.jsonl").write_bytes(f"\ufeff{text}\r\n\r\n".encode())
    assert Store(tmp_path).get(REQUEST, 1) == Answer("早")


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


def test_one_asks_at_a_time_and_the_next_gets_what_the_first_has_put(tmp_path, logged):
    first, second = Store(tmp_path / "store"), Store(tmp_path / "store")
    done = []
    waits = logged(store.log, "another run is asking for answers; this one waits")

    def ask():
        with second.asking():
            done.append(second.get(REQUEST, 1))

    thread = threading.Thread(target=ask)
    with first.asking():
        thread.start()
        assert waits.wait(60)
        first.put(REQUEST, 1, Answer("早"))
        thread.join(0.2)
        assert not done
    thread.join()
    assert done == [Answer("早")]


def test_files_that_have_not_changed_are_not_read_again(tmp_path):
    path = tmp_path / "demo.jsonl"
    path.write_text(line(REQUEST, 1, Answer("早")))
    store = Store(tmp_path)
    path.write_bytes(b"?" * path.stat().st_size)
    with store.asking():
        assert store.get(REQUEST, 1) == Answer("早")


def test_a_later_attempt_is_the_same_whatever_was_said_in_between(tmp_path):
    talks = [records.again(REQUEST, said, reason, "zh") for said, reason in (("Sorry.", "not JSON"), ("", "no text"))]
    store = Store(tmp_path)
    store.put(talks[0], 2, Answer("早"))
    assert Store(tmp_path).get(talks[1], 2) == Answer("早")
    assert json.loads((tmp_path / "answers.jsonl").read_text())["request"] == talks[0], "it is kept as it was sent"
    assert store.get(talks[1], 1) is store.get(talks[1], 3) is None
    assert store.get({**talks[1], "model": "gpt-3.5-turbo"}, 2) is None


def test_a_store_that_cannot_be_written_says_so_before_anything_is_asked(server, key, facts, made):
    made.store.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"answers.jsonl: can't be written \(.*\); what was answered before is kept"):
        translate(facts(1), made)
    assert not server.requests


def test_a_file_that_cannot_be_opened(tmp_path):
    store = Store(tmp_path)
    path = tmp_path / "answers.jsonl"
    path.symlink_to(tmp_path / "none" / "answers.jsonl")
    with pytest.raises(UserError, match=r"answers.jsonl: can't be written \(No such file"), store.asking():
        pass
    with pytest.raises(UserError, match=r"answers.jsonl: can't be read \(No such file"):
        Store(tmp_path)
    path.unlink()
    with store.asking():
        store.put(REQUEST, 1, Answer("早"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device here that is always full")
def test_a_full_disk_ends_a_run_with_a_sentence(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "answers.jsonl").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"answers.jsonl: can't be written \(No space left on device\); what was"):
        store.put(REQUEST, 1, Answer("早"))
    assert store.get(REQUEST, 1) is None
