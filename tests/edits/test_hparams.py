"""The files of hyperparameters: they name everything that can be set, and every block of theirs is an editor's."""

from dataclasses import fields
from pathlib import Path

import pytest

from crossedit.edits.editors import EDITORS, make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.hparams import FOLDER, blocks_of, hparams_of

FILES = Path(__file__).parents[2] / FOLDER
BACKBONES = {"llama-7b", "llama-2-7b", "chinese-llama-7b", "chinese-llama-2-7b", "baichuan-7b", "baichuan2-7b"}


@pytest.mark.parametrize("method", list(EDITORS))
def test_a_methods_file_names_all_its_hyperparameters(method: str) -> None:
    """What it didn't name could not be set by the config."""
    assert set(hparams_of(method, "", folder=FILES)) == {item.name for item in fields(EDITORS[method].Hparams)}
    assert blocks_of(method, FILES) >= BACKBONES | {"gpt2-xl", "demo", "mzsre"}
    for block in ("", *blocks_of(method, FILES)):
        assert isinstance(make_editor(method, hparams_of(method, block, folder=FILES), Materials()), EDITORS[method])
