"""The figures of sweeps, as Figs. 3 to 10 of Model Editing Can Hurt General Abilities draw them.

There is one figure of each kind per setting, with a row of panels per backbone and a column per sweep.
"""

import math
from collections.abc import Iterator, Sequence

from crossedit.reports import plan
from crossedit.reports.courses import Course, course
from crossedit.reports.figures.cells import asked_in
from crossedit.reports.figures.curves import Line, curves, known, told
from crossedit.reports.figures.drawing import Picture
from crossedit.reports.figures.heat import Cells, heat
from crossedit.reports.figures.panels import Panel
from crossedit.reports.naming import ASPECT_STYLES, ASPECTS, Style, ability, asked, task_styles
from crossedit.reports.plan import Planned, by_setting
from crossedit.reports.scores import mean
from crossedit.reports.sweeps import Sweeps
from crossedit.sweeps.settings import SEQUENTIAL, SINGLE

_X = {
    "instance-sequential": "Number of edits",
    SEQUENTIAL: "Number of batch edits",
    SINGLE: "Number of facts in one edit",
}
_FORGOTTEN = {SEQUENTIAL: "Facts edited in batch"}  # what rows of the figure of forgetting are
_FALLS = (
    "Filled: significantly below the unedited model (interval, if any, below 0; permutation test p < .05 after Holm's "
    "correction for all tasks and stops of a panel)."
)
_MOST = "Of each layer's most changed matrix W, by the Frobenius norm."
_AT_CHANCE = "Thin, dashed: at chance unedited, can't show harm."


def pictures(sweeps: Sweeps, langs: Sequence[str], protocol: str) -> Iterator[Picture]:
    """Yield the figures of all settings; facts are shown in the evaluation languages and under the protocol given."""
    for setting, members in by_setting(sweeps.all):
        for task_protocol in plan.protocols(members):
            swept = [sweep for sweep in members if task_protocol in sweep.tasks]
            yield _side_effects(sweeps, setting, swept, task_protocol)
        yield _edited_facts(sweeps, setting, members, langs, protocol)
        if setting != SINGLE:
            yield _forgetting(sweeps, setting, members, protocol)
        yield _weights(sweeps, setting, members)


def _side_effects(sweeps: Sweeps, setting: str, members: Sequence[Planned], protocol: str) -> Picture:
    look = task_styles([task for sweep in members for task in sweep.tasks[protocol]])
    shown = [
        Panel(
            backbone,
            sweep.title,
            ("0", *map(str, sweep.stops)),
            tuple(
                _task_line(course(sweeps, sweep, backbone, task, protocol), look[task])
                for task in sweep.tasks[protocol]
            ),
        )
        for backbone, sweep in _places(members)
    ]
    lines = known(shown)
    notes = [_FALLS] if any(True in line.filled for line in lines) else []
    notes += [_AT_CHANCE] if any(line.faint for line in lines) else []
    title = f"Task scores, {setting}, {protocol}"
    return _curves(plan.side_effects(setting, protocol), title, setting, shown, " ".join(notes))


def _task_line(task: Course, style: Style) -> Line:
    points = [score.score if score else None for score in (task.before, *task.after.values())]
    filled = [False, *(change is not None and change.falls for change in task.changes)]
    return Line(ability(task.task), style, tuple(points), tuple(filled), faint=task.at_chance)


def _edited_facts(
    sweeps: Sweeps, setting: str, members: Sequence[Planned], langs: Sequence[str], protocol: str
) -> Picture:
    shown = []
    for backbone, sweep in _places(members):
        found = []
        for place in asked_in(langs):
            own = place.langs(sweep.language)
            where = f", {place.label}" if place.others else ""
            for aspect in ASPECTS[1:] if place.others else ASPECTS:
                points = [
                    mean(sweeps.fact(sweep.name, backbone, stop, aspect, lang, protocol) for lang in own)
                    for stop in sweep.stops
                ]
                style = ASPECT_STYLES[aspect]._replace(line=place.line)
                if own:
                    found.append(
                        Line(f"{aspect.capitalize()}{where}", style, tuple(points), (not where,) * len(points))
                    )
        shown.append(Panel(backbone, sweep.title, tuple(map(str, sweep.stops)), tuple(found)))
    title = f"The edited facts (EM), {setting}, {asked(protocol)}"
    note = f"EM, {asked(protocol)}."
    if any(False in line.filled for line in known(shown)):
        note += " Filled: in the language of the edits."
    return _curves(plan.edited_facts(setting), title, setting, shown, note)


def _forgetting(sweeps: Sweeps, setting: str, members: Sequence[Planned], protocol: str) -> Picture:
    shown = []
    for backbone, sweep in _places(members):
        rows = []
        for edited_by in sweep.stops:
            found = [
                sweeps.fact(sweep.name, backbone, stop, ASPECTS[0], sweep.language, protocol, edited_by)
                for stop in sweep.stops
            ]
            rows.append(tuple(100 * known.mean if known else None for known in found))
        cells = Cells(tuple(_spans(sweep.stops)), tuple(rows))
        shown.append(Panel(backbone, sweep.title, tuple(map(str, sweep.stops)), cells))
    title = f"Reliability (EM) by when facts were edited, {setting}, {asked(protocol)}"
    return Picture(
        plan.forgetting(setting),
        title,
        f"{title}, in percent.",
        _edits_in_words(shown),
        lambda: heat(
            shown, _X.get(setting, "Stop"), _FORGOTTEN.get(setting, "Facts edited as number"), "Reliability in %"
        ),
    )


def _weights(sweeps: Sweeps, setting: str, members: Sequence[Planned]) -> Picture:
    shown = []
    for backbone, sweep in _places(members):
        found = sweeps.weights(sweep.name, backbone)
        layers = sorted({layer for layer, _ in found})
        rows = tuple(tuple(found.get((layer, stop)) for stop in sweep.stops) for layer in layers)
        cells = Cells(tuple(map(str, layers)), rows)
        shown.append(Panel(backbone, sweep.title, tuple(map(str, sweep.stops)), cells))
    title = f"Change of weights by layer, relative to their norm, {setting}"
    return Picture(
        plan.weights(setting),
        title,
        f"{title}.",
        _layers_in_words(shown),
        lambda: heat(shown, _X.get(setting, "Stop"), "Layer", "‖ΔW‖ / ‖W‖", _MOST, logarithmic=True),
    )


def _curves(
    name: str,
    title: str,
    setting: str,
    shown: Sequence[Panel[tuple[Line, ...]]],
    note: str,
) -> Picture:
    x_label = _X.get(setting, "Stop")
    alt = f"{title}, in percent, by {x_label[0].lower()}{x_label[1:]}."
    return Picture(name, title, alt, told(shown), lambda: curves(shown, x_label, "Score in %", note))


def _edits_in_words(shown: Sequence[Panel[Cells]]) -> str:
    told = [
        f"{panel.row}, {panel.column}, edits {name}: "
        + ", ".join(f"{value:.0f} at {stop}" for stop, value in zip(panel.stops, row, strict=True) if value is not None)
        + "."
        for panel in shown
        for name, row in zip(*panel.content, strict=True)
        if any(value is not None for value in row)
    ]
    return " ".join(told)


def _layers_in_words(shown: Sequence[Panel[Cells]]) -> str:
    """Return the most changed layer at each stop, and those whose change is no number."""
    told = []
    for panel in shown:
        names, rows = panel.content
        for number, stop in enumerate(panel.stops):
            there = [(value, name) for name, row in zip(names, rows, strict=True) if (value := row[number]) is not None]
            lost = [name for value, name in there if math.isnan(value)]
            known = [pair for pair in there if not math.isnan(pair[0])]
            said = [f"at most {most:.2g}, in layer {layer}" for most, layer in [max(known)]] if known else []
            said += [f"no number in layer {', '.join(lost)}"] if lost else []
            if said:
                told.append(f"{panel.row}, {panel.column}, at {stop}: {'; '.join(said)}.")
    return " ".join(told)


def _places(members: Sequence[Planned]) -> Iterator[tuple[str, Planned]]:
    for backbone in dict.fromkeys(name for sweep in members for name in sweep.backbones):
        for sweep in members:
            if backbone in sweep.backbones:
                yield backbone, sweep


def _spans(stops: Sequence[int]) -> Iterator[str]:
    """Yield which edits came between each stop and the one before."""
    for before, stop in zip((0, *stops), stops, strict=False):
        yield str(stop) if stop == before + 1 else f"{before + 1}–{stop}"
