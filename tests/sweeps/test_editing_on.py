"""Many edits in one model: each on what the edits before have made of it, kept beside the weights, never done twice."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from search import SEARCH

from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.edits.deltas import Delta, merged
from crossedit.edits.editors import EDITORS, make_editor
from crossedit.edits.editors.interface import Editor, Materials
from crossedit.edits.requests import Request
from crossedit.edits.terms import Dense, LowRank, total
from crossedit.errors import UserError
from crossedit.models import matrix
from crossedit.sweeps import settings
from crossedit.sweeps.checkpoints import Checkpoint, manifest
from crossedit.sweeps.editing import edit_on, in_order
from crossedit.tables import FACTS, write

EDITOR: dict[str, dict[str, Any]] = {
    "ROME": SEARCH,
    "MEMIT": {**SEARCH, "layers": [0, 1], "mom2_update_weight": 0.5},
    "KN": {"steps": 2, "adaptive_threshold": 0.4},
    "FT-M": {
        "layers": [1],
        "lr": 1e-2,
        "num_steps": 3,
        "objective_optimization": "target_new",
        "norm_constraint": None,
    },
}
MADE = {"backbone": {"name": "tiny"}, "language": "en"}


def editor(method: str, rect: dict[str, Any] | None = None) -> Editor:
    return make_editor(method, EDITOR[method], Materials(), rect)


def run(
    backbone: Backbone, made: Editor, requests: Sequence[Request], journal: Path, edits: int, **more: Any
) -> Checkpoint:
    more = {"batch_size": 1, **more}
    return edit_on(backbone, made, requests, edits=edits, made_of=MADE, journal=journal, **more)


def same(one: Delta, other: Delta) -> bool:
    return one.terms.keys() == other.terms.keys() and all(
        torch.equal(part, other.terms[name].tensors()[kind])
        for name, term in one.terms.items()
        for kind, part in term.tensors().items()
    )


class Counting(Editor):
    """Another editor, which counts its edits and breaks off before one of them."""

    def __init__(self, editor: Editor, breaks: int | None = None) -> None:
        super().__init__(editor.hparams, editor.materials)
        self.editor, self.breaks = editor, breaks
        self.edited: list[int] = []

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        if len(self.edited) == self.breaks:
            raise KeyboardInterrupt
        self.edited += [request.case_id for request in requests]
        return self.editor.edit_each(backbone, requests)


@pytest.mark.parametrize("method", ["ROME", "KN", "FT-M"])
def test_each_edit_is_found_on_the_model_as_edited_so_far(
    backbone: Backbone, requests_en: list[Request], tmp_path: Path, method: str
) -> None:
    made = editor(method)
    pristine = weights_digest(backbone.model)
    found = run(backbone, made, requests_en, tmp_path / "journal", edits=2)
    assert weights_digest(backbone.model) == pristine
    first = made.edit(backbone, requests_en[:1])
    with merged(backbone, first):
        second = made.edit(backbone, requests_en[1:2])
    assert not same(second, made.edit(backbone, requests_en[1:2]))
    for name in first.terms.keys() | second.terms.keys():
        shape = matrix(backbone.module(name)).shape
        parts = [delta.terms[name].dense(*shape) for delta in (first, second) if name in delta.terms]
        torch.testing.assert_close(found.delta.terms[name].dense(*shape), sum(parts), rtol=1e-5, atol=1e-6)
    assert found.cases == [request.case_id for request in requests_en[:2]]


@pytest.mark.parametrize("method", ["ROME", "MEMIT", "FT-M"])
@pytest.mark.parametrize("rect", [None, {"keep": 0.3}])
def test_a_stop_on_the_way_changes_nothing(
    llama: Backbone, requests_en: list[Request], tmp_path: Path, method: str, rect: dict[str, Any] | None
) -> None:
    made = editor(method, rect)
    through = run(llama, made, requests_en, tmp_path / "a", edits=3)
    stop = run(llama, made, requests_en, tmp_path / "b", edits=1)
    stop.save(tmp_path / "stop", llama, seconds=1.0)
    again = Checkpoint.load(tmp_path / "stop", llama)
    on = run(llama, made, requests_en, tmp_path / "c", edits=3, start=again)
    assert same(on.delta, through.delta)
    assert on.cases == through.cases


def test_an_editor_is_told_of_earlier_edits(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    told: list[tuple[list[int], list[int]]] = []

    class Asked(Counting):
        def edit_after(self, backbone: Backbone, requests: Sequence[Request], earlier: Sequence[Request]) -> Delta:
            told.append(([request.case_id for request in earlier], [request.case_id for request in requests]))
            return self.edit(backbone, requests)

    run(llama, Asked(editor("ROME")), requests_en, tmp_path, edits=3)
    assert told == [([], [1]), ([1], [2]), ([1, 2], [3])]


def test_batch_single_is_one_joint_edit(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    made = editor("MEMIT")
    found = run(llama, made, requests_en, tmp_path / "journal", edits=1, batch_size=3)
    assert same(found.delta, made.edit(llama, requests_en))
    assert found.edits == 1
    assert len(found.cases) == 3


def test_what_is_done_is_not_done_again(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    broken = Counting(editor("ROME"), breaks=2)
    with pytest.raises(KeyboardInterrupt):
        run(llama, broken, requests_en, journal, edits=3)
    rest = Counting(editor("ROME"))
    found = run(llama, rest, requests_en, journal, edits=3)
    assert broken.edited + rest.edited == [request.case_id for request in requests_en]
    whole = Counting(editor("ROME"))
    assert same(found.delta, run(llama, whole, requests_en, tmp_path / "other", edits=3).delta)
    shutil.rmtree(journal)
    assert not journal.exists()


@pytest.mark.parametrize(("method", "kind"), [("ROME", "step"), ("FT-M", "sum")])
def test_of_edits_as_large_as_their_sum_the_sum_alone_is_kept(
    llama: Backbone, requests_en: list[Request], tmp_path: Path, method: str, kind: str
) -> None:
    run(llama, editor(method), requests_en, tmp_path / "a", edits=3)
    names = sorted(page.name for page in (tmp_path / "a").glob("*/*"))
    assert names == (["0.sum", "1.step", "2.step"] if kind == "step" else ["2.sum"])
    broken = Counting(editor(method), breaks=2)
    with pytest.raises(KeyboardInterrupt):
        run(llama, broken, requests_en, tmp_path / "b", edits=3)
    (folder,) = (tmp_path / "b").iterdir()
    (folder / f".2.99.{kind}").mkdir()  # a page that was being written
    rest = Counting(editor(method))
    on = run(llama, rest, requests_en, tmp_path / "b", edits=3)
    assert len(rest.edited) == 1
    assert same(on.delta, run(llama, editor(method), requests_en, tmp_path / "c", edits=3).delta)


def test_what_fails_after_many_edits_says_so(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    class Failing(Counting):
        def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
            if len(self.edited) == self.breaks:
                raise UserError("an edit's loss is no number.")
            return super().edit_each(backbone, requests)

    with pytest.raises(UserError, match=r"no number\. 2 facts had been edited before; .* let `stops` end there\."):
        run(llama, Failing(editor("ROME"), breaks=2), requests_en, tmp_path / "a", edits=3)
    with pytest.raises(UserError, match=r"^an edit's loss is no number\.$"):
        run(llama, Failing(editor("ROME"), breaks=0), requests_en, tmp_path / "b", edits=3)


def test_the_journal_of_another_sweep_is_not_taken(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    run(llama, editor("ROME"), requests_en, journal, edits=2)
    other = Counting(editor("ROME"))
    run(llama, other, requests_en[::-1], journal, edits=2)
    assert len(other.edited) == 2
    made = Counting(editor("ROME"))
    edit_on(llama, made, requests_en, batch_size=1, edits=2, made_of={**MADE, "seed": 1}, journal=journal)
    assert len(made.edited) == 2


def test_a_larger_sweep_begins_as_a_smaller_one(requests_en: list[Request]) -> None:
    orders = {tuple(request.case_id for request in in_order(requests_en, seed)) for seed in range(20)}
    assert len(orders) > 1
    assert in_order(requests_en, 3) == in_order(requests_en, 3)
    assert all(sorted(order) == [1, 2, 3] for order in orders)


def test_too_few_facts_are_told(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 edits of 2 facts need 4 test facts, but there are 3"):
        run(llama, editor("MEMIT"), requests_en, tmp_path, edits=2, batch_size=2)


def test_a_checkpoint_of_another_sweep_is_refused(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    made = editor("ROME")
    start = run(llama, made, requests_en, tmp_path, edits=1)
    with pytest.raises(UserError, match="of another sweep"):
        edit_on(
            llama,
            made,
            requests_en,
            batch_size=1,
            edits=2,
            made_of={**MADE, "language": "zh"},
            journal=tmp_path,
            start=start,
        )


def test_a_start_beyond_the_end_is_refused(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    made = editor("ROME")
    start = run(llama, made, requests_en, tmp_path, edits=2)
    with pytest.raises(UserError, match="--start: has 2 edits already, but --edits is 2"):
        run(llama, made, requests_en, tmp_path, edits=2, start=start)


def test_a_checkpoint_of_other_weights_is_refused(
    llama: Backbone, gpt2: Backbone, requests_en: list[Request], tmp_path: Path
) -> None:
    run(llama, editor("ROME"), requests_en, tmp_path / "j", edits=1).save(tmp_path / "stop", llama, 0.0)
    with pytest.raises(UserError, match="of other weights"):
        Checkpoint.load(tmp_path / "stop", gpt2)
    with pytest.raises(UserError, match="holds no checkpoint"):
        Checkpoint.load(tmp_path / "nowhere", llama)


def test_an_editor_without_weights_is_refused(llama: Backbone, requests_en: list[Request], tmp_path: Path) -> None:
    made = make_editor("ICE", {"template": "imagine"}, Materials())
    with pytest.raises(UserError, match="no change of weights"):
        run(llama, made, requests_en, tmp_path, edits=1)


def test_the_manifest_says_how_far_each_matrix_has_moved(
    backbone: Backbone, requests_en: list[Request], tmp_path: Path
) -> None:
    found = run(backbone, editor("ROME"), requests_en, tmp_path / "j", edits=3)
    found.save(tmp_path / "stop", backbone, seconds=1.5)
    told = manifest(tmp_path / "stop")
    module = backbone.architecture.mlp_out.format(1)
    before = matrix(backbone.module(module)).clone()
    with merged(backbone, found.delta):
        moved = matrix(backbone.module(module)) - before
    (change,) = told["changes"]
    assert (change["module"], change["layer"]) == (module, 1)
    assert change["norm"] == pytest.approx(moved.norm().item(), rel=1e-4)
    assert change["relative"] == pytest.approx((moved.norm() / before.norm()).item(), rel=1e-4)
    assert told["seconds"] == 1.5
    assert told["made_of"]["backbone"]["weights"] == backbone.digest


def test_many_factors_become_the_matrix_that_is_smaller() -> None:
    draw = torch.Generator().manual_seed(0)
    one, other = (LowRank(torch.randn(6, 2, generator=draw), torch.randn(4, 2, generator=draw)) for _ in range(2))
    both = total(one, other)
    assert isinstance(both, Dense)
    torch.testing.assert_close(both.weight, one.dense(6, 4) + other.dense(6, 4))
    few = total(LowRank(one.U[:, :1], one.V[:, :1]), LowRank(other.U[:, :1], other.V[:, :1]))
    assert isinstance(few, LowRank)


def test_in_half_precision_a_sum_of_small_edits_is_not_lost(llama: Backbone) -> None:
    """Each of them alone would be rounded away."""
    half = Backbone.of("half", copy.deepcopy(llama.model).to(torch.bfloat16), llama.tokenizer)
    name = half.architecture.mlp_out.format(1)
    before = matrix(half.module(name)).clone()
    step = before.float().abs() * 2**-9
    changed = []
    for times in (1, 16):
        with merged(half, Delta({name: Dense(step * times)})):
            changed.append(float((matrix(half.module(name)) != before).float().mean()))
    assert changed[0] < changed[1] == 1.0


def test_what_the_config_knows_of_methods_is_so() -> None:
    """The configuration is checked without torch, so that what it knows of editors is written there too."""
    assert EDITORS.keys() >= settings.NO_WEIGHTS | settings.ONE_AT_A_TIME
    for method, kind in EDITORS.items():
        if method not in settings.NO_WEIGHTS:
            assert kind.holds_many == (method not in settings.ONE_AT_A_TIME)


def _command(model: Path, facts: Path, out: Path) -> list[str]:
    arguments = {
        "--facts": str(facts),
        "--name": "tiny",
        "--entry": json.dumps({"path": str(model), "device": "cpu"}),
        "--method": "ROME",
        "--hparams": json.dumps({**SEARCH, "v_num_grad_steps": 40, "v_loss_tolerance": 0.0}),
        "--language": "en",
        "--edits": "3",
        "--out": str(out),
    }
    options = [part for pair in arguments.items() for part in pair]
    return [sys.executable, "-c", "from crossedit.cli import main; main()", "sweeps", "edit", *options]


KILLED_AFTER_A_PAGE = """
import os, signal
from crossedit.cli import main
from crossedit.sweeps.journal import Journal
write = Journal.write
Journal.write = lambda *given: (write(*given), os.kill(os.getpid(), signal.SIGKILL))
main()
"""


def test_a_killed_sweep_ends_with_the_same_checkpoint_bit_for_bit(
    llama: Backbone, facts: pl.DataFrame, tmp_path: Path
) -> None:
    model, table = tmp_path / "model", tmp_path / "facts.parquet"
    llama.model.save_pretrained(model)
    llama.tokenizer.save_pretrained(model)
    write(facts, FACTS, table, {})
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(_command(model, table, tmp_path / "whole"), check=True, env=env, capture_output=True)

    command = _command(model, table, tmp_path / "killed")
    command[2] = KILLED_AFTER_A_PAGE
    assert subprocess.run(command, check=False, env=env, capture_output=True).returncode == -signal.SIGKILL
    journal = tmp_path / "killed.journal"
    assert not (tmp_path / "killed").exists()
    pages = {page: page.stat().st_mtime_ns for page in journal.glob("*/[0-9]*")}
    assert 1 <= len(pages) < 3

    subprocess.run(_command(model, table, tmp_path / "killed"), check=True, env=env, capture_output=True)
    assert not journal.exists()
    files = [tmp_path / name / "delta/delta.safetensors" for name in ("whole", "killed")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert load_file(files[0])
    whole, again = (manifest(tmp_path / name) for name in ("whole", "killed"))
    assert {**whole, "seconds": 0} == {**again, "seconds": 0}
