"""Parsers and metrics of the published scripts of Gu et al. (2024), faults included, to compare with printed figures.

The scripts decode prompt and generation together and look for the answer behind a cue, so that a cue elsewhere misleads
them; they look for an answer anywhere in the text, so that "1" is found in "18" and "no" in "know". Each function says
what else it does. How the scripts read their files is not imitated: readers lose nothing under either protocol.
"""

from collections.abc import Sequence

from crossedit.sweeps.tasks.metrics import normalised, per_item
from crossedit.sweeps.tasks.said import Answer, Metric, Parser, Said
from crossedit.sweeps.tasks.upstream_rouge import distinct_rouge

# The scripts decode special tokens too, always with GPT-2's tokenizer.
END = "<|endoftext|>"


def _generated(said: Said) -> str:
    return said.whole + END * said.closed


def after_cue(cue: str, place: int) -> Parser:
    """Read the piece number `place` of prompt and generation when split at the cue, 1 or -1 (the last)."""
    return Parser(lambda said: [(said.prompt + _generated(said)).split(cue)[place]])


def labels(choices: Sequence[str], cue: str = "") -> Parser:
    """Read all choices that stand anywhere in the generation, or after the first cue in prompt and generation.

    Single letters are looked for as they are written, and a text with "Chi" (of "Choices") holds none.
    """
    cased = all(len(name) == 1 for name in choices)

    def parse(said: Said) -> Answer:
        text = (said.prompt + _generated(said)).split(cue)[1] if cue else _generated(said)
        if cased and "Chi" in text:
            return None
        return [name for name in choices if name in (text if cased else text.lower())] or None

    return Parser(parse)


def summary() -> Parser:
    """Read what follows the last "DR:" without its last 13 characters, meant to be the end token.

    A generation that reached its limit has no end token and loses 13 characters of its own. A single character that is
    left is no answer.
    """

    def parse(said: Said) -> Answer:
        text = (said.prompt + _generated(said)).split("DR:")[-1][: -len(END)]
        return [text] if len(text) > 1 else None

    return Parser(parse)


def found_in(said: Sequence[Said], answers: Sequence[Answer]) -> list[tuple[float, float]]:
    """Give 1 where a wanted text is anywhere in the answer."""
    return [
        (float(any(wanted in text for text in answer or [] for wanted in one.wanted)), 1.0)
        for one, answer in zip(said, answers, strict=True)
    ]


def among(said: Sequence[Said], answers: Sequence[Answer]) -> list[tuple[float, float]]:
    """Give 1 where the wanted label is among those found: both labels together are right too."""
    return [(float(one.wanted[0] in (answer or [])), 1.0) for one, answer in zip(said, answers, strict=True)]


def each_among(said: Sequence[Said], answers: Sequence[Answer]) -> list[tuple[float, float]]:
    """Like `among`, but both labels together count as two items, one right and one wrong."""
    right = [gained for gained, _ in among(said, answers)]
    return [(gained, float(len(answer or [""]))) for gained, answer in zip(right, answers, strict=True)]


def spans_of_words(said: Sequence[Said], answers: Sequence[Answer]) -> list[tuple[float, float]]:
    """Count the places where words of the answer, in a row, are a wanted answer.

    The answer is all that follows the last "Answer:", for want of which it is prompt and generation together. A first
    or last word that matches counts once and ends the search. Elsewhere each single word that matches counts; a longer
    match counts and ends it. A flag that is never set back keeps, from the first longer match of a run on, every later
    item to matches that start at its first word that isn't one by itself. So the counts depend on the items' order.
    """
    flag = False
    counts = []
    for one, answer in zip(said, answers, strict=True):
        words = normalised((answer or [""])[0].replace("\n", " ")).split(" ")
        wanted = [normalised(text).split(" ") for text in one.wanted]
        count = 0
        if [words[0]] in wanted or [words[-1]] in wanted:
            counts.append((1.0, 1.0))
            continue
        for start in range(len(words) - 1):
            if [words[start]] in wanted:
                count += 1
                continue
            if any(len(span) > 1 and words[start : start + len(span)] == span for span in wanted):
                count += 1
                flag = True
            if flag:
                break
        counts.append((float(count), 1.0))
    return counts


def entity_hits(said: Sequence[Said], answers: Sequence[Answer]) -> list[tuple[float, float]]:
    """Count the wanted names that stand anywhere in the answer, of those wanted: a recall, although called F1.

    An item without a name of the type counts only where the answer is empty, as a hit; and, for Miscellaneous alone,
    where it isn't, as a miss.
    """
    counts = []
    for one, answer in zip(said, answers, strict=True):
        text = (answer or [""])[0]
        hits = sum(name in text for name in one.wanted)
        if one.wanted:
            counts.append((float(hits), float(len(one.wanted))))
        else:
            counts.append((float(not text), float(not text or one.part == "Miscellaneous")))
    return counts


def spans_until_o(tokens: Sequence[str], tags: Sequence[str], kind: str) -> list[str]:
    """Return a type's entities as each start up to the next O: what touches it is merged in.

    At the end of a sentence there is no O, and the last token is lost; of an entity of one token "" is left.
    """
    found = []
    place = 0
    while place < len(tags):
        if tags[place] == f"B-{kind}":
            stop = next((at for at in range(place, len(tags)) if tags[at] == "O"), len(tags) - 1)
            found.append(" ".join(tokens[place:stop]))
            place = stop
        place += 1
    return found


PARSERS = {
    "upstream_number": lambda _: after_cue("Therefore, the answer (arabic numerals) is:", 1),
    "upstream_labels": labels,
    "upstream_labels_after_cue": lambda choices: labels(choices, "answer:"),
    "upstream_open_answer": lambda _: after_cue("Answer:", -1),
    "upstream_summary": lambda _: summary(),
    "upstream_entities": lambda _: after_cue("Entity:", 1),
}

METRICS: dict[str, Metric] = {
    "upstream_found_in": found_in,
    "upstream_among": among,
    "upstream_each_among": each_among,
    "upstream_spans": spans_of_words,
    "upstream_rouge": per_item(distinct_rouge),
    "upstream_entity_hits": entity_hits,
}
