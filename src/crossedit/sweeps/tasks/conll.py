"""Files in CoNLL columns, and the named entities in their tags.

for sentence in read_conll(path): sentence.tokens, sentence.tags        tags as IOB2
spans(tokens, tags, "PER")                                              ["Van der Vegt", …]
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossedit.errors import UserError
from crossedit.sweeps.tasks.reading import lines

TYPES = ("PER", "LOC", "ORG", "MISC")
_DOCUMENT = "-DOCSTART-"


@dataclass(frozen=True)
class Sentence:
    """Tokens and one tag each (O, B-TYPE at the start of an entity, I-TYPE inside it); `where` its first line is."""

    where: str
    tokens: list[str]
    tags: list[str]

    @property
    def text(self) -> str:
        """The tokens with spaces between them, but for commas and full stops (the published scripts' way)."""
        joined = "".join(token if token in (",", ".") else f" {token}" for token in self.tokens)
        return joined.removeprefix(" ")


def read_conll(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a file whose lines are a token, further columns and a tag in IOB1 or IOB2.

    An empty line ends a sentence; -DOCSTART- lines are none. Raises UserError where a line has another form.
    """
    tokens: list[str] = []
    tags: list[str] = []
    start = ""
    for where, line in lines(path, blank=True):
        columns = line.split()
        if columns and columns[0] != _DOCUMENT:
            if len(columns) != 4:
                raise UserError(
                    f"{where}: {len(columns)} columns ('{line[:40]}'); there must be four: token, part of "
                    "speech, chunk and entity tag."
                )
            start = start or where
            tokens.append(columns[0])
            tags.append(_begun(columns[3], tags[-1] if tags else "O", where))
        elif tokens:
            yield Sentence(start, tokens, tags)
            tokens, tags, start = [], [], ""
    if tokens:
        yield Sentence(start, tokens, tags)


def _begun(tag: str, before: str, where: str) -> str:
    """Return the tag in IOB2, in which each entity starts with B-."""
    if tag == "O":
        return tag
    mark, dash, kind = tag.partition("-")
    if mark not in ("B", "I") or not dash or kind not in TYPES:
        raise UserError(f"{where}: '{tag}' is no entity tag; it must be O, or B- or I- with {', '.join(TYPES)}.")
    inside = mark == "I" and before != "O" and before[2:] == kind
    return f"{'I' if inside else 'B'}-{kind}"


def spans(tokens: Sequence[str], tags: Sequence[str], kind: str) -> list[str]:
    """Return the different entities of a type, each as its tokens with spaces between, in order."""
    found: list[list[str]] = []
    for token, tag in zip(tokens, tags, strict=True):
        if tag == f"B-{kind}":
            found.append([token])
        elif tag == f"I-{kind}":
            found[-1].append(token)
    return list(dict.fromkeys(" ".join(span) for span in found))
