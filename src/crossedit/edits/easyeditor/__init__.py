"""Cells through a user's checkout of EasyEdit, so that both engines stand side by side.

    editor = EasyEditor(Path("../EasyEdit"), "ROME", make_editor("ROME", hparams, materials))
    predictions, seconds = run_cell(backbone, editor, requests, probes, unedited, protocols)

EasyEdit (Wang et al., 2024, "EasyEdit: An Easy-to-use Knowledge Editing Framework for Large Language Models") is not
on PyPI and nothing of it is in this project. Its editors write into the weights, so that the facts go one at a time:
edit, ask, undo. What stands around the edit is ours and the same for both engines: prompts, context texts,
covariances, questions, scores.
"""

from crossedit.edits.easyeditor.cell import run_cell
from crossedit.edits.easyeditor.engine import EasyEditor
from crossedit.edits.easyeditor.settings import METHODS

__all__ = ["METHODS", "EasyEditor", "run_cell"]
