"""ROUGE as the package `rouge` 1.0.1 counts it, with which the published summaries were scored.

It differs much from rouge-score. Words are what stands between spaces, with their case and punctuation; a full stop
ends a sentence wherever it stands; n-grams and words count once however often they occur; ROUGE-L counts the different
words of the longest common subsequences of all pairs of sentences.
"""

from collections.abc import Sequence


def distinct_rouge(answer: str, wanted: Sequence[str]) -> float:
    """Return the mean of the F1 of ROUGE-1, ROUGE-2 and ROUGE-L with the first of `wanted`; 0 for an empty answer."""
    said, right = _sentences(answer), _sentences(wanted[0])
    words = [[word for sentence in text for word in sentence] for text in (said, right)]
    one, two = ([set(zip(*(text[start:] for start in range(n)), strict=False)) for text in words] for n in (1, 2))
    common = {word for left in right for other in said for word in _common(left, other)}
    overlaps = (len(one[0] & one[1]), len(two[0] & two[1]), len(common))
    sizes = ((len(one[0]), len(one[1])), (len(two[0]), len(two[1])), (len(one[0]), len(one[1])))
    return sum(_f1(overlap, *size) for overlap, size in zip(overlaps, sizes, strict=True)) / 3


def _sentences(text: str) -> list[list[str]]:
    return [" ".join(sentence.split()).split(" ") for sentence in text.split(".") if sentence]


def _f1(overlap: int, given: int, wanted: int) -> float:
    precision, recall = overlap / max(given, 1), overlap / max(wanted, 1)
    return 2 * precision * recall / (precision + recall + 1e-8)


def _common(one: Sequence[str], other: Sequence[str]) -> set[str]:
    """Return the words of a longest common subsequence; of several, the one that the package finds."""
    length = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            length[i + 1][j + 1] = length[i][j] + 1 if left == right else max(length[i][j + 1], length[i + 1][j])
    found = set()
    i, j = len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            i, j = i - 1, j - 1
            found.add(one[i])
        elif length[i - 1][j] > length[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return found
