"""The editors, one file each, named as in the literature.

    editor = make_editor("ROME", hparams_of("ROME", block="demo"), materials)
    deltas = editor.edit_each(backbone, requests)
    editor = make_editor("ROME", hparams, materials, rect={"keep": 0.4})      the same, regularised by RECT

A new editor is one file here, one entry in EDITORS, one YAML in `resources/hparams/`.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from crossedit.edits.editors.alphaedit import AlphaEdit
from crossedit.edits.editors.emmet import EMMET
from crossedit.edits.editors.ft import FT
from crossedit.edits.editors.grace import GRACE
from crossedit.edits.editors.ice import ICE
from crossedit.edits.editors.ike import IKE
from crossedit.edits.editors.interface import Editor, Materials
from crossedit.edits.editors.kn import KN
from crossedit.edits.editors.lora import AdaLoRA, LoRA
from crossedit.edits.editors.memit import MEMIT
from crossedit.edits.editors.mend import MEND
from crossedit.edits.editors.pmet import PMET
from crossedit.edits.editors.rect import RECT, RECTHparams
from crossedit.edits.editors.rome import ROME
from crossedit.edits.editors.rrome import RROME
from crossedit.edits.editors.serac import SERAC
from crossedit.errors import UserError, nearest

EDITORS: dict[str, type[Editor]] = {
    "FT-L": FT,
    "FT-M": FT,
    "LoRA": LoRA,
    "AdaLoRA": AdaLoRA,
    "KN": KN,
    "ROME": ROME,
    "R-ROME": RROME,
    "MEMIT": MEMIT,
    "EMMET": EMMET,
    "PMET": PMET,
    "AlphaEdit": AlphaEdit,
    "IKE": IKE,
    "ICE": ICE,
    "GRACE": GRACE,
    "MEND": MEND,
    "SERAC": SERAC,
}


def make_editor(
    method: str,
    hparams: Mapping[str, Any],
    materials: Materials,
    rect: Mapping[str, Any] | None = None,
    at_once: int = Editor.at_once,
) -> Editor:
    """Return the editor of that method. Raises UserError for an unknown method or hyperparameter.

    rect: what RECT keeps of the editor's changes of weights; it keeps everything where none is given.
    at_once: see Editor; it bounds memory.
    """
    if method not in EDITORS:
        raise UserError(f"editors: method '{method}' is unknown; {nearest(method, EDITORS)}")
    kind = EDITORS[method]
    editor = kind(_filled(kind.Hparams, hparams, f"hyperparameters of {method}"), materials)
    editor.at_once = at_once
    return editor if rect is None else RECT(editor, _filled(RECTHparams, rect, "rect"))


def _filled(kind: type[Any], given: Mapping[str, Any], where: str) -> Any:
    """Return the hyperparameters as one of that kind. Raises UserError for unknown and lacking ones."""
    known = {item.name: item for item in fields(kind)}
    for name in given:
        if name not in known:
            raise UserError(f"{where}: '{name}' is unknown; {nearest(name, known)}")
    try:
        return kind(**given)
    except TypeError as error:
        lacking = sorted(set(known) - set(given))
        raise UserError(f"{where}: {error}; not given: {', '.join(lacking)}.") from error
