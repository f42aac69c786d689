"""What all trained editors share: which facts they learn from, the loop, and going on after a kill."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.tail import Tail
from crossedit.edits.editors.serac import SERACHparams
from crossedit.edits.retrieval import load_pool
from crossedit.edits.training import loop
from crossedit.edits.training.examples import examples_of, training_facts
from crossedit.edits.training.loop import Learner, Losses, TrainingHparams, train
from crossedit.edits.training.run import train_editor
from crossedit.edits.training.state import State
from crossedit.edits.training.texts import Texts
from crossedit.edits.training.trained import Trained
from crossedit.errors import UserError
from crossedit.tables import FACTS, write

HPARAMS = TrainingHparams(
    lr=0.1,
    cedit=0.1,
    cloc=1.0,
    batch_size=1,
    accumulate_bs=3,
    max_iters=30,
    val_interval=6,
    val_steps=10,
    early_stop_patience=1000,
    early_stop_key="loss/total_edit_val",
    grad_clip=100.0,
)
MEND = {**vars(HPARAMS), "layers": [1, 2], "rank": 4, "n_hidden": 1, "edit_lr": 0.01, "lr_lr": 1e-3, "lr": 1e-4}


@pytest.fixture
def split(facts: pl.DataFrame) -> pl.DataFrame:
    """Six training facts and two for validation, of the three that there are."""
    parts = [
        facts.with_columns(split=pl.lit(name), case_id=pl.col("case_id") + 10 * number)
        for number, name in enumerate(("train", "train", "validation"))
    ]
    return pl.concat(parts)


class Walk(Learner):
    """A learner of one number, whose validation losses are given in order."""

    def __init__(self, told: Sequence[float] = ()) -> None:
        self.network = nn.Linear(1, 1, bias=False)
        self.network.weight.data.zero_()
        self.training, self.validation = range(7), range(7, 9)
        self.told = iter(told)
        self.drawn: list[int] = []

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.network.parameters()), "lr": 0.1}]

    def losses(self, facts: Sequence[int], episodes: int) -> Losses:
        assert len(facts) == episodes
        weight = self.network.weight[0, 0]
        if not torch.is_grad_enabled():
            loss = torch.full((episodes,), next(self.told, 1.0))
            return Losses(0 * loss, loss, loss, loss)
        self.drawn += facts
        each = (weight - torch.tensor([float(fact) for fact in facts])) ** 2
        return Losses(0 * each, each, each, each)


def walk(tmp_path: Path, told: Sequence[float], **changed: Any) -> tuple[Walk, list[dict[str, float | None]]]:
    learner = Walk(told)
    return learner, train(learner, replace(HPARAMS, **changed), 0, tmp_path / "state.safetensors", "digest")


def test_every_fact_comes_once_before_any_comes_again(tmp_path: Path) -> None:
    drawn = walk(tmp_path, [], max_iters=21)[0].drawn
    turns = [drawn[start : start + 7] for start in (0, 7, 14)]
    assert all(sorted(turn) == list(range(7)) for turn in turns)
    assert len({tuple(turn) for turn in turns}) == 3


def test_training_stops_when_nothing_has_got_better_for_long_and_the_best_state_stays(tmp_path: Path) -> None:
    learner, curve = walk(tmp_path, [5.0, 4.0, 2.0, 3.0, 3.0, 3.0, 1.0], early_stop_patience=12)
    assert [row["step"] for row in curve] == [0, 6, 12, 18, 24]
    assert [row["loss"] for row in curve] == [5.0, 4.0, 2.0, 3.0, 3.0]
    shorter, _ = walk(tmp_path, [5.0, 4.0, 2.0], max_iters=12)
    assert learner.network.weight.item() == shorter.network.weight.item()


def test_success_can_be_what_the_best_state_is_best_at(tmp_path: Path) -> None:
    _, curve = walk(tmp_path, [0.1, 0.5, 0.9, 0.2, 0.2, 0.2], early_stop_key="edit/acc_val", early_stop_patience=6)
    assert [row["step"] for row in curve] == [0, 6, 12, 18]


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    learner = Walk()
    learner.network.weight.data.fill_(math.nan)
    with pytest.raises(UserError, match="the loss is nan after 0 episodes; lower `lr`"):
        train(learner, HPARAMS, 0, tmp_path / "state.safetensors", "digest")


def test_values_that_mean_nothing_are_told() -> None:
    with pytest.raises(UserError, match="edit_on: 'rephrse' is not allowed; did you mean 'rephrase'"):
        replace(HPARAMS, edit_on="rephrse")
    with pytest.raises(UserError, match="mixture: 'softly' is not allowed; did you mean 'soft'"):
        SERACHparams(**vars(HPARAMS), classifier="backbone", replacement="backbone", mixture="softly")
    with pytest.raises(UserError, match="val_interval is 0; it must be at least 1"):
        replace(HPARAMS, val_interval=0)
    with pytest.raises(UserError, match="an episode edits 3 facts, but there are 2 validation facts"):
        train(Walk(), replace(HPARAMS, batch_size=3), 0, Path("state"), "digest")


def test_a_state_of_another_training_is_left_aside(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    learner = Walk()
    optimiser = torch.optim.Adam(learner.groups())
    State(step=18, best={"weight": torch.ones(1, 1)}).save(path, "one", learner.network, optimiser)
    assert State.load(path, "other", learner.network, optimiser) is None
    found = State.load(path, "one", learner.network, optimiser)
    assert found is not None
    assert found.step == 18
    path.write_bytes(b"no safetensors")
    assert State.load(path, "one", learner.network, optimiser) is None


def test_smaller_training_sets_are_part_of_larger_ones_in_every_language(split: pl.DataFrame) -> None:
    sizes = {size: set(training_facts(split, size, seed=3)["case_id"]) for size in (1, 2, 4, 6)}
    assert [len(cases) for cases in sizes.values()] == [1, 2, 4, 6]
    assert sizes[1] < sizes[2] < sizes[4] < sizes[6]
    for language in ("en", "zh"):
        rows = training_facts(split, 2, seed=3).filter(pl.col("lang") == language)
        assert set(rows["case_id"]) == sizes[2]
    others = [set(training_facts(split, 2, seed=seed)["case_id"]) for seed in range(8)]
    assert len(set(map(frozenset, others))) > 1
    assert len(training_facts(split, None, seed=0)) == 12


def test_too_few_training_facts_are_told(split: pl.DataFrame) -> None:
    with pytest.raises(UserError, match=r"train_size: 7 training facts are wanted, but the training split has 6; draw"):
        training_facts(split, 7, seed=0)
    with pytest.raises(UserError, match="of the 6 training facts in 'en', none has a rephrase"):
        examples_of(split.filter(pl.col("split") == "train").with_columns(rephrase=pl.lit(None)), "en", "training")


def test_an_in_context_editor_shows_the_same_training_facts(
    split: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossedit.edits import retrieval

    test = split.filter(pl.col("split") == "validation").with_columns(split=pl.lit("test"))
    table = pl.concat([split, test])
    monkeypatch.setattr(
        retrieval, "_encode", lambda texts, _: torch.arange(len(texts))[:, None].float() * torch.ones(1, 4)
    )
    retrieval.embed_facts(table, "en", "none", tmp_path / "e.safetensors")
    whole = load_pool(table, "en", tmp_path / "e.safetensors")
    part = load_pool(table, "en", tmp_path / "e.safetensors", train_size=2, seed=3)
    shown = training_facts(table, 2, seed=3).filter(pl.col("lang") == "en")
    assert set(part.demonstrations) == set(retrieval.demonstrations_of(shown))
    for text, vector in zip(part.demonstrations, part.embeddings, strict=True):
        places = [number for number, other in enumerate(whole.demonstrations) if other == text]
        assert any(torch.equal(whole.embeddings[place], vector) for place in places)


def test_kept_states_are_those_of_a_pass(backbone: Backbone, facts: pl.DataFrame) -> None:
    pairs = facts.select("prompt", "target").rows()
    texts = Texts(backbone, pairs, start=1, batch_tokens=40)
    rows, tail = texts.pick([4, 0, 3])
    fresh = Tail(backbone, rows.batch, 1)
    own = rows.batch.mask.bool()
    torch.testing.assert_close(tail.hidden[own], fresh.hidden[own], rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(tail()[own], fresh()[own], rtol=1e-4, atol=1e-4)
        logits = backbone.logits(rows.batch, rows.place_row, rows.place_column)
    torch.testing.assert_close(texts.unedited([4, 0, 3]), logits, rtol=1e-4, atol=1e-4)


def test_layers_below_the_edit_are_run_once(llama: Backbone, facts: pl.DataFrame) -> None:
    texts = Texts(llama, facts.select("prompt", "target").rows(), start=2)
    ran: list[int] = []
    handles = [
        llama.module(f"model.layers.{layer}.mlp").register_forward_hook(lambda *_, layer=layer: ran.append(layer))
        for layer in range(3)
    ]
    _, tail = texts.pick([1, 2])
    tail()
    for handle in handles:
        handle.remove()
    assert ran == [2]
    assert "forward" not in vars(llama.module("model.layers.0"))


def test_what_was_trained_is_kept_with_its_curve(split: pl.DataFrame, llama: Backbone, tmp_path: Path) -> None:
    out = tmp_path / "trained"
    train_editor(llama, "MEND", MEND, split, "en", 4, 0, out)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "curve.csv",
        "manifest.json",
        "trained",
        "trained.safetensors",
    ]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["method"] == "MEND"
    assert manifest["training_facts"] == 4
    assert manifest["backbone"]["weights"] == llama.digest
    rows = list(csv.DictReader((out / "curve.csv").open()))
    assert [int(row["step"]) for row in rows] == [0, 6, 12, 18, 24, 30]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert Trained.load(out).digest == manifest["digest"]
    with pytest.raises(UserError, match="holds nothing trained"):
        Trained.load(tmp_path)


def test_validation_facts_that_no_validation_asks_are_left_aside(
    split: pl.DataFrame, llama: Backbone, tmp_path: Path
) -> None:
    """Their states would be computed and kept for nothing."""
    train_editor(llama, "MEND", {**MEND, "val_steps": 1}, split, "en", 2, 0, tmp_path / "one")
    assert json.loads((tmp_path / "one" / "manifest.json").read_text())["validation_facts"] == 1
    train_editor(llama, "MEND", MEND, split, "en", 2, 0, tmp_path / "all")
    assert json.loads((tmp_path / "all" / "manifest.json").read_text())["validation_facts"] == 3


def test_editors_that_are_not_trained_are_refused(split: pl.DataFrame, llama: Backbone, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="IKE isn't trained"):
        train_editor(llama, "IKE", {"k": 1}, split, "en", None, 0, tmp_path / "trained")


KILLED_AFTER_A_VALIDATION = """
import os, signal
from crossedit.cli import main
from crossedit.edits.training.state import State
save = State.save
State.save = lambda *given: (save(*given), os.kill(os.getpid(), signal.SIGKILL))
main()
"""


def test_a_killed_training_goes_on_to_the_same_result(
    split: pl.DataFrame, llama: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL after a validation; the same command again ends where an undisturbed training ends."""
    drawn = loop._drawn
    hparams = {**MEND, "max_iters": 360, "val_interval": 30, "early_stop_patience": 360}
    llama.model.save_pretrained(tmp_path / "model")
    llama.tokenizer.save_pretrained(tmp_path / "model")
    write(split, FACTS, tmp_path / "facts.parquet", {})
    entry = {"path": str(tmp_path / "model"), "device": "cpu"}
    out, state = tmp_path / "killed", tmp_path / "killed.state.safetensors"
    command = [sys.executable, "-c", KILLED_AFTER_A_VALIDATION, "edits", "train"]
    command += ["--facts", str(tmp_path / "facts.parquet"), "--name", "tiny", "--entry", json.dumps(entry)]
    command += ["--method", "MEND", "--hparams", json.dumps(hparams), "--language", "en", "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run(command, check=False, env=environment, capture_output=True).returncode == -signal.SIGKILL
    assert state.exists()
    assert not out.exists()

    starts: list[list[int]] = [[], []]
    backbone = Backbone.load("tiny", entry)
    for name, begun in zip(("killed", "undisturbed"), starts, strict=True):
        monkeypatch.setattr(loop, "_drawn", lambda *given, begun=begun: begun.append(given[1]) or drawn(*given))
        train_editor(backbone, "MEND", hparams, split, "en", None, 0, tmp_path / name)
    assert starts[1][0] == 0 < starts[0][0]
    assert not state.exists()
    assert (out / "curve.csv").read_text() == (tmp_path / "undisturbed" / "curve.csv").read_text()
    resumed, whole = (load_file(tmp_path / name / "trained.safetensors") for name in ("killed", "undisturbed"))
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor), name
