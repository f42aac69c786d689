"""What people changed in the machine's texts: how much, which pieces, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import polars as pl

from crossedit.translation.words import spans

# How sacreBLEU cuts texts: as it does Chinese, by characters where words.py does, else as for English.
_TOKENIZERS = {"zh": "zh"} | dict.fromkeys(("bo", "ja", "km", "lo", "my", "th"), "char")
_ORDER = 4  # BLEU's longest n-grams, in tokens

NOTHING = "there is no text to compare"
TOO_SHORT = f"no text has {_ORDER} tokens"


@dataclass(frozen=True)
class Change:
    """A field that has another text than the machine's, which somebody's judgement put there."""

    case_id: int
    lang: str
    field: str
    source: str
    machine: str
    corrected: str
    notes: tuple[str, ...]  # why, in the words of those whose text it is


def changes(corrections: pl.DataFrame) -> list[Change]:
    """Return the changes that stand in a CORRECTIONS table, in its order."""
    stand = corrections.filter(pl.col("stands") & (pl.col("corrected") != pl.col("machine")))
    names = ("case_id", "lang", "field", "source", "machine", "corrected")
    return [
        Change(
            **words.select(names).row(0, named=True),
            notes=tuple(words["note"].drop_nulls().unique(maintain_order=True)),
        )
        for words in stand.partition_by("split", "case_id", "lang", "field", maintain_order=True)
    ]


def likeness(machine: Sequence[str], corrected: Sequence[str], lang: str) -> dict[str, Any]:
    """Return how like the machine's texts are to the corrected ones, 0 to 100, as JSON values.

    texts: their number. chrf: chrF2 (Popović 2015, chrF: character n-gram F-score for automatic MT evaluation). bleu:
    BLEU (Papineni et al. 2002) with n-grams of up to 4 tokens, cut by `tokenizer`; both of the whole corpus, as
    sacreBLEU computes them, whose signatures say how. undefined: by the name of each that is None, why it has no value.
    """
    from sacrebleu.metrics import BLEU, CHRF

    tokenizer = _TOKENIZERS.get(lang, "13a")
    found: dict[str, Any] = {"texts": len(machine), "chrf": None, "bleu": None, "tokenizer": tokenizer}
    if not machine:
        return found | {"signatures": {}, "undefined": {"chrf": NOTHING, "bleu": NOTHING}}
    chrf, bleu = CHRF(), BLEU(tokenize=tokenizer, max_ngram_order=_ORDER)
    found["chrf"] = round(chrf.corpus_score(machine, [corrected]).score, 2)
    score = bleu.corpus_score(machine, [corrected])
    signatures = {"chrf": str(chrf.get_signature()), "bleu": str(bleu.get_signature())}
    if score.totals[-1] == 0:
        return found | {"signatures": signatures, "undefined": {"bleu": TOO_SHORT}}
    return found | {"bleu": round(score.score, 2), "signatures": signatures, "undefined": {}}


def typical(changed: Iterable[Change], most: int = 10) -> list[dict[str, Any]]:
    """Return the pieces of text that are replaced in most fields, most frequent first, as JSON values.

    Each has the machine's piece, what stands there now (either may be empty), the number of fields, all notes on them,
    and the first field as an example.
    """
    fields: dict[tuple[str, str], list[Change]] = {}
    for change in changed:
        for piece in dict.fromkeys(pieces(change.machine, change.corrected)):
            fields.setdefault(piece, []).append(change)
    frequent = sorted(fields.items(), key=lambda item: -len(item[1]))
    return [
        {
            "machine": machine,
            "corrected": corrected,
            "fields": len(its),
            "notes": list(dict.fromkeys(note for change in its for note in change.notes)),
            "example": {
                name: getattr(its[0], name) for name in ("case_id", "lang", "field", "source", "machine", "corrected")
            },
        }
        for (machine, corrected), its in frequent[:most]
    ]


def pieces(machine: str, corrected: str) -> Iterator[tuple[str, str]]:
    """Yield what was replaced by what, in whole words; in scripts without spaces in letters.

    A single letter between two changes doesn't part them: a name that is spelt anew may keep one of the old.
    """
    before, after = spans(machine), spans(corrected)
    matcher = SequenceMatcher(None, _texts(machine, before), _texts(corrected, after), autojunk=False)
    edits: list[list[int]] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        if edits and len(_piece(machine, before, edits[-1][1], i1)) == 1:
            edits[-1][1], edits[-1][3] = i2, j2
        else:
            edits.append([i1, i2, j1, j2])
    for i1, i2, j1, j2 in edits:
        yield _piece(machine, before, i1, i2), _piece(corrected, after, j1, j2)
    if not edits and machine != corrected:
        yield machine, corrected  # other spaces between the same words


def _texts(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    return [text[begin:end] for begin, end in places]


def _piece(text: str, places: Sequence[tuple[int, int]], begin: int, end: int) -> str:
    return text[places[begin][0] : places[end - 1][1]] if begin < end else ""
