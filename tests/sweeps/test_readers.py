"""Files in the original layouts become items; a mistake in one is one sentence that names place, field and value."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossedit.errors import UserError
from crossedit.sweeps.tasks.conll import read_conll, spans
from crossedit.sweeps.tasks.items import make_items, read_items
from crossedit.sweeps.tasks.readers import READERS
from crossedit.sweeps.tasks.task import Task
from crossedit.tables import ITEMS, read, write

GSM8K = {"question": "How many eggs?", "answer": "2 and 3 are <<2+3=5>>5.\n#### 1,005"}
RTE = {"premise": "A man sleeps.", "hypothesis": "A man rests.", "label": "entailment", "idx": 3}
NQ = {"question": "who sings", "answer": ["Ann", "Bob"], "output": [" Ann sings. ", "Bob hums."]}
BOOLQ = {"question": "is it long", "title": "River", "answer": False, "passage": "The river is short."}
MUTUAL = {"answers": "C", "options": ["m : no .", "m : yes .", 'm : "oh" .', "m : ca n't ."], "article": "f : hi ."}
SAMSUM = {"id": "1", "dialogue": 'Ann: hi\r\nBob: "hey"', "summary": " Ann greets Bob. "}
CONLL = """-DOCSTART- -X- -X- O

Ann NNP I-NP I-PER
Lee NNP I-NP I-PER
, , O O
Bob NNP I-NP I-PER
met VB I-VP O
Rome NNP I-NP I-ORG
Turin NNP I-NP B-ORG
. . O O

Rome NNP I-NP I-LOC
Ann NNP I-NP I-PER
"""


def one(reader: str, path: Path) -> tuple[dict[str, str], list[str]]:
    (item,) = READERS[reader](path)
    return item.fields, item.answers


def test_a_record_of_each_layout(put: Callable[..., Path]) -> None:
    question = {"question": "How many eggs?", "hint": "2 and 3 are <<2+3=5>>5."}
    assert one("gsm8k", put([GSM8K])) == (question, ["1,005"])
    sentences = {"premise": "A man sleeps.", "hypothesis": "A man rests."}
    assert one("rte", put([RTE])) == (sentences, ["true"])
    assert one("rte", put([RTE | {"label": "not_entailment"}])) == (sentences, ["false"])
    passage = {"passage": "Ann sings.", "question": "who sings"}
    assert one("natural_questions", put([NQ])) == (passage, ["Ann", "Bob"])
    contexts = {"question": "who sings", "answers": ["Ann", "Bob"], "ctxs": [{"title": "T", "text": "Ann sings."}]}
    assert one("natural_questions", put([contexts])) == (passage, ["Ann", "Bob"])
    assert one("boolq", put([BOOLQ])) == ({"passage": "The river is short.", "question": "is it long"}, ["no"])
    assert one("boolq", put([BOOLQ | {"answer": True}]))[1] == ["yes"]
    turns = {"article": "f : hi .", "A": "m : no .", "B": "m : yes .", "C": 'm : "oh" .', "D": "m : ca n't ."}
    assert one("mutual", put([MUTUAL])) == (turns, ["C"])
    dialogue = {"dialogue": 'Ann: hi\nBob: "hey"'}
    assert one("samsum", put([SAMSUM])) == (dialogue, ["Ann greets Bob."])
    assert one("samsum", put(json.dumps([SAMSUM]))) == (dialogue, ["Ann greets Bob."])


def test_tables_with_tabs_read_quotation_marks_as_letters(put: Callable[..., Path]) -> None:
    """A reader that pairs them, as the published scripts' does, swallows lines."""
    table = 'sentence\tlabel\n"so bad . \t0\nfine , "really" . \t1\nit "works \t1\n'
    swallowing = list(csv.reader(io.StringIO(table), delimiter="\t"))
    assert len(swallowing) < 4
    items = list(READERS["sst2"](put(table, "sst2.tsv")))
    assert [item.fields["text"] for item in items] == ['"so bad .', 'fine , "really" .', 'it "works']
    assert [item.answers for item in items] == [["negative"], ["positive"], ["positive"]]
    table = 'index\tsentence1\tsentence2\tlabel\n0\tHe said "no.\tHe spoke.\tnot_entailment\n'
    assert one("rte", put(table, "rte.tsv")) == ({"premise": 'He said "no.', "hypothesis": "He spoke."}, ["false"])


def test_mutual_txt_records_are_literals_and_never_run(put: Callable[..., Path], tmp_path: Path) -> None:
    for number, text in ((10, repr(MUTUAL | {"answers": "A"})), (2, json.dumps(MUTUAL)), (1, repr(MUTUAL) + "\n")):
        put(text, f"dev/dev_{number}.txt")
    items = list(READERS["mutual"](tmp_path / "dev"))
    assert [item.answers for item in items] == [["C"], ["C"], ["A"]]
    assert items[1].fields == items[0].fields
    assert [Path(item.where).name for item in items] == ["dev_1.txt", "dev_2.txt", "dev_10.txt"]
    ran = tmp_path / "ran"
    put(f"__import__('pathlib').Path({str(ran)!r}).touch()", "bad/dev_1.txt")
    with pytest.raises(UserError, match=r"dev_1\.txt: neither a JSON object nor a Python dictionary"):
        list(READERS["mutual"](tmp_path / "bad"))
    assert not ran.exists()


def test_columns_become_sentences_with_one_way_of_tagging(put: Callable[..., Path]) -> None:
    first, last = read_conll(put(CONLL, "conll.txt"))
    assert first.text == "Ann Lee, Bob met Rome Turin."
    assert first.tags == ["B-PER", "I-PER", "O", "B-PER", "O", "B-ORG", "B-ORG", "O"]
    assert [spans(first.tokens, first.tags, kind) for kind in ("PER", "ORG", "LOC")] == [
        ["Ann Lee", "Bob"],
        ["Rome", "Turin"],
        [],
    ]
    # The file's end ends its last sentence, and another type begins an entity.
    assert (last.tokens, last.tags) == (["Rome", "Ann"], ["B-LOC", "B-PER"])
    again = CONLL.replace("Bob NNP I-NP I-PER", "Bob NNP I-NP B-PER").replace("Ann NNP I-NP I", "Ann NNP I-NP B")
    assert [sentence.tags for sentence in read_conll(put(again, "iob2.txt"))] == [first.tags, last.tags]


def changed(record: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """A good record, and one with changes; None takes a field away."""
    return [record, {name: value for name, value in {**record, **changes}.items() if value is not None}]


BROKEN = {
    "not JSON": ("boolq", '{"question": "a"}\n{"question" "b"}\n', "items.jsonl:1: lacks `answer`"),
    "not JSON in line 2": ("boolq", json.dumps(BOOLQ) + '\n{"question" "b"}\n', "items.jsonl:2: not JSON"),
    "a list in a line": ("boolq", json.dumps(BOOLQ) + "\n[1]\n", "items.jsonl:2: is a list"),
    "an empty file": ("boolq", "\n \n", "the file is empty"),
    "a field missing": ("boolq", changed(BOOLQ, passage=None), "jsonl:2: lacks `passage`"),
    "an empty text": ("boolq", changed(BOOLQ, passage=" "), "jsonl:2: `passage` is empty"),
    "a text that is none": ("boolq", changed(BOOLQ, question=["a"]), "jsonl:2: `question` is a list"),
    "a number for true": ("boolq", changed(BOOLQ, answer=1), "`answer` is 1; it must be true or false"),
    "a word for true": ("boolq", changed(BOOLQ, answer="yes"), "`answer` is 'yes'; it must be true or false"),
    "no result": ("gsm8k", changed(GSM8K, answer="It is 5."), "must end in '#### ' and the result"),
    "a result that is no number": ("gsm8k", changed(GSM8K, answer="5.\n#### five"), "'#### ' and the result, a number"),
    "another label": ("rte", changed(RTE, label="neutral"), "`label` is 'neutral'; it must be \"entailment\" or"),
    "no accepted answer": (
        "natural_questions",
        changed(NQ, answer=[]),
        "`answer` is a list ([]); it must be a list of",
    ),
    "one answer as text": ("natural_questions", changed(NQ, answer="Ann"), "`answer` is 'Ann'; it must be a list"),
    "an empty answer": ("natural_questions", changed(NQ, answer=["Ann", ""]), "`answer` number 2 is empty"),
    "an answer of another kind": ("natural_questions", changed(NQ, answer=[1]), "`answer` number 1 is 1; it must be"),
    "no passage": ("natural_questions", changed(NQ, output=None), "has no passage; questions are asked about one"),
    "passages of another kind": ("natural_questions", changed(NQ, output=None, ctxs=["a"]), "`ctxs` must be a list of"),
    "a passage without text": (
        "natural_questions",
        changed(NQ, output=None, ctxs=[{"title": "T"}]),
        "`ctxs` number 1: lacks `text`",
    ),
    "three options": ("mutual", changed(MUTUAL, options=["a", "b", "c"]), "`options` are 3; there must be 4"),
    "a letter too far": ("mutual", changed(MUTUAL, answers="E"), "`answers` is 'E'; it must be \"A\" or"),
    "no summary": ("samsum", changed(SAMSUM, summary=""), "jsonl:2: `summary` is empty"),
    "another header": ("sst2", "text\tlabel\nfine\t1\n", "items.jsonl:1: its columns are ['text', 'label'], without"),
    "a column too many": ("sst2", "sentence\tlabel\nfine\t1\nso\tso\t0\n", "items.jsonl:3: 3 columns, but the first"),
    "a label of text": ("sst2", "sentence\tlabel\nfine\tgood\n", "items.jsonl:2: `label` is 'good'"),
    "a header alone": ("sst2", "sentence\tlabel\n", "items.jsonl: has no items"),
    "three columns": ("conll03", "Ann NNP I-NP I-PER\nLee NNP I-PER\n", "items.jsonl:2: 3 columns ('Lee NNP I-PER')"),
    "an unknown tag": ("conll03", "Ann NNP I-NP I-PERS\n", "items.jsonl:1: 'I-PERS' is no entity tag"),
    "documents only": ("conll03", "-DOCSTART- -X- -X- O\n\n", "has no items"),
}


@pytest.mark.parametrize(("reader", "data", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_answered_with_one_sentence(
    put: Callable[..., Path], reader: str, data: Any, says: str
) -> None:
    path = put(data)
    with pytest.raises(UserError) as caught:
        read_items(Task("broken", 1, reader, {}), [path])
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_answered_with_its_neighbour(put: Callable[..., Path]) -> None:
    path = put([BOOLQ])
    with pytest.raises(UserError, match=r"itms\.jsonl: no such file; did you mean 'items\.jsonl'\?"):
        list(READERS["boolq"](path.with_name("itms.jsonl")))


def many(put: Callable[..., Path], count: int) -> Path:
    return put([BOOLQ | {"question": f"is it {number}"} for number in range(count)])


def test_draws_are_the_seeds_and_larger_ones_hold_smaller_ones(
    tasks: dict[str, Task], put: Callable[..., Path]
) -> None:
    path = many(put, 40)
    drawn = {size: make_items(tasks["boolq"], [path], size, seed=1) for size in (1, 10, 20, 40)}
    for size, items in drawn.items():
        assert len(items) == size
        assert items["item"].is_sorted()
        assert items.equals(make_items(tasks["boolq"], [path], size, seed=1))
    for smaller, larger in ((1, 10), (10, 20), (20, 40)):
        assert set(drawn[smaller]["item"]) < set(drawn[larger]["item"])
    assert not make_items(tasks["boolq"], [path], 10, seed=2).equals(drawn[10])
    whole = make_items(tasks["boolq"], [path], None, seed=2)
    assert whole.equals(drawn[40])
    # An item is the same whatever the draw.
    assert drawn[10].equals(whole.filter(whole["item"].is_in(drawn[10]["item"].to_list())))


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_size_that_cannot_be_is_refused(tasks: dict[str, Task], put: Callable[..., Path], size: int) -> None:
    with pytest.raises(UserError, match=rf"size is {size}, but its files have 3 items"):
        make_items(tasks["boolq"], [many(put, 3)], size, seed=0)


def test_several_files_are_one_task(tasks: dict[str, Task], put: Callable[..., Path], tmp_path: Path) -> None:
    one, other = put([BOOLQ], "one.jsonl"), put([BOOLQ, BOOLQ], "other.jsonl")
    items = make_items(tasks["boolq"], [one, other], None, seed=0)
    assert items["item"].to_list() == [0, 1, 2]
    assert [Path(origin).name for origin in items["origin"]] == ["one.jsonl:1", "other.jsonl:1", "other.jsonl:2"]
    write(items, ITEMS, tmp_path / "items.parquet", {"seed": 0})
    assert read(tmp_path / "items.parquet", ITEMS).equals(items)


def test_a_prompt_can_only_ask_for_what_the_reader_gives(tasks: dict[str, Task], put: Callable[..., Path]) -> None:
    task = Task("odd", 1, "samsum", tasks["boolq"].protocols)
    with pytest.raises(UserError, match=r"its prompt asks for \{passage\}, but its reader 'samsum' gives"):
        read_items(task, [put([SAMSUM])])
