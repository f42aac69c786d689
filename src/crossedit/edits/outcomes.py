"""What came of an edit, answer by answer: right, or one of the ways of being wrong.

    outcome("reliability", after="San", target="San Marino", before="Monaco", lang="en")     -> "missing"

KnowEdit (Zhang et al., A Comprehensive Study of Knowledge Editing for Large Language Models) names four types of errors
without saying how they are told; these rules do, and the first that fits counts:

    right         the target itself, as exact match has it; of locality, the answer before the edit
    changed       of locality, any other answer
    unchanged     still the answer before the edit: what is wrong with it isn't the edit's doing
    meaningless   nothing is said: no words but marks or function words, or the same again and again
    missing       words of the target in their order and no others, but not all of them
    partial       words of the target beside others, as where some of it is replaced by some of the answer before
    irrelevant    no part of the target

Words are compared without case and punctuation, and function words (known of some languages) count for nothing beside
others. In scripts that put no space between words, a Chinese character is a word; that two answers share a single one,
as 亚洲 and 非洲 do, makes neither a part of the other, unless the rest is of the answer before the edit. Of other such
scripts four letters in a row are taken for a word.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from crossedit.edits.metrics import exact_match
from crossedit.facts.languages import SCRIPTS
from crossedit.translation.words import spans, unspaced

RIGHT, CHANGED, UNCHANGED = "right", "changed", "unchanged"
ERRORS = ("meaningless", "missing", "partial", "irrelevant")  # KnowEdit's types

_RUN = 4  # letters that are taken for a word in scripts of sounds without spaces
_OFTEN = 3  # how often a text's words stand in it on average if it only repeats itself
_STUTTER = re.compile(r"(.{1,4}?)\1{3,}")  # a word that is a few letters again and again
_FUNCTION_WORDS = {
    lang: frozenset(words.split())
    for lang, words in {
        "en": "a an the of in on at to for by with from as and or is was are were be been it its this that",
        "zh": "的 了 是 在 着 吗 呢 吧 与 或 被 这 它 他 她 我 你 们",
        "de": "der die das den dem des ein eine einen einem einer eines und oder von vom in im am an auf zu zum zur "
        "mit für aus bei als ist war sind es",
        "fr": "le la les l un une des du de d et ou à au aux en dans sur pour par avec est était il elle c ce",
        "es": "el la los las un una unos unas y e o de del a al en con por para es era fue",
        "it": "il lo la i gli le un uno una e o di del della dei delle a al alla in nel nella con per da è era",
        "pt": "o a os as um uma e ou de do da dos das em no na nos nas com por para é era foi",
        "nl": "de het een en of van in op aan te bij met voor uit is was zijn",
        "ru": "и или в во на с со из к о от по для у это был была было",
    }.items()
}


class _Said(NamedTuple):
    """The words of a text."""

    words: tuple[str, ...]
    content: tuple[str, ...]  # without function words and stutter
    parts: frozenset[str]  # what shows by itself what it is part of: words, or two neighbouring Chinese characters

    @property
    def repeats(self) -> bool:
        """Whether it says the same again and again."""
        return len(self.words) >= _OFTEN and len(set(self.words)) * _OFTEN <= len(self.words)


def outcome(aspect: str, after: str, target: str, before: str, lang: str) -> str:
    """Return what came of an edit in one answer, `after`, given in the language; see above for the rules."""
    if aspect == "locality":
        return RIGHT if exact_match(after, before) else CHANGED
    if exact_match(after, target):
        return RIGHT
    if exact_match(after, before):
        return UNCHANGED
    if not _said(target, lang).content:
        lang = ""  # function words are the content of this target
    said, wanted, known = (_said(text, lang) for text in (after, target, before))
    if said.repeats or not said.content:
        return "meaningless"
    shared = set(said.content) & set(wanted.content)
    nothing_else, all_of_it = shared == set(said.content), bool(shared) and shared == set(wanted.content)
    if nothing_else and len(said.words) < len(wanted.words) and _in_order(said.content, wanted.content):
        return "missing"
    replaced = shared and set(said.content) & set(known.content) - shared
    if nothing_else or all_of_it or replaced or said.parts & wanted.parts:
        return "partial"
    return "irrelevant"


def _in_order(some: Sequence[str], every: Sequence[str]) -> bool:
    left = iter(every)
    return all(word in left for word in some)


@lru_cache(maxsize=1 << 16)
def _said(text: str, lang: str) -> _Said:
    functions = _FUNCTION_WORDS.get(lang, frozenset())
    words: list[str] = []
    content: list[str] = []
    parts: set[str] = set()
    for kind, run in _runs(unicodedata.normalize("NFKC", text).casefold()):
        if kind == "sounds":
            joined = "".join(run)
            run = [joined[start : start + _RUN] for start in range(max(1, len(joined) - _RUN + 1))]
        words += run
        run = [word for word in run if word not in functions and not (word.isalpha() and _STUTTER.fullmatch(word))]
        content += run
        parts.update(map("".join, pairwise(run)) if kind == "characters" and len(run) > 1 else run)
    return _Said(tuple(words), tuple(content), frozenset(parts))


def _runs(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what follows each other without a space or mark: words one by one, Chinese characters, other letters."""
    found = ((text[start:end], start, end) for start, end in spans(text) if text[start].isalnum())
    kind, run, last = "words", list[str](), 0
    for word, start, end in found:
        now = "words" if not unspaced(word[0]) else "characters" if SCRIPTS["han"].match(word) else "sounds"
        if run and (now == "words" or now != kind or start != last):
            yield kind, run
            run = []
        # The dot of `.at` makes a name of it.
        run.append(f".{word}" if f" {text[:start]}".endswith(" .") else word)
        kind, last = now, end
    if run:
        yield kind, run
