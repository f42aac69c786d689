"""A mistake in a configuration is one sentence that names field and value, before any job starts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossedit.config import checked
from crossedit.errors import UserError

ROOT = Path(__file__).parents[2]
Config = dict[str, Any]


def at(path: str, value: Any) -> Callable[[Config], None]:
    """Return what sets the field at a dotted path."""

    def change(raw: Config) -> None:
        *parents, last = path.split("/")
        place = raw
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = value

    return change


def without(path: str) -> Callable[[Config], None]:
    def change(raw: Config) -> None:
        *parents, last = path.split("/")
        place = raw
        for name in parents:
            place = place[name]
        del place[last]

    return change


WRONG = [
    (at("editor", {}), "editor: unknown field; did you mean 'editors'?"),
    (at("editors/ROMA", {"method": "ROMA"}), "editors.ROMA.method: 'ROMA' is unknown; did you mean 'ROME'?"),
    (
        at("editors/ROME/hparams", {"v_steps": 3}),
        "editors.ROME.hparams.v_steps: ROME has no such hyperparameter; did you mean",
    ),
    (at("editors/ROME/hparams", 3), "editors.ROME.hparams: 3 must be a mapping of fields."),
    (
        at("facts/demo/files", ["resources/demo/fact"]),
        "facts.demo.files: 'resources/demo/fact' doesn't exist; did you mean 'resources/demo/facts'?",
    ),
    (
        at("facts/demo/files", "nowhere/facts.json"),
        "facts.demo.files: 'nowhere/facts.json' doesn't exist; give the path of a data file.",
    ),
    (
        at("tasks", {"sst2": {"files": "nothere.tsv"}}),
        "tasks.sst2.files: 'nothere.tsv' doesn't exist; give the path of a data file.",
    ),
    (at("languages", ["en", "Chinese"]), "languages.1: 'Chinese' is no language code; write it as en or zh."),
    (at("languages", ["en", "en"]), "languages: ['en', 'en'] names something twice; remove one."),
    (at("languages", []), "languages: is empty; name at least one."),
    (at("languages", "en"), "languages: 'en' must be a list."),
    (without("languages"), "`languages` is missing; add it."),
    (at("languages", ["en", "zh", "de"]), "facts.demo.translation: makes ['en', 'zh'], but"),
    (at("evaluation_languages", ["fr"]), "also has 'fr'; add it to `targets`."),
    (at("editors/ROME/shards", -1), "editors.ROME.shards: -1 is too small; it must be at least 1."),
    (at("editors/ROME/batch_size", 0), "editors.ROME.batch_size: 0 is too small; it must be at least 1."),
    (at("editors/ROME/batch_size", "all"), "editors.ROME.batch_size: 'all' must be a whole number."),
    (at("seed", -1), "seed: -1 is too small; it must be at least 0."),
    (at("seed", True), "seed: True must be a whole number."),
    (at("seed", "one"), "seed: 'one' must be a whole number."),
    (at("protocols", ["teacher"]), "protocols.0: 'teacher' is not allowed; "),
    (at("protocols", ["generated"]), "reports.protocol: 'teacher_forced' is not among protocols ['generated']; add it"),
    (
        at("capability", {"tasks": ["mmlu"], "backbones": ["demo-bo"]}),
        "capability.backbones: 'demo-bo' is unknown; known are: tiny",
    ),
    (at("reports", {"protocol": "greedy"}), "reports.protocol: 'greedy' is not allowed; "),
    (at("facts/demo/test", "resources/demo/facts"), "facts.demo: needs either `files`, or files for `train`,"),
    (without("facts/demo/files"), "facts.demo: needs either `files`, or files for `train`,"),
    (at("facts/demo/files", []), "facts.demo.files: is empty; name at least one."),
    (
        at("facts/demo/splits", {"test": "many"}),
        "facts.demo.splits.test: 'many' is no size; write a whole number, or all.",
    ),
    (at("facts/demo/splits", {"test": -3}), "facts.demo.splits.test: -3 is no size; write a whole number, or all."),
    (at("facts/demo/splits", {"tset": 3}), "facts.demo.splits.tset: unknown field; did you mean 'test'?"),
    (at("facts/demo/originals", "swap"), "facts.demo.originals: 'swap' is not allowed; known are: derange, source."),
    (
        at("facts/demo/translation/base_url", "api.openai.com"),
        "facts.demo.translation.base_url: it is no address; it begins with https:// and holds neither name",
    ),
    (at("facts/demo/translation/timeout", 0), "facts.demo.translation.timeout: 0 is too small; it must be above 0."),
    (without("facts/demo/translation/store"), "facts.demo.translation: `store` is missing; add it."),
    (
        at("facts/demo/translation/corrections", "nowhere.csv"),
        "facts.demo.translation.corrections: 'nowhere.csv' doesn't exist;",
    ),
    (
        at("facts/demo/translation/model", {"train": "a", "test": "b"}),
        "facts.demo.translation.model: `validation` is missing; add it.",
    ),
    (at("backbones/tiny/recipe", {"facts": "demo"}), "backbones.tiny: needs either a `path` (hub id or folder) or a"),
    (without("backbones/tiny/path"), "backbones.tiny: needs either a `path` (hub id or folder) or a `recipe`"),
    (
        at("backbones/own", {"recipe": {"facts": "dmeo"}}),
        "backbones.own.recipe.facts: 'dmeo' is unknown; did you mean 'demo'?",
    ),
    (at("backbones/tiny/trust_remote_code", True), "backbones.tiny.trust_remote_code: needs a pinned `revision`"),
    (at("backbones/tiny/dtype", "float"), "backbones.tiny.dtype: 'float' is not allowed; did you mean 'float32'?"),
    (at("backbones/tiny/device", "gpu"), "backbones.tiny.device: 'gpu' is no device; write auto, cpu, cuda or cuda:0."),
    (
        at("backbones/tiny/covariance_text", ["nowhere.txt"]),
        "backbones.tiny.covariance_text: 'nowhere.txt' doesn't exist; name text files.",
    ),
    (
        at("backbones/tiny/path", "./resource"),
        "backbones.tiny.path: './resource' doesn't exist; did you mean 'resources'?",
    ),
    (
        at("backbones/tiny/path", "/nowhere/model"),
        "backbones.tiny.path: '/nowhere/model' doesn't exist; give the folder of a model, or a hub id.",
    ),
    (at("backbones/tiny/path", "models/of/mine"), "backbones.tiny.path: 'models/of/mine' doesn't exist; give the"),
    (
        at("backbones/tiny/path", "~/model"),
        f"backbones.tiny.path: '~/model' isn't found, as `~` is not read here; write {Path.home()}/model.",
    ),
    (at("f1_tokens", "./resource"), "f1_tokens: './resource' doesn't exist; did you mean 'resources'?"),
    (at("backbones/tiny", None), "backbones.tiny: is empty; fill it, or leave it away."),
    (at("editors", {}), "editors: is empty; name at least one."),
    (
        lambda raw: raw["editors"].update({"FT/L": {"method": "FT-L"}}),
        "editors: 'FT/L' can't name a folder; use letters, digits, dots, dashes and underscores.",
    ),
    (at("editors/ROME", {"hparams": {}}), "editors.ROME: `method` is missing; add it."),
    (at("exclude", [{"editor": "MEMIT"}]), "exclude.0.editor: 'MEMIT' is unknown; known are: IKE, ROME."),
    (at("include", [{"language": "fr"}]), "include.0.language: 'fr' is unknown; known are: en, zh."),
    (at("exclude", [{"editors": "IKE"}]), "exclude.0.editors: unknown field; did you mean 'editor'?"),
    (at("exclude", [{}]), "exclude.0: is empty; name at least one."),
    (at("exclude", [{"facts": "demo"}]), "include, exclude: leave no cell of the grid"),
    (at("editors/unedited", {"method": "ROME"}), "editors.unedited: the name stands for the backbone as it is"),
    (at("editors/ROME/hparams", {"v_lr": "fast"}), "editors.ROME.hparams.v_lr: 'fast' is no value for it"),
    (at("editors/ROME/hparams", {"layers": 5}), "editors.ROME.hparams.layers: 5 is no value for it"),
    (at("editors/ROME/hparams", {"layers": [-1]}), "editors.ROME.hparams.layers: [-1] are no layers; write whole"),
    (
        at("editors/ROME/hparams", {"v_num_grad_steps": -3}),
        "editors.ROME.hparams.v_num_grad_steps: -3 is too small; it must be at least 1.",
    ),
    (
        at("editors/ROME/hparams", {"clamp_norm_factor": -0.5}),
        "editors.ROME.hparams.clamp_norm_factor: -0.5 is too small; it must be at least 0.",
    ),
    (at("backbones/tiny", {"path": "x", "hparams": "dmeo"}), "backbones.tiny.hparams: no method has a block 'dmeo'"),
    (at("backbones/tiny", {"recipe": {"facts": "demo", "stepz": 3}}), "backbones.tiny.recipe.stepz: no such field"),
    (at("backbones/tiny", {"recipe": {"facts": "demo", "steps": -1}}), "backbones.tiny.recipe.steps: -1 must be"),
    (
        at("backbones/tiny", {"recipe": {"facts": "demo", "texts": "nowhere"}}),
        "backbones.tiny.recipe.texts: 'nowhere' is no folder",
    ),
    (at("results", "my results"), "results: 'my results' must be a folder name"),
    (
        at("editors/ROME/train_size", 100),
        "editors.ROME.train_size: ROME uses no training facts; leave the field away.",
    ),
    (at("editors/IKE/train_size", "many"), "editors.IKE.train_size: 'many' is no number of training facts; write a"),
    (at("editors/IKE/train_size", 0), "editors.IKE.train_size: 0 is no number of training facts; write a"),
    (
        lambda raw: (
            at("editors/IKE/train_size", 200)(raw),
            at("facts/demo/splits", {"train": 160})(raw),
        ),
        "editors.IKE.train_size: 200 training facts are wanted, but facts.demo.splits.train draws 160; raise that",
    ),
    (at("editors/ROME/rect", {"keep": 1.5}), "editors.ROME.rect.keep: 1.5 is no share of the entries; write a number"),
    (at("editors/ROME/rect", {"selection": "raito"}), "editors.ROME.rect.selection: 'raito' is not allowed; did you"),
    (at("editors/ROME/engine", "easyedit"), "editors.ROME.engine: 'easyedit' is not allowed; did you mean 'easyeditor"),
    (at("editors/ROME/engine", "easyeditor"), "editors.ROME.engine: easyeditor needs a checkout; name its folder as"),
    (
        lambda raw: (
            at("editors/ROME/engine", "easyeditor")(raw),
            at("easyeditor", {"path": "nowhere"})(raw),
        ),
        "easyeditor.path: 'nowhere' is no folder; name a checkout of EasyEdit.",
    ),
    (
        lambda raw: raw["editors"]["ROME"].update({"engine": "easyeditor", "rect": {"keep": 0.4}}),
        "editors.ROME.rect: RECT works on crossedit's own edits; take it or `engine` away.",
    ),
    (
        at("backbones/tiny/covariance_languages", ["English"]),
        "backbones.tiny.covariance_languages.0: 'English' is no language code",
    ),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_a_mistake_is_one_sentence_that_names_field_and_value(
    change: Callable[[Config], None], said: str, raw: Config
) -> None:
    change(raw)
    with pytest.raises(UserError) as caught:
        checked(raw)
    message = str(caught.value)
    assert message.startswith("config: ")
    assert said in message
    assert "\n" not in message
    assert message[-1] in ".?"


NO_LAYER = (
    r"^config: editors\.ROME: edits layers \[5\], but those of backbones\.tiny are 0 to 2; set `layers` in the "
    "editor's hparams, or name a block of hyperparameters as the backbone's `hparams`\\.$"
)


@pytest.mark.parametrize("where", ["folder", "recipe"])
@pytest.mark.parametrize("by_default", [True, False])
def test_an_editor_has_its_layers_in_every_backbone_that_it_edits(
    where: str, by_default: bool, raw: Config, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 3}', encoding="utf-8")
    of = {"path": str(tmp_path)} if where == "folder" else {"recipe": {"facts": "demo", "layers": 3}}
    raw["backbones"]["tiny"] = of if by_default else {**of, "hparams": "demo"}
    if not by_default:
        checked(raw)
        raw["editors"]["ROME"]["hparams"] = {"layers": [5]}
    with pytest.raises(UserError, match=NO_LAYER):
        checked(raw)
    # Only what is edited counts: in the grid, or in a sweep.
    raw["exclude"] = [{"editor": "ROME"}]
    checked(raw)
    raw["sweeps"] = {"one": {"editor": "ROME", "setting": "instance-sequential", "stops": [1]}}
    with pytest.raises(UserError, match=NO_LAYER):
        checked(raw)


@pytest.mark.parametrize("raw", [None, [], "facts"])
def test_what_is_no_mapping_is_refused(raw: Any) -> None:
    with pytest.raises(UserError, match=r"^config: .*(empty|mapping)"):
        checked(raw)


def test_a_password_in_an_address_is_refused_and_not_repeated(raw: dict[str, Any]) -> None:
    raw["facts"]["demo"]["translation"]["base_url"] = "https://ann:secret@example.org/v1"
    with pytest.raises(UserError, match="neither name, password nor query") as caught:
        checked(raw)
    assert "secret" not in str(caught.value)
