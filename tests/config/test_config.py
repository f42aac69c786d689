"""A configuration is checked before any job starts: defaults are filled in, the grid follows."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossedit.config import Cell, cells, checked, covariance_layers, embedding, embeddings, hparams
from crossedit.errors import UserError
from crossedit.sweeps.settings import sweeps

ROOT = Path(__file__).parents[2]
Config = dict[str, Any]


def test_what_is_left_away_takes_its_default(raw: Config) -> None:
    given = copy.deepcopy(raw)
    config = checked(raw)
    assert raw == given
    assert config["seed"] == 0
    assert config["results"] == "results"
    assert config["evaluation_languages"] == ["en", "zh"]
    assert config["protocols"] == ["teacher_forced", "generated", "upstream"]
    assert config["include"] == config["exclude"] == []
    assert config["reports"] == {
        "protocol": "teacher_forced",
        "metric": "em",
        "table_1_tokenizer": "words",
        "intervals": False,
        "browser_rows": 100_000,
        "published": {},
    }
    assert "capability" not in config
    assert config["f1_tokens"] == "own"
    assert config["facts"]["demo"]["originals"] == "source"
    assert config["facts"]["demo"]["subject_missing"] == "leave_out"
    assert config["editors"]["ROME"] == {"method": "ROME", "engine": "crossedit", "shards": 1}
    assert checked(config) == config


def test_what_is_given_stays(raw: Config) -> None:
    raw |= {"seed": 7, "evaluation_languages": ["zh"], "protocols": ["upstream"], "reports": {"protocol": "upstream"}}
    raw["editors"]["ROME"]["shards"] = 4
    config = checked(raw)
    assert (config["seed"], config["evaluation_languages"], config["protocols"]) == (7, ["zh"], ["upstream"])
    assert config["editors"]["ROME"]["shards"] == 4
    assert config["reports"]["protocol"] == "upstream"


@pytest.mark.parametrize(
    "path", [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))], ids=lambda p: p.name
)
def test_shipped_configurations_are_valid(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # Only whether data files exist is checked, so that empty ones stand in for them.
    for name in re.findall(r"\$\{CROSSEDIT_DATA:-[^}]*\}/([\w./-]+)", text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setenv("CROSSEDIT_DATA", str(tmp_path))
    document = yaml.safe_load(text)
    if "facts" not in document:  # it is laid over the demo's
        whole = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
        sweeps_of = {name: entry | document["sweeps"].get(name, {}) for name, entry in whole["sweeps"].items()}
        document = whole | document | {"sweeps": sweeps_of}
    config = checked(document)
    if path.name == "bizsre.yaml":  # the published tokens, as beside.py has it
        assert config["f1_tokens"] == config["backbones"]["chinese-llama-plus-7b"]["path"]
    assert list(cells(config)) or list(sweeps(config))


def test_texts_take_what_the_environment_says(raw: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    raw["results"] = "${PLACE:-results}/run-${RUN}"
    monkeypatch.setenv("RUN", "3")
    monkeypatch.delenv("PLACE", raising=False)
    assert checked(raw)["results"] == "results/run-3"
    monkeypatch.setenv("PLACE", "elsewhere")
    assert checked(raw)["results"] == "elsewhere/run-3"
    monkeypatch.delenv("RUN")
    with pytest.raises(UserError, match=r"^config: .* needs the environment variable RUN; set it\.$"):
        checked(raw)


def test_the_grid_is_the_product_without_what_is_excluded(raw: Config) -> None:
    assert len(list(cells(checked(raw)))) == 4
    raw["exclude"] = [{"editor": "IKE", "language": "zh"}]
    assert list(cells(checked(raw))) == [
        Cell("demo", "tiny", "ROME", "en"),
        Cell("demo", "tiny", "ROME", "zh"),
        Cell("demo", "tiny", "IKE", "en"),
    ]
    raw["include"] = [{"editor": "IKE"}]
    assert list(cells(checked(raw))) == [Cell("demo", "tiny", "IKE", "en")]
    raw["include"].append({"language": "zh"})
    assert list(cells(checked(raw))) == [Cell("demo", "tiny", "ROME", "zh"), Cell("demo", "tiny", "IKE", "en")]


def test_hyperparameters_are_defaults_then_the_backbones_block_then_the_config(raw: Config) -> None:
    raw["editors"]["ROME"]["hparams"] = {"v_num_grad_steps": 3}
    document = yaml.safe_load((ROOT / "resources/hparams/ROME.yaml").read_text(encoding="utf-8"))
    found = hparams(checked(raw), "ROME", "tiny")
    assert found == {**document["defaults"], **document["blocks"]["demo"], "v_num_grad_steps": 3}
    del raw["backbones"]["tiny"]["hparams"]
    assert hparams(checked(raw), "ROME", "tiny") == {**document["defaults"], "v_num_grad_steps": 3}


def test_what_editors_want_of_a_backbone(raw: Config) -> None:
    raw["editors"] |= {"ROME-2": {"method": "ROME", "hparams": {"layers": [2, 0], "mom2_adjustment": True}}}
    raw["editors"]["ROME"]["hparams"] = {"layers": [5], "mom2_adjustment": False}
    config = checked(raw)
    assert covariance_layers(config, "tiny") == [0, 2]
    raw["editors"]["IKE-published"] = {"method": "IKE", "hparams": {"pool_prompt": "Q:{} A:", "nq_prefix": "lstrip"}}
    wanted = embeddings(checked(raw))
    assert {tuple(layout.values())[1:] for layout in wanted.values()} == {("{}", "removeprefix"), ("Q:{} A:", "lstrip")}
    for name, layout in wanted.items():
        assert name == embedding(layout)
        assert not set(name) & set("/{}: ")
