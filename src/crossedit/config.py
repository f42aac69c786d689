"""The configuration: checked before any job starts, and read by the rules.

    config = checked(raw)               defaults filled in; UserError names the field, the value and what to do
    for cell in cells(config): …        the grid: facts x backbones x editors x languages

Nothing here imports a model library, so that `snakemake -n` stays quick.
"""

import importlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from crossedit.backbones.recipe.settings import Recipe
from crossedit.edits.hparams import FOLDER, blocks_of, check_hparams, hparams_of
from crossedit.errors import UserError, nearest
from crossedit.files import check_files, listed, read_yaml
from crossedit.grammar import first_mistake
from crossedit.runs.estimates.sizes import depth
from crossedit.sweeps.settings import check_sweeps, check_tasks, sweeps

SCHEMA = Path("workflow/schemas/config.schema.yaml")


class Cell(NamedTuple):
    """One cell of the grid, by the names in the config."""

    facts: str
    backbone: str
    editor: str
    language: str


def checked(raw: Mapping[str, Any], schema: Path = SCHEMA) -> dict[str, Any]:
    """Return the configuration with all defaults. Raises UserError for the first mistake in it."""
    raw = _expanded(raw)
    grammar = _grammar(schema)
    if mistake := first_mistake(raw, grammar):
        raise UserError(f"config: {mistake}")
    config: dict[str, Any] = _filled(raw, grammar, grammar)
    config.setdefault("evaluation_languages", config["languages"])
    for name, entry in config["facts"].items():
        _check_facts(name, entry, config)
    for name, entry in config["backbones"].items():
        _check_backbone(name, entry, config)
    for name, entry in config["editors"].items():
        _check_editor(name, entry, config)
    if "capability" in config:
        _check_capability(config)
    if config["f1_tokens"] not in ("own", "characters"):
        _check_model("config: f1_tokens", config["f1_tokens"])
    check_tasks(config)
    check_sweeps(config)
    for kind in ("include", "exclude"):
        for number, pattern in enumerate(config[kind]):
            for field, value in pattern.items():
                known = config["languages"] if field == "language" else config[_PLURAL[field]]
                if value not in known:
                    raise UserError(f"config: {kind}.{number}.{field}: '{value}' is unknown; {nearest(value, known)}")
    if not any(cells(config)) and not config["sweeps"]:
        raise UserError("config: include, exclude: leave no cell of the grid; take a pattern away.")
    if config["reports"]["protocol"] not in config["protocols"]:
        raise UserError(
            f"config: reports.protocol: '{config['reports']['protocol']}' is not among protocols "
            f"{config['protocols']}; add it there."
        )
    _check_layers(config)
    return config


def _check_capability(config: dict[str, Any]) -> None:
    """Fill in which backbones are asked the benchmarks: all of them. Raises UserError for one that isn't there."""
    entry = config["capability"]
    entry.setdefault("backbones", list(config["backbones"]))
    for name in entry["backbones"]:
        if name not in config["backbones"]:
            raise UserError(f"config: capability.backbones: '{name}' is unknown; {nearest(name, config['backbones'])}")


def check_report(entry: Mapping[str, Any], schema: Path = SCHEMA) -> None:
    """Check what a report reads of a configuration, of which any section, and much in it, may be missing.

    Raises UserError for the first value of another kind than the schema's.
    """
    grammar = _partial(_grammar(schema))
    named = (
        *("facts", "backbones", "editors", "languages", "evaluation_languages", "protocols"),
        *("include", "exclude", "f1_tokens", "reports", "tasks", "sweeps", "capability"),
    )
    _check_parts(entry, {name: grammar["properties"][name] for name in named}, grammar, "--entry")


def check_benchmarks(entry: Mapping[str, Any], schema: Path = SCHEMA) -> None:
    """Check a configuration's `capability` by itself. Raises UserError for the first mistake in it."""
    grammar = _grammar(schema)
    section = {"capability": grammar["properties"]["capability"]}
    _check_parts({"capability": entry}, section, grammar, "--capability")


def _grammar(schema: Path) -> dict[str, Any]:
    if not schema.exists():
        raise UserError(f"{schema}: no such file in {Path.cwd()}; change to the repository's root.")
    grammar: dict[str, Any] = read_yaml(schema)
    return grammar


def _partial(grammar: Any) -> Any:
    """Return a schema in which nothing must be there; no property may be called as the rules that go."""
    if isinstance(grammar, list):
        return [_partial(part) for part in grammar]
    if not isinstance(grammar, dict):
        return grammar
    return {key: _partial(part) for key, part in grammar.items() if key not in ("required", "minProperties")}


def _check_parts(
    entry: Mapping[str, Any], sections: Mapping[str, Any], grammar: Mapping[str, Any], option: str
) -> None:
    parts = {"type": "object", "properties": sections, "$defs": grammar["$defs"]}
    if mistake := first_mistake(entry, parts):
        raise UserError(f"{option}: {mistake}")


_PLURAL = {"facts": "facts", "backbone": "backbones", "editor": "editors"}


def cells(config: Mapping[str, Any]) -> Iterator[Cell]:
    """Yield the cells of the grid: those that match some `include` (if there are any) and no `exclude`."""
    for facts in config["facts"]:
        for backbone in config["backbones"]:
            for editor in config["editors"]:
                for language in config["languages"]:
                    cell = Cell(facts, backbone, editor, language)
                    if config["include"] and not _matches(cell, config["include"]):
                        continue
                    if not _matches(cell, config["exclude"]):
                        yield cell


def hparams(config: Mapping[str, Any], editor: str, backbone: str) -> dict[str, Any]:
    """Return all hyperparameters of an editor on a backbone."""
    entry = config["editors"][editor]
    block = config["backbones"][backbone].get("hparams", backbone)
    return hparams_of(entry["method"], block, entry.get("hparams"))


def covariance_layers(config: Mapping[str, Any], backbone: str) -> list[int]:
    """Return the layers whose covariances some editor wants of the backbone."""
    layers: set[int] = set()
    for editor in config["editors"]:
        found = hparams(config, editor, backbone)
        if found.get("mom2_adjustment"):
            layers |= set(found["layers"])
    return sorted(layers)


def is_trained(hparams: Mapping[str, Any]) -> bool:
    """Return whether an editor with these hyperparameters is trained before it edits."""
    return "early_stop_key" in hparams


def train_size(entry: Mapping[str, Any]) -> int | None:
    """Return how many training facts an editor's entry lets it use; None for all."""
    return number(entry.get("train_size", "all"))


def number(size: int | str) -> int | None:
    """Return how many are wanted; None for all."""
    return None if isinstance(size, str) else size


def version(stage: str, of: str = "VERSION") -> int:
    """Return a stage's version: rules carry it, since Snakemake can't see a change inside a package."""
    number: int = getattr(importlib.import_module(f"crossedit.{stage}"), of)
    return number


# What the embeddings of training facts depend on, of an in-context editor's hyperparameters.
EMBEDDED = ("encoder", "pool_prompt", "nq_prefix")


def embedding(hparams: Mapping[str, Any]) -> str:
    """Return the name that the embeddings for these hyperparameters have in paths."""
    return slug(" ".join(hparams[name] for name in EMBEDDED))


def embeddings(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what in-context editors want embedded, by its name in paths."""
    found = {}
    for editor in config["editors"]:
        for backbone in config["backbones"]:
            wanted = hparams(config, editor, backbone)
            if "encoder" in wanted:
                found[embedding(wanted)] = {name: wanted[name] for name in EMBEDDED}
    return found


def slug(text: str) -> str:
    """Return a hub id or path as a file name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("_")


def _expanded(value: Any) -> Any:
    """Return the value with `${NAME}` and `${NAME:-default}` in its texts replaced from the environment."""
    if isinstance(value, Mapping):
        return {_expanded(name): _expanded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    if not isinstance(value, str):
        return value

    def filled(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        found = os.environ.get(name, default)
        if found is None:
            raise UserError(f"config: '{value}' needs the environment variable {name}; set it.")
        return found

    return re.sub(r"\$\{(?P<name>\w+)(:-(?P<default>[^}]*))?\}", filled, value)


def _matches(cell: Cell, patterns: list[dict[str, str]]) -> bool:
    named = cell._asdict()
    return any(all(named[field] == value for field, value in pattern.items()) for pattern in patterns)


def _check_facts(name: str, entry: dict[str, Any], config: dict[str, Any]) -> None:
    where = f"config: facts.{name}"
    own = [split for split in ("train", "validation", "test") if split in entry]
    if ("files" in entry) == bool(own):
        raise UserError(f"{where}: needs either `files`, or files for `train`, `validation`, `test`.")
    for field in ("files", *own):
        check_files(f"{where}.{field}", entry.get(field, []))
    translation = entry.get("translation")
    if translation:
        made = {translation["source"], *translation["targets"]}
        for language in dict.fromkeys([*config["languages"], *config["evaluation_languages"]]):
            if language not in made:
                raise UserError(
                    f"{where}.translation: makes {sorted(made)}, but `languages` or `evaluation_languages` also has "
                    f"'{language}'; add it to `targets`."
                )
        for field in ("prompt", "corrections", "expert"):
            check_files(f"{where}.translation.{field}", translation.get(field, []))


def _check_backbone(name: str, entry: dict[str, Any], config: dict[str, Any]) -> None:
    where = f"config: backbones.{name}"
    if ("path" in entry) == ("recipe" in entry):
        raise UserError(f"{where}: needs either a `path` (hub id or folder) or a `recipe` to train it.")
    if "path" in entry:
        _check_model(f"{where}.path", entry["path"])
    if "recipe" in entry and entry["recipe"]["facts"] not in config["facts"]:
        wanted = entry["recipe"]["facts"]
        raise UserError(f"{where}.recipe.facts: '{wanted}' is unknown; {nearest(wanted, config['facts'])}")
    if "recipe" in entry:
        recipe = dict(entry["recipe"])
        texts = recipe.pop("texts", None)
        if texts and not Path(texts).is_dir():
            raise UserError(f"{where}.recipe.texts: '{texts}' is no folder; name a demo folder, or leave it away.")
        try:
            Recipe.of(recipe)
        except UserError as error:
            raise UserError(f"{where}.{error}") from None
    blocks = {block for path in FOLDER.glob("*.yaml") for block in blocks_of(path.stem)}
    if "hparams" in entry and entry["hparams"] not in blocks:
        hint = nearest(entry["hparams"], blocks)
        raise UserError(f"{where}.hparams: no method has a block '{entry['hparams']}'; {hint}")
    if entry.get("trust_remote_code") and not entry.get("revision"):
        raise UserError(f"{where}.trust_remote_code: needs a pinned `revision` beside it.")
    for file in listed(entry.get("covariance_text", [])):
        if not Path(file).exists():
            raise UserError(f"{where}.covariance_text: '{file}' doesn't exist; name text files.")


def _check_model(where: str, path: str) -> None:
    """Raise UserError for a model's folder that isn't there; of what may be a hub's id the hub is asked later."""
    if path.startswith("~"):
        raise UserError(f"{where}: '{path}' isn't found, as `~` is not read here; write {Path(path).expanduser()}.")
    if path.startswith(("/", "./", "../")) or path.count("/") > 1:
        check_files(where, path, "give the folder of a model, or a hub id.")


def _check_layers(config: Mapping[str, Any]) -> None:
    """Raise UserError for an editor of the grid, or of a sweep, whose layers the backbone is known not to have."""
    edited = [(cell.editor, cell.backbone) for cell in cells(config)]
    edited += [(config["sweeps"][sweep]["editor"], backbone) for sweep, backbone in sweeps(config)]
    for editor, backbone in dict.fromkeys(edited):
        layers, known = hparams(config, editor, backbone).get("layers", []), depth(config, backbone)
        if known is not None and any(layer >= known for layer in layers):
            raise UserError(
                f"config: editors.{editor}: edits layers {layers}, but those of backbones.{backbone} are 0 to "
                f"{known - 1}; set `layers` in the editor's hparams, or name a block of hyperparameters as the "
                "backbone's `hparams`."
            )


def _check_editor(name: str, entry: dict[str, Any], config: dict[str, Any]) -> None:
    where = f"config: editors.{name}"
    method = entry["method"]
    if name == "unedited":
        raise UserError("config: editors.unedited: the name stands for the backbone as it is; choose another.")
    known = [path.stem for path in FOLDER.glob("*.yaml")]
    if method not in known:
        raise UserError(f"{where}.method: '{method}' is unknown; {nearest(method, known)}")
    default = hparams_of(method, "")
    check_hparams(f"{where}.hparams", method, entry.get("hparams", {}))
    if "train_size" in entry and not (is_trained(default) or "encoder" in default):
        raise UserError(f"{where}.train_size: {method} uses no training facts; leave the field away.")
    size = train_size(entry)
    for facts, described in config["facts"].items():
        drawn = described.get("splits", {}).get("train")
        if size is not None and isinstance(drawn, int) and drawn < size:
            raise UserError(
                f"{where}.train_size: {size} training facts are wanted, but facts.{facts}.splits.train draws {drawn}; "
                "raise that, or lower this."
            )
    if entry["engine"] == "easyeditor":
        if "rect" in entry:
            raise UserError(f"{where}.rect: RECT works on crossedit's own edits; take it or `engine` away.")
        if "easyeditor" not in config:
            raise UserError(f"{where}.engine: easyeditor needs a checkout; name its folder as easyeditor.path.")
        if not Path(config["easyeditor"]["path"]).is_dir():
            raise UserError(
                f"config: easyeditor.path: '{config['easyeditor']['path']}' is no folder; name a checkout of EasyEdit."
            )


def _filled(value: Any, schema: dict[str, Any], grammar: dict[str, Any]) -> Any:
    """Return the value with the schema's defaults in the places that were left away."""
    if "$ref" in schema:
        return _filled(value, grammar["$defs"][schema["$ref"].rsplit("/", 1)[1]], grammar)
    if not isinstance(value, Mapping):
        return value
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    filled = {}
    for name, item in value.items():
        part = known.get(name, rest if isinstance(rest, dict) else {})
        filled[name] = _filled(item, part, grammar)
    for name, part in known.items():
        if "$ref" in part:
            part = grammar["$defs"][part["$ref"].rsplit("/", 1)[1]]
        if name not in filled and "default" in part:
            filled[name] = _filled(part["default"], part, grammar)
    return filled
