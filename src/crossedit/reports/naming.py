"""How things are called and drawn in every table and figure: aspects, languages, protocols, editors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from crossedit import UNEDITED
from crossedit.facts.languages import NAMES, others

ASPECTS = ("reliability", "generality", "locality", "portability")
FEW = 3  # languages that are compared and shown one by one; where there are more, their mean is
MEANS = frozenset(others(count) for count in range(2, FEW + 1))  # over others that are compared one by one too
KINDS = {"other_subject": "Other subject", "same_subject": "Same subject"}  # of locality

PROTOCOLS = {
    "teacher_forced": "Every token of the target is asked for in one pass, the tokens before it being given.",
    "generated": "The model answers freely, by greedy decoding.",
    "upstream": "Asked as the published code of Bi-ZsRE asks, quirks included; F1 is precision × recall, as there.",
}


Shape = str | tuple[int, int, float] | tuple[tuple[float, float], ...]  # matplotlib's markers; corners of a filled one
Dashes = str | tuple[int, tuple[float, ...]]


class Style(NamedTuple):
    """How an editor is drawn: told apart by colour, and without colour by marker and line."""

    colour: str
    marker: Shape
    line: Dashes


_DASHED, _DOTTED, _MIXED = (0, (4, 1.6)), (0, (1.2, 1.2)), (0, (4, 1.2, 1.2, 1.2))
_HOURGLASS = ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0))
_BOW = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, -1.0))
_FLAT = ((-1.0, -0.5), (1.0, -0.5), (1.0, 0.5), (-1.0, 0.5), (-1.0, -0.5))
_TALL = ((-0.5, -1.0), (-0.5, 1.0), (0.5, 1.0), (0.5, -1.0), (-0.5, -1.0))
_ROOF = ((-1.0, -0.9), (-1.0, -0.2), (0.0, 0.9), (1.0, -0.2), (1.0, -0.9), (0.0, 0.2), (-1.0, -0.9))
_LOWER = ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0))
_UPPER = ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0))
# The colours are Okabe and Ito's, then Tol's "muted" ones: told apart with every kind of colour vision. No two methods
# have the same marker, all of which can be filled or hollow.
_STYLES = {
    UNEDITED: Style("#7a7a7a", "", (0, (1, 1.5))),
    "FT": Style("#E69F00", _FLAT, "-"),
    "FT-L": Style("#E69F00", "o", _DASHED),
    "FT-M": Style("#D55E00", "s", "-"),
    "LoRA": Style("#C0A93A", _HOURGLASS, "-"),
    "AdaLoRA": Style("#661100", _BOW, _DOTTED),
    "ROME": Style("#0072B2", "^", "-"),
    "R-ROME": Style("#0072B2", "<", _DOTTED),
    "MEMIT": Style("#56B4E9", "v", _DASHED),
    "EMMET": Style("#56B4E9", ">", _DOTTED),
    "PMET": Style("#332288", (4, 1, 0.0), _DASHED),
    "AlphaEdit": Style("#332288", "*", "-"),
    "MEND": Style("#882255", "X", _MIXED),
    "SERAC": Style("#CC79A7", "P", "-"),
    "GRACE": Style("#AA4499", "H", _DASHED),
    "KN": Style("#999933", "p", _DOTTED),
    "IKE": Style("#009E73", "D", _MIXED),
    "ICE": Style("#44AA99", "d", _DOTTED),
}
_COLOURS = ("#117733", "#994455", "#6699CC", "#997700", "#004488", "#EE99AA")  # of others
_MARKERS: tuple[Shape, ...] = (_TALL, _ROOF, _LOWER, (6, 1, 0.0), _UPPER, "8")
_LINES: tuple[Dashes, ...] = (_DASHED, "-", _MIXED, _DOTTED)


def styles(editors: Sequence[str], methods: Mapping[str, str] | None = None) -> dict[str, Style]:
    """Return each editor's style: its method's where the literature knows it, else one that no other has (of 36).

    methods: those of editors, by default their names. Of several editors of one method, the one with its name or else
    the first has the method's style, and the others have its colour with markers and lines of their own.
    """
    of = {name: (methods or {}).get(name, name) for name in editors}
    known = _STYLES | _others(method for method in union(of.values()) if method not in _STYLES)
    firsts = {method: name for name, method in reversed(of.items())}
    firsts |= {name: name for name, method in of.items() if name == method}
    found = known | {name: known[method] for method, name in firsts.items()}
    markers = [style.marker for style in _STYLES.values() if style.marker] + [*_MARKERS]
    used = {known[method].marker for method in firsts}
    free = [marker for marker in markers if marker not in used] or markers
    for number, name in enumerate(name for name, method in of.items() if name != firsts[method]):
        turn, place = divmod(number, len(free))
        found[name] = Style(known[of[name]].colour, free[place], _LINES[(place + turn) % len(_LINES)])
    return found


def _others(names: Iterable[str]) -> dict[str, Style]:
    """Return styles of names: colours and markers differ for the first six, then pairs of them."""
    found = {}
    for place, name in enumerate(names):
        turn, kind = divmod(place, len(_COLOURS))
        shape = (kind + turn) % len(_MARKERS)
        found[name] = Style(_COLOURS[kind], _MARKERS[shape], _LINES[(shape + turn) % len(_LINES)])
    return found


# The general abilities of Model Editing Can Hurt General Abilities (Gu et al.), as its figures name them. Their colours
# are Okabe and Ito's, with an olive of Tol's for the yellow that paper hardly shows.
_TASKS = {
    "gsm8k": ("Reasoning", Style("#0072B2", "o", "-")),
    "rte": ("NLI", Style("#D55E00", "s", "-")),
    "natural-questions": ("Open-domain QA", Style("#009E73", "^", "-")),
    "boolq": ("Closed-domain QA", Style("#E69F00", "D", "-")),
    "mutual": ("Dialogue", Style("#CC79A7", "v", "-")),
    "samsum": ("Summarization", Style("#56B4E9", "P", "-")),
    "conll03": ("NER", Style("#999933", "X", "-")),
    "sst2": ("Sentiment", Style("#000000", "*", "-")),
}
TASKS = tuple(_TASKS)
TASK_PROTOCOLS = {
    "corrected": "Generations are cut and judged as each task's own measure wants it.",
    "upstream": "Asked and judged as the published code of Model-Editing-Hurt does, quirks included.",
}

ASPECT_STYLES = {
    "reliability": Style("#0072B2", "o", "-"),
    "generality": Style("#D55E00", "s", "-"),
    "locality": Style("#009E73", "^", "-"),
    "portability": Style("#CC79A7", "D", "-"),
}


def ability(task: str) -> str:
    """Return what the paper calls the ability that the task asks for; a task that it hasn't goes by its own name."""
    return _TASKS[task][0] if task in _TASKS else task


def task_styles(tasks: Sequence[str]) -> dict[str, Style]:
    """Return each task's style: the same in every figure, for a task of one's own one that no other has (of 36)."""
    others = [name for name in tasks if name not in _TASKS]
    own = {name: style._replace(line="-") for name, style in _others(others).items()}
    return {name: style for name, (_, style) in _TASKS.items()} | own


def language(code: str) -> str:
    """Return the English name of the language, or its code where none is known."""
    return NAMES.get(code, code)


def union(*several: Iterable[str]) -> tuple[str, ...]:
    """Return all names in their order of appearance, each once."""
    return tuple(dict.fromkeys(name for names in several for name in names))


def method(editor: str) -> str:
    """Return the editor's name as a table's row has it."""
    return "Unedited" if editor == UNEDITED else editor


def asked(protocol: str) -> str:
    """Return how facts were asked, in words."""
    return f"asked {protocol.replace('_', '-')}"


def compared_in(elsewhere: Sequence[str]) -> list[str]:
    """Return what of the other languages is compared: each, or their mean."""
    return list(elsewhere) if len(elsewhere) <= FEW else [others(len(elsewhere))]


def protocols_of(entry: Mapping[str, Any], asked: Iterable[str]) -> tuple[str, ...]:
    """Return the protocols of a configuration, then others that are known and were asked."""
    there = set(asked)
    return union(entry.get("protocols", ()), [name for name in PROTOCOLS if name in there])


def f1_metric(protocol: str) -> str:
    """Return which metric of the scores stands as F1: the published tables' formula under `upstream`."""
    return "f1_product" if protocol == "upstream" else "f1"
