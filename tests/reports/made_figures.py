"""Cells made for tests of figures: scores, comparisons and seconds of any editors, languages and backbones."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from crossedit import UNEDITED, tables
from crossedit.reports.costs import Seconds
from crossedit.reports.figures.cells import Edited
from crossedit.reports.grid import Grid
from crossedit.reports.owners import Place
from crossedit.reports.scores import Scores

DEMO = ("FT-L", "FT-M", "LoRA", "AdaLoRA", "KN", "ROME", "MEMIT", "AlphaEdit", "MEND", "SERAC", "IKE", "ICE")
SIZES: dict[str, dict[str, Any]] = {
    f"{method}-{size}": {"method": method, "train_size": size}
    for method in ("MEND", "SERAC", "IKE")
    for size in (100, 500, 1000, 3000, 10000)
}
FACTS, SPREAD = "tiny", 0.05


def entry(
    editors: Sequence[str] = DEMO, langs: Sequence[str] = ("en", "zh"), backbones: Sequence[str] = ("small", "large")
) -> dict[str, Any]:
    """Return the configuration of such cells."""
    return {
        "facts": {FACTS: {}},
        "backbones": {name: {} for name in backbones},
        "editors": {name: SIZES.get(name, {"method": name}) for name in editors},
        "languages": list(langs),
        "protocols": ["teacher_forced"],
    }


def scores(config: dict[str, Any]) -> pl.DataFrame:
    """Return SCORES, exact match: a mean of an editor, aspect and languages is the same wherever it is asked for."""
    rows = [
        (FACTS, *place, "all", lang, "teacher_forced", "em", mean, max(0.0, mean - SPREAD), min(1.0, mean + SPREAD), 64)
        for *place, lang, mean in _means(config)
    ]
    return pl.DataFrame(rows, schema=tables.SCORES.columns, orient="row")


def _means(config: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    langs = config["languages"]
    for number, backbone in enumerate(config["backbones"]):
        for place, editor in enumerate((UNEDITED, *config["editors"])):
            for own, edit_lang in enumerate(langs):
                for order, aspect in enumerate(("reliability", "generality", "locality", "portability")):
                    for other, lang in enumerate(langs) if order else ((own, edit_lang),):
                        far = 0.3 * (lang != edit_lang) * (1 + math.sin(own - 2 * other)) / 2
                        level = 0.95 - 0.2 * order + 0.04 * math.sin(3 * place + order) - 0.05 * number
                        if editor == UNEDITED:
                            # Nothing of it depends on a language of edits.
                            level, far = (1.0 if aspect == "locality" else 0.05 * (1 + other % 3)), 0.0
                        yield backbone, editor, edit_lang, aspect, lang, max(0.0, min(1.0, level - far))


def found(config: dict[str, Any], frame: pl.DataFrame | None = None) -> Edited:
    """Return the scores, or those given, as figures look them up."""
    known = Scores(scores(config) if frame is None else frame)
    return Edited(known, Grid.of(config, known), FACTS)


def comparisons(config: dict[str, Any], margin: float = 0.03) -> pl.DataFrame:
    """Return COMPARISONS of generality in the language of the edit with that in others."""
    known = found(config)
    rows = []
    for backbone, edit_lang, editor in known.grid.rows(FACTS):
        own = known.own(backbone, editor, edit_lang, "generality")
        for lang in config["languages"]:
            other = known.find(backbone, editor, edit_lang, "generality", lang)
            if own and other and lang != edit_lang:
                less = own.mean - other.mean
                place = (editor, edit_lang, edit_lang, editor, edit_lang, lang)
                judged = (own.mean, other.mean, less, less - margin, less + margin, 0.5, 0.01, 0.02, 24, 64)
                rows.append(
                    (FACTS, backbone, "asked_in", "generality", "teacher_forced", known.metric, *place, *judged)
                )
    return pl.DataFrame(rows, schema=tables.COMPARISONS.columns, orient="row")


def costs(config: dict[str, Any]) -> dict[Place, Seconds]:
    """Return seconds of each cell, from a tenth of a millisecond to a minute."""
    return {
        Place(FACTS, backbone, editor, lang): Seconds(1e-4 * 4 ** (place % 10) * (1 + 0.2 * number), 1.0)
        for backbone in config["backbones"]
        for place, editor in enumerate(config["editors"])
        for number, lang in enumerate(config["languages"])
    }


def as_json(config: dict[str, Any]) -> str:
    return json.dumps(config)
