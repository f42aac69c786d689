"""How things are called and drawn in every table and figure: aspects, languages, protocols, editors."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crossedit import UNEDITED
from crossedit.facts.languages import NAMES

ASPECTS = ("reliability", "generality", "locality", "portability")
KINDS = {"other_subject": "Other subject", "same_subject": "Same subject"}  # of locality

PROTOCOLS = {
    "teacher_forced": "Every token of the target is asked for in one pass, the tokens before it being given.",
    "generated": "The model answers freely, by greedy decoding.",
    "upstream": "Asked as the published code of Bi-ZsRE asks, quirks included; F1 is precision × recall, as there.",
}


class Style(NamedTuple):
    """How an editor is drawn: told apart by colour, and without colour by marker and line."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[float, ...]]


_DASHED, _DOTTED, _MIXED = (0, (4, 1.6)), (0, (1.2, 1.2)), (0, (4, 1.2, 1.2, 1.2))
# The colours are Okabe and Ito's, then Tol's "muted" ones: told apart with every kind of colour vision.
_STYLES = {
    UNEDITED: Style("#7a7a7a", "", (0, (1, 1.5))),
    "FT": Style("#E69F00", "o", _DASHED),
    "FT-L": Style("#E69F00", "o", _DASHED),
    "FT-M": Style("#D55E00", "s", "-"),
    "LoRA": Style("#DDCC77", "8", "-"),
    "AdaLoRA": Style("#661100", "h", _DOTTED),
    "ROME": Style("#0072B2", "^", "-"),
    "R-ROME": Style("#0072B2", "<", _DOTTED),
    "MEMIT": Style("#56B4E9", "v", _DASHED),
    "EMMET": Style("#56B4E9", ">", _DOTTED),
    "PMET": Style("#332288", "<", _DASHED),
    "AlphaEdit": Style("#332288", "*", "-"),
    "MEND": Style("#882255", "X", _MIXED),
    "SERAC": Style("#CC79A7", "P", "-"),
    "GRACE": Style("#AA4499", "d", _DASHED),
    "KN": Style("#999933", "p", _DOTTED),
    "IKE": Style("#009E73", "D", _MIXED),
    "ICE": Style("#44AA99", "H", _DOTTED),
}
_OTHERS = (
    Style("#117733", "d", _DASHED),
    Style("#6699CC", "1", "-"),
    Style("#994455", "2", _MIXED),
    Style("#997700", "3", _DOTTED),
    Style("#004488", "4", _DASHED),
    Style("#EE99AA", "+", "-"),
)


def styles(editors: Sequence[str]) -> dict[str, Style]:
    """Return each editor's style: its own where the literature knows it, else one that no other has (of six)."""
    others = [name for name in editors if name not in _STYLES]
    return _STYLES | {name: _OTHERS[place % len(_OTHERS)] for place, name in enumerate(others)}


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
    """Return each task's style: the same in every figure, for a task of one's own one that no other has (of six)."""
    others = [name for name in tasks if name not in _TASKS]
    own = {name: _OTHERS[place % len(_OTHERS)]._replace(line="-") for place, name in enumerate(others)}
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


def f1_metric(protocol: str) -> str:
    """Return which metric of the scores stands as F1: the published tables' formula under `upstream`."""
    return "f1_product" if protocol == "upstream" else "f1"
