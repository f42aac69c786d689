"""The paired comparisons of cells, and looking one up.

known = Comparisons(frame)                         COMPARISONS, or some rows of them
known.find(Of(facts, backbone, "editors", "reliability", protocol, "em"), first, second)      -> Comparison, or None
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import polars as pl

from crossedit import UNEDITED
from crossedit.facts.languages import is_language
from crossedit.reports.naming import MEANS
from crossedit.reports.sheets import Shown, bounds, in_percent
from crossedit.reports.sweeps import SIGNIFICANT, Change
from crossedit.tables import COMPARISONS

STARS = {0.001: "***", 0.01: "**", SIGNIFICANT: "*"}  # for an adjusted p below
LEGEND = (
    "Of a paired permutation test over facts, after Holm's correction: * p < .05, ** p < .01, *** p < .001. The test "
    "is exact where differences are of one size, as those of exact matches are; else of 9,999 random flips of their "
    "signs, or Hoeffding's bound where none of these comes as far."
)


class Of(NamedTuple):
    """What kind of comparison it is, and of what."""

    facts: str
    backbone: str
    between: str  # editors, asked_in or edited_in
    aspect: str
    protocol: str
    metric: str


class Side(NamedTuple):
    """What is compared."""

    editor: str
    edit_lang: str
    lang: str  # or `others`


class Comparison(NamedTuple):
    """By how much the mean of the first lies above that of the second."""

    difference: float  # -1 to 1
    low: float  # 95 % interval; NaN where there is none
    high: float
    effect: float | None  # d_z; None where all facts differ by as much
    p: float
    p_adjusted: float  # after Holm's correction for the family's comparisons
    family: int  # how many these are
    n: int  # facts

    @property
    def significant(self) -> bool:
        """Whether chance would hardly do as much, all comparisons of the family being looked at."""
        return self.p_adjusted < SIGNIFICANT

    @property
    def stars(self) -> str:
        """One to three stars, or none."""
        return next((stars for bound, stars in STARS.items() if self.p_adjusted < bound), "")

    @property
    def text(self) -> str:
        """The difference in points with its stars."""
        return points(self.difference) + self.stars

    @property
    def beside(self) -> str:
        """Its effect size and how likely chance does as much."""
        effect = "" if self.effect is None else f"d_z {self.effect:.2f}, "
        return f"{effect}{said_p(self, 'comparisons')}"

    def shown(self, name: str) -> Shown:
        """Return it as a part of a cell, in points."""
        ends = bounds(self.low, self.high)
        return Shown(self.text, "", name, in_percent(self.difference), *ends, self.n, self.beside)

    @property
    def turned(self) -> "Comparison":
        """The second beside the first."""
        effect = None if self.effect is None else -self.effect
        return self._replace(difference=-self.difference, low=-self.high, high=-self.low, effect=effect)


class Comparisons:
    """COMPARISONS by what is compared."""

    def __init__(self, frame: pl.DataFrame) -> None:
        sides = [f"{name}_{number}" for number in (1, 2) for name in Side._fields]
        rows = frame.select(*Of._fields, *sides, *Comparison._fields).iter_rows()
        named = len(Of._fields)
        self._known: dict[tuple[Of, Side, Side], Comparison] = {
            (Of(*row[:named]), *_sides(Side(*row[named : named + 3]), Side(*row[named + 3 : named + 6]))): Comparison(
                *row[named + 6 :]
            )
            for row in rows
        }

    @classmethod
    def none(cls) -> "Comparisons":
        """Return those of an experiment in which nothing was compared."""
        return cls(pl.DataFrame(schema=COMPARISONS.columns))

    @property
    def counted(self) -> str:
        """How many facts they are over, and how many are corrected together; nothing where there are none.

        Without those of means over a few languages, of which no p is shown.
        """
        known = [one for (_, first, second), one in self._known.items() if not {first.lang, second.lang} & MEANS]
        if not known:
            return ""
        over, family = (_range(getattr(one, name) for one in known) for name in ("n", "family"))
        return f"Each is over {over} facts, in a family of {family}."

    @cached_property
    def means(self) -> list[str]:
        """What stands for means over other languages, of which an aspect may be asked in fewer than another."""
        return sorted({side.lang for _, *sides in self._known for side in sides if not is_language(side.lang)})

    def find(self, of: Of, first: Side, second: Side) -> Comparison | None:
        """Return the comparison of the first with the second, whichever the table names first, if it is there.

        The unedited backbone's languages are compared once, whatever the editing language that the sides name.
        """
        first, second = _sides(first, second)
        found = self._known.get((of, first, second))
        if found is None:
            other = self._known.get((of, second, first))
            return other.turned if other else None
        return found


def _sides(first: Side, second: Side) -> tuple[Side, Side]:
    """Return the sides without editing languages where neither is edited."""
    bare = first.editor == second.editor == UNEDITED
    return (first._replace(edit_lang=""), second._replace(edit_lang="")) if bare else (first, second)


def _range(counts: Iterable[int]) -> str:
    found = sorted(set(counts))
    return " to ".join(f"{count:,}" for count in dict.fromkeys((found[0], found[-1])))


def points(difference: float) -> str:
    """Return a difference of shares in points, with its sign."""
    text = f"{100 * difference:+.2f}"
    return "0.00" if float(text) == 0 else text


def said_p(tested: Comparison | Change, family: str) -> str:
    """Return its p as papers print them, such as `p = .012`, and after correction for how many of its family."""
    p, adjusted = ("< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".") for p in (tested.p, tested.p_adjusted))
    return f"p {p}, after correction for {tested.family:,} {family} {adjusted}"


def together(found: Sequence[Comparison], name: str, average: Comparison | None = None) -> list[Shown]:
    """Return several comparisons as parts of a cell: their mean, and in brackets how many are significant.

    average: the comparison of the means over the same languages, which has the mean's interval.
    """
    if len(found) == 1:
        return [found[0].shown(name)]
    mean = sum(one.difference for one in found) / len(found)
    low, high = (points(bound([one.difference for one in found])) for bound in (min, max))
    few, many = (bound([one.n for one in found]) for bound in (min, max))
    count = sum(one.significant for one in found)
    significant = f"{count} of {len(found)}"
    ends = bounds(average.low, average.high) if average and average.n == few == many else (None, None)
    over = "" if few == many else f", over {few} to {many} facts"
    note = f"on average, from {low} to {high}{over}, {significant} significant"
    return [
        Shown(points(mean), "", name, in_percent(mean), *ends, few if few == many else None, note),
        Shown(significant, name=f"{name} significant", exact=count, bracketed=True),
    ]
