"""The original files of the eight data sets become items: what prompts are filled with, and what is right.

    for item in READERS["boolq"](path): item.fields, item.answers

Readers lose nothing: every record of a file is an item, or the file is refused with one sentence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossedit.errors import UserError
from crossedit.sweeps.tasks.conll import read_conll
from crossedit.sweeps.tasks.parsers import number
from crossedit.sweeps.tasks.reading import Record, json_records, literal_record, numbered, tab_records

LETTERS = ("A", "B", "C", "D")


@dataclass(frozen=True)
class Item:
    """One record. fields: texts by the names that prompts use; answers: what is right, any of them."""

    where: str
    fields: dict[str, str]
    answers: list[str]


def gsm8k(path: Path) -> Iterator[Item]:
    """GSM8K: jsonl of question and answer, the worked solution with the result after "#### "."""
    for record in json_records(path):
        solution = record.text("answer")
        hint, mark, result = solution.partition("#### ")
        if not mark or number(result) is None:
            raise UserError(
                f"{record.where}: `answer` ends in {solution[-30:]!r}; it must end in '#### ' and the result, a number."
            )
        yield Item(record.where, {"question": record.text("question"), "hint": hint.strip()}, [result])


def rte(path: Path) -> Iterator[Item]:
    """RTE: SuperGLUE's jsonl of premise, hypothesis and label, or GLUE's table of sentence1, sentence2 and label."""
    columns = {"sentence1": "premise", "sentence2": "hypothesis", "label": "label"}
    for record in tab_records(path, columns) if path.suffix == ".tsv" else json_records(path):
        label = record.one_of("label", {"entailment": "true", "not_entailment": "false"})
        yield Item(record.where, {name: record.text(name) for name in ("premise", "hypothesis")}, [label])


def natural_questions(path: Path) -> Iterator[Item]:
    """Natural Questions with passages: jsonl of question, answer (or answers) and output (texts) or ctxs (with text).

    The first passage is the one that counts.
    """
    for record in json_records(path):
        answers = record.texts("answers" if "answers" in record.values else "answer")
        yield Item(record.where, {"passage": _passage(record), "question": record.text("question")}, answers)


def _passage(record: Record) -> str:
    if "output" in record.values:
        return record.texts("output")[0]
    if "ctxs" not in record.values:
        raise UserError(
            f"{record.where}: has no passage; questions are asked about one, so name a file with `output` (a list of "
            "passages) or `ctxs` (a list of objects with `text`)."
        )
    passages = record.get("ctxs")
    if not isinstance(passages, list) or not passages or not isinstance(passages[0], dict):
        raise UserError(f"{record.where}: `ctxs` must be a list of at least one object with `text`.")
    return Record(f"{record.where}, `ctxs` number 1", passages[0]).text("text")


def boolq(path: Path) -> Iterator[Item]:
    """BoolQ: jsonl of question, passage and answer, true or false."""
    for record in json_records(path):
        answer = record.one_of("answer", {True: "yes", False: "no"})
        yield Item(record.where, {name: record.text(name) for name in ("passage", "question")}, [answer])


def mutual(path: Path) -> Iterator[Item]:
    """MuTual: a folder of txt files, each one record of article, options and answers (a letter); or jsonl of them."""
    records = map(literal_record, numbered(path, "*.txt")) if path.is_dir() else json_records(path)
    for record in records:
        options = record.texts("options")
        if len(options) != len(LETTERS):
            raise UserError(f"{record.where}: `options` are {len(options)}; there must be {len(LETTERS)}.")
        answer = record.one_of("answers", {letter: letter for letter in LETTERS})
        fields = {"article": record.text("article"), **dict(zip(LETTERS, options, strict=True))}
        yield Item(record.where, fields, [answer])


def samsum(path: Path) -> Iterator[Item]:
    """SAMSum: a JSON list, or jsonl, of dialogue and summary."""
    for record in json_records(path):
        yield Item(record.where, {"dialogue": record.text("dialogue")}, [record.text("summary")])


def conll03(path: Path) -> Iterator[Item]:
    """CoNLL-2003: columns of token, part of speech, chunk and entity tag. The answers are one IOB2 tag per token."""
    for sentence in read_conll(path):
        yield Item(sentence.where, {"sentence": sentence.text, "tokens": " ".join(sentence.tokens)}, sentence.tags)


def sst2(path: Path) -> Iterator[Item]:
    """SST-2: GLUE's table of sentence and label, 1 or 0."""
    for record in tab_records(path, {"sentence": "text", "label": "label"}):
        label = record.one_of("label", {"1": "positive", "0": "negative"})
        yield Item(record.where, {"text": record.text("text")}, [label])


READERS: dict[str, Callable[[Path], Iterator[Item]]] = {
    "gsm8k": gsm8k,
    "rte": rte,
    "natural_questions": natural_questions,
    "boolq": boolq,
    "mutual": mutual,
    "samsum": samsum,
    "conll03": conll03,
    "sst2": sst2,
}
