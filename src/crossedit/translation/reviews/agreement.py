"""How far annotators agree on which texts need a change, and on how they should read."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import mean
from typing import Any

from crossedit.translation.reviews.merge import Unit, Word

NOTHING = "no field was judged by two annotators"
ONE_CATEGORY = "everybody says the same of every field, so that chance would agree as well"
NO_CHANGE = "no field was changed by two annotators"


def agreement(words: Mapping[Unit, Sequence[Word]]) -> dict[str, Any]:
    """Return how annotators agree, as JSON values, over the fields that at least two of them judged.

    Each says of a field that it needs a change or that it doesn't; the expert doesn't count.

    fields: how many these are.
    raw: the share of them of which all say the same.
    alpha: Krippendorff's, nominal, over all annotators, any of whom may have left a field out: 1 - D_o / D_e, the
        disagreement within fields over that among all values that stand in them (Krippendorff, Content Analysis, 3rd
        edition, section 12.3).
    pairs: for each two annotators, over the fields that both judged, `raw` and `kappa`, Cohen's:
        (p_o - p_e) / (1 - p_e), p_e being the agreement that their own shares of changes would give by chance (Cohen
        1960, A coefficient of agreement for nominal scales).
    changed: of the fields that at least two changed, their number and the share (`same_text`) in which all who
        changed them say the same text.
    undefined: by the name of each figure that is None, why it has no value.
    """
    judged = [{word.by: word for word in said if word.role == "annotator"} for said in words.values()]
    judged = [said for said in judged if len(said) > 1]
    changes = [[word.text for word in said.values() if word.changed] for said in judged]
    changed = [texts for texts in changes if len(texts) > 1]
    annotators = sorted({by for said in judged for by in said})
    needs = [{by: word.changed for by, word in said.items()} for said in judged]
    return {
        "fields": len(needs),
        "annotators": annotators,
        **_figures(raw=_raw(needs), alpha=_alpha(needs)),
        "pairs": [_pair(needs, first, second) for first, second in combinations(annotators, 2)],
        "changed": {"fields": len(changed), **_figures(same_text=_same(changed))},
    }


Figure = float | str  # a value, or why there is none


def _figures(**found: Figure) -> dict[str, Any]:
    """Return the figures by name, None where there is no value, and the reasons beside them."""
    return {
        **{name: None if isinstance(value, str) else round(value, 4) for name, value in found.items()},
        "undefined": {name: value for name, value in found.items() if isinstance(value, str)},
    }


def _pair(needs: Sequence[Mapping[str, bool]], first: str, second: str) -> dict[str, Any]:
    both = [{by: said[by] for by in (first, second)} for said in needs if {first, second} <= said.keys()]
    return {"annotators": [first, second], "fields": len(both), **_figures(raw=_raw(both), kappa=_kappa(both))}


def _raw(needs: Sequence[Mapping[str, bool]]) -> Figure:
    return mean(len(set(said.values())) == 1 for said in needs) if needs else NOTHING


def _kappa(both: Sequence[Mapping[str, bool]]) -> Figure:
    from sklearn.metrics import cohen_kappa_score

    if undefined := _undefined(both):
        return undefined
    first, second = zip(*(said.values() for said in both), strict=True)
    return float(cohen_kappa_score(first, second))


def _alpha(needs: Sequence[Mapping[str, bool]]) -> Figure:
    import krippendorff

    if undefined := _undefined(needs):
        return undefined
    counts = [(sum(said.values()), len(said) - sum(said.values())) for said in needs]
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def _undefined(needs: Sequence[Mapping[str, bool]]) -> str:
    if not needs:
        return NOTHING
    return ONE_CATEGORY if len({value for said in needs for value in said.values()}) == 1 else ""


def _same(changed: Sequence[Sequence[str]]) -> Figure:
    return mean(len(set(texts)) == 1 for texts in changed) if changed else NO_CHANGE
