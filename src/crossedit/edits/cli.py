"""`crossedit edits …`"""

import json
from pathlib import Path
from typing import Any

import click

from crossedit.claims import Job
from crossedit.errors import UserError
from crossedit.options import FILE, FOLDER, all_of, model_options, parse_json


@click.group(name="edits")
def commands() -> None:
    """Edit facts, question the edited model, score its answers."""


def parse_shard(_: click.Context, __: click.Parameter, value: str) -> tuple[int, int]:
    """Return ("2/4") as (2, 4). Raises UserError for anything but a shard among its number."""
    number, _slash, shards = value.partition("/")
    if not (number.isdigit() and shards.isdigit() and 1 <= int(number) <= int(shards)):
        raise UserError(f"--shard: '{value}' is no shard; write the shard and the number of shards, as 2/4.")
    return int(number), int(shards)


_FACTS = click.option("--facts", required=True, type=Path, help="Facts table (parquet).")
_OUT = click.option("--out", required=True, type=FILE)
_FOLDER = click.option("--out", required=True, type=FOLDER)
_VALUES = click.option(
    "--values", "values_path", required=True, type=FILE, help="Where to write what each answer is worth."
)
_SEED = click.option("--seed", default=0, show_default=True)


def cell_of(*names: str) -> Any:
    """Return the option that names a cell, with what it must say."""

    def parse(context: click.Context, option: click.Parameter, value: str) -> dict[str, Any]:
        found = parse_json(context, option, value)
        if missing := [name for name in names if not isinstance(found.get(name), str)]:
            raise UserError(f"--cell: `{missing[0]}` is missing; give the names of {', '.join(names)}.")
        return found

    shown = ", ".join(f'"{name}": …' for name in names)
    return click.option("--cell", required=True, callback=parse, help=f"JSON: names of the cell, {{{shown}}}.")


_TRAIN_SIZE = click.option("--train-size", type=int, help="How many training facts are used; default: all.")
_TOKENS = (
    click.option("--f1-tokens", default="own", show_default=True, help="own, characters, or a tokenizer."),
    click.option("--entry", default="{}", callback=parse_json, help="JSON: the backbone's config, for its own tokens."),
)


@commands.command(cls=Job)
@_FACTS
@click.option("--language", required=True)
@click.option("--encoder", required=True, help="Sentence encoder: hub id or path.")
@click.option("--pool-prompt", default="{}", show_default=True, help="How a known fact's question is laid out.")
@click.option("--nq-prefix", default="removeprefix", show_default=True, help="removeprefix, or lstrip as published.")
@_OUT
def embed(facts: Path, language: str, encoder: str, pool_prompt: str, nq_prefix: Any, out: Path) -> None:
    """Embed the training facts' demonstrations and the test facts' queries."""
    from crossedit.edits.retrieval import Layout, embed_facts
    from crossedit.tables import FACTS, read

    embed_facts(read(facts, FACTS), language, encoder, out, Layout(pool_prompt, nq_prefix))


# Which editor works on which backbone in which language.
editor_options = all_of(
    model_options,
    click.option("--method", required=True, help="ROME, FT-M, …"),
    click.option("--hparams", required=True, callback=parse_json, help="JSON: all hyperparameters."),
    click.option("--language", required=True, help="The editing language."),
)
# What an editor of weights draws on.
materials_options = all_of(
    click.option("--contexts", type=Path, help="Texts to put before prompts."),
    click.option("--covariance", type=Path),
    click.option("--trained", type=Path, help="What `crossedit edits train` wrote, for MEND and SERAC."),
    click.option(
        "--rect",
        callback=lambda *given: parse_json(*given) if given[2] else None,
        help="JSON: what RECT keeps of the changes of weights.",
    ),
)


@commands.command(cls=Job)
@_FACTS
@editor_options
@_TRAIN_SIZE
@_SEED
@_FOLDER
def train(
    facts: Path,
    name: str,
    entry: dict[str, Any],
    method: str,
    hparams: dict[str, Any],
    language: str,
    train_size: int | None,
    seed: int,
    out: Path,
) -> None:
    """Train what MEND or SERAC needs; after a kill, the same command goes on from its last validation."""
    import torch

    from crossedit.backbones.backbone import Backbone
    from crossedit.edits.training.run import train_editor
    from crossedit.tables import FACTS, read

    torch.manual_seed(seed)
    train_editor(Backbone.load(name, entry), method, hparams, read(facts, FACTS), language, train_size, seed, out)


@commands.command(cls=Job)
@_FACTS
@editor_options
@click.option("--probes", required=True, type=Path)
@click.option("--unedited", required=True, type=Path, help="The unedited model's answers.")
@materials_options
@click.option("--embeddings", type=Path, help="For in-context editors.")
@_TRAIN_SIZE
@click.option("--engine", type=click.Choice(["crossedit", "easyeditor"]), default="crossedit", show_default=True)
@click.option("--checkout", type=Path, help="A checkout of EasyEdit, for `--engine easyeditor`.")
@click.option("--protocols", required=True, help="Names, separated by commas.")
@click.option("--shard", default="1/1", show_default=True, callback=parse_shard, help="Which part of the facts: 2/4.")
@click.option("--batch-size", default=64, show_default=True, help="Facts edited together.")
@_SEED
@_OUT
def run(
    facts: Path,
    name: str,
    entry: dict[str, Any],
    method: str,
    hparams: dict[str, Any],
    language: str,
    probes: Path,
    unedited: Path,
    contexts: Path | None,
    covariance: Path | None,
    embeddings: Path | None,
    trained: Path | None,
    train_size: int | None,
    rect: dict[str, Any] | None,
    engine: str,
    checkout: Path | None,
    protocols: str,
    shard: tuple[int, int],
    batch_size: int,
    seed: int,
    out: Path,
) -> None:
    """Work through one cell: edit every test fact by itself and ask all its questions."""
    import polars as pl
    import torch

    from crossedit.backbones.backbone import Backbone
    from crossedit.edits import easyeditor
    from crossedit.edits.cell import run_cell, share_out
    from crossedit.edits.editors import make_editor
    from crossedit.edits.materials import load_materials
    from crossedit.edits.requests import make_requests
    from crossedit.files import digest
    from crossedit.tables import ANSWERS, FACTS, PREDICTIONS, PROBES, read, write

    torch.manual_seed(seed)
    table = read(facts, FACTS)
    backbone = Backbone.load(name, entry)
    materials = load_materials(
        backbone, table, language, hparams, contexts, covariance, embeddings, trained, train_size, seed
    )
    editor = make_editor(method, hparams, materials, rect)
    number, shards = shard
    edited = make_requests(table.filter(pl.col("split") == "test"), language)
    requests = share_out(edited, batch_size, number, shards)
    asked = (requests, read(probes, PROBES), read(unedited, ANSWERS), protocols.split(","))
    if engine == "easyeditor":
        if checkout is None:
            raise UserError("--checkout: `--engine easyeditor` needs a checkout of EasyEdit; name its folder.")
        predictions, seconds = easyeditor.run_cell(backbone, easyeditor.EasyEditor(checkout, method, editor), *asked)
    else:
        predictions, seconds = run_cell(backbone, editor, *asked, batch_size)
    provenance = {
        "backbone": {"name": name, "weights": backbone.digest, "dtype": str(backbone.model.dtype)},
        "editor": {"method": method, "hparams": hparams, "train_size": train_size, "rect": rect, "engine": engine},
        "edit_lang": language,
        "facts": digest(facts),
        "device": str(backbone.device),
        "torch": torch.__version__,
        "seed": seed,
        "shard": f"{number}/{shards}",
        "seconds": {**seconds, "facts": len(requests)},
    }
    write(predictions, PREDICTIONS, out, provenance)
    per_fact = {part: round(value / len(requests), 4) for part, value in seconds.items()}
    click.echo(json.dumps({"facts": len(requests), "seconds per fact": per_fact}), err=True)


@commands.command(cls=Job, outputs=("out", "values_path"))
@click.argument("predictions", nargs=-1, required=True, type=Path)
@cell_of("facts", "backbone", "editor", "edit_lang")
@_TOKENS[0]
@_TOKENS[1]
@_SEED
@_OUT
@_VALUES
def score(
    predictions: tuple[Path, ...],
    cell: dict[str, str],
    f1_tokens: str,
    entry: dict[str, Any],
    seed: int,
    out: Path,
    values_path: Path,
) -> None:
    """Score a cell's predictions, which may lie in several shards; no model is needed."""
    import polars as pl

    from crossedit.edits import scores
    from crossedit.files import digest
    from crossedit.tables import PREDICTIONS, SCORES, VALUES, read, write

    table = pl.concat([read(path, PREDICTIONS) for path in predictions])
    each = scores.values(table.sort(scores.KEY), scores.tokens_of(f1_tokens, entry))
    made = {"predictions": digest(*predictions), "f1_tokens": f1_tokens, "seed": seed}
    write(scores.of_cell(each, cell), VALUES, values_path, made)
    write(scores.cell_scores(each, cell, seed), SCORES, out, made)


@commands.command(cls=Job, outputs=("out", "values_path"))
@click.option("--probes", required=True, type=Path)
@click.option("--unedited", required=True, type=Path)
@click.option("--languages", required=True, help="Editing languages, separated by commas.")
@cell_of("facts", "backbone")
@_TOKENS[0]
@_TOKENS[1]
@_SEED
@_OUT
@_VALUES
def score_unedited(
    probes: Path,
    unedited: Path,
    languages: str,
    cell: dict[str, str],
    f1_tokens: str,
    entry: dict[str, Any],
    seed: int,
    out: Path,
    values_path: Path,
) -> None:
    """Score the backbone as it is, as the first row of every table."""
    from crossedit.edits import scores
    from crossedit.edits.predictions import unedited_predictions
    from crossedit.files import digest
    from crossedit.tables import ANSWERS, PROBES, SCORES, VALUES, read, write

    frame = unedited_predictions(read(probes, PROBES), read(unedited, ANSWERS))
    each = scores.values(frame, scores.tokens_of(f1_tokens, entry))
    made = {"unedited": digest(unedited), "f1_tokens": f1_tokens, "seed": seed}
    named = languages.split(",")
    write(scores.unedited_values(each, cell, named), VALUES, values_path, made)
    write(scores.unedited_scores(each, cell, named, seed), SCORES, out, made)
