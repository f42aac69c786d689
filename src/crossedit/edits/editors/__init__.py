"""The editors, one file each, named as in the literature.

    editor = make_editor("ROME", hparams_of("ROME", block="demo"), materials)
    deltas = editor.edit_each(backbone, requests)

A new editor is one file here, one entry in EDITORS, one YAML in `resources/hparams/`.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from crossedit.edits.editors.alphaedit import AlphaEdit
from crossedit.edits.editors.emmet import EMMET
from crossedit.edits.editors.ft import FT
from crossedit.edits.editors.grace import GRACE
from crossedit.edits.editors.ike import IKE
from crossedit.edits.editors.interface import Editor, Materials
from crossedit.edits.editors.lora import AdaLoRA, LoRA
from crossedit.edits.editors.memit import MEMIT
from crossedit.edits.editors.mend import MEND
from crossedit.edits.editors.pmet import PMET
from crossedit.edits.editors.rome import ROME
from crossedit.edits.editors.rrome import RROME
from crossedit.errors import UserError, nearest

EDITORS: dict[str, type[Editor]] = {
    "FT-L": FT,
    "FT-M": FT,
    "LoRA": LoRA,
    "AdaLoRA": AdaLoRA,
    "ROME": ROME,
    "R-ROME": RROME,
    "MEMIT": MEMIT,
    "EMMET": EMMET,
    "PMET": PMET,
    "AlphaEdit": AlphaEdit,
    "IKE": IKE,
    "GRACE": GRACE,
    "MEND": MEND,
}


def make_editor(method: str, hparams: Mapping[str, Any], materials: Materials) -> Editor:
    """Return the editor of that method. Raises UserError for an unknown method or hyperparameter."""
    if method not in EDITORS:
        raise UserError(f"editors: method '{method}' is unknown; {nearest(method, EDITORS)}")
    kind = EDITORS[method]
    known = {item.name: item for item in fields(kind.Hparams)}
    for name in hparams:
        if name not in known:
            raise UserError(f"hyperparameters of {method}: '{name}' is unknown; {nearest(name, known)}")
    try:
        return kind(kind.Hparams(**hparams), materials)
    except TypeError as error:
        lacking = sorted(set(known) - set(hparams))
        raise UserError(f"hyperparameters of {method}: {error}; not given: {', '.join(lacking)}.") from error
