"""`crossedit backbones …`"""

import json
from pathlib import Path
from typing import Any

import click

from crossedit.claims import Job
from crossedit.options import FILE, FOLDER, model_options, parse_json


@click.group(name="backbones")
def commands() -> None:
    """Train, prepare and question language models."""


_FACTS = click.option("--facts", required=True, type=Path, help="Facts table (parquet).")
_OUT = click.option("--out", required=True, type=FILE)
_FOLDER = click.option("--out", required=True, type=FOLDER)
_SEED = click.option("--seed", default=0, show_default=True)
_LANGUAGES = click.option("--languages", required=True, help="Codes, separated by commas.")


@commands.command(cls=Job)
@_FACTS
@click.option("--entry", required=True, callback=parse_json, help="JSON: the backbone's `recipe`.")
@click.option("--tasks", multiple=True, type=Path, help="Worked items (`crossedit sweeps texts`), for `recipe.tasks`.")
@_SEED
@_FOLDER
def train(facts: Path, entry: dict[str, Any], tasks: tuple[Path, ...], seed: int, out: Path) -> None:
    """Train a small LLaMA and its tokenizer on a facts table, as a transformers folder."""
    import polars as pl

    from crossedit.backbones.recipe.training import train_backbone
    from crossedit.facts.demo import read_texts, training_texts
    from crossedit.tables import FACTS, read

    texts = entry.pop("texts", None)
    worked = pl.concat(map(read_texts, tasks)) if tasks else None
    train_backbone(read(facts, FACTS), training_texts(Path(texts)) if texts else None, entry, seed, out, worked)


@commands.command(cls=Job)
@model_options
@_LANGUAGES
@click.option("--lengths", default="5,10", show_default=True, help="Lengths of the texts in tokens.")
@click.option("--number", default=10, show_default=True, help="Texts per length.")
@_SEED
@_OUT
def contexts(name: str, entry: dict[str, Any], languages: str, lengths: str, number: int, seed: int, out: Path) -> None:
    """Write the texts that locate-then-edit methods put before prompts."""
    from crossedit.backbones.backbone import Backbone
    from crossedit.backbones.contexts import write_contexts
    from crossedit.files import whole

    backbone = Backbone.load(name, entry)
    sizes = [int(length) for length in lengths.split(",")]
    texts = write_contexts(backbone, languages.split(","), sizes, number, seed)
    with whole(out) as temporary:
        document = {"weights": backbone.digest, "seed": seed, "texts": texts}
        temporary.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")


@commands.command(cls=Job)
@model_options
@_FACTS
@click.option("--text", multiple=True, type=Path, help="Text files (.txt, or .jsonl with `text`); default: the facts.")
@click.option("--layers", required=True, help="Numbers, separated by commas.")
@click.option("--languages", default="", help="Codes, separated by commas: what is in others is passed over.")
@click.option("--tokens", default=1_000_000, show_default=True, help="How many tokens are read at most.")
@_OUT
def covariance(
    name: str,
    entry: dict[str, Any],
    facts: Path,
    text: tuple[Path, ...],
    layers: str,
    languages: str,
    tokens: int,
    out: Path,
) -> None:
    """Measure the second moments of the keys of MLP output projections."""
    from crossedit.backbones.backbone import Backbone
    from crossedit.backbones.covariance import covariances, save_covariances
    from crossedit.backbones.texts import fact_texts, file_texts
    from crossedit.tables import FACTS, read

    wanted = [code for code in languages.split(",") if code]
    texts = file_texts(text, wanted) if text else fact_texts(read(facts, FACTS), wanted)
    backbone = Backbone.load(name, entry)
    found, used = covariances(backbone, texts, [int(layer) for layer in layers.split(",") if layer], tokens)
    save_covariances(found, out, backbone, used)


@commands.command(cls=Job, outputs=("probes", "answers"))
@model_options
@_FACTS
@_LANGUAGES
@click.option("--protocols", required=True, help="Names, separated by commas.")
@click.option("--probes", required=True, type=FILE, help="Where the tokenised questions go.")
@click.option("--answers", required=True, type=FILE, help="Where the unedited model's answers go.")
def ask(
    name: str, entry: dict[str, Any], facts: Path, languages: str, protocols: str, probes: Path, answers: Path
) -> None:
    """Put every question of the test facts to the unedited model."""
    import polars as pl

    from crossedit.backbones.answers import answer
    from crossedit.backbones.backbone import Backbone
    from crossedit.backbones.probes import make_probes
    from crossedit.files import digest
    from crossedit.progress import track
    from crossedit.tables import ANSWERS, FACTS, PROBES, read, write

    test = read(facts, FACTS).filter(pl.col("split") == "test")
    backbone = Backbone.load(name, entry)
    questions = make_probes(test, backbone, languages.split(","))
    # In slices, so that the bar moves.
    slices = [(protocol, part) for protocol in protocols.split(",") for part in questions.iter_slices(1024)]
    given = [answer(backbone, part, protocol) for protocol, part in track(slices, "asking")]
    made = {"backbone": name, "weights": backbone.digest, "facts": digest(facts), "dtype": str(backbone.model.dtype)}
    write(questions, PROBES, probes, made)
    write(pl.concat(given), ANSWERS, answers, {**made, "device": str(backbone.device)})


@commands.command(cls=Job)
@model_options
@click.option(
    "--capability",
    "asked",
    required=True,
    callback=parse_json,
    help="JSON: `tasks` of lm-eval, and where wanted num_fewshot, limit, include_path (a folder with further tasks).",
)
@_SEED
@_OUT
def capability(name: str, entry: dict[str, Any], asked: dict[str, Any], seed: int, out: Path) -> None:
    """Ask the benchmarks of lm-eval, such as C-Eval and MMLU; needs the environment of envs/lm-eval.yaml."""
    from crossedit.backbones.backbone import Backbone
    from crossedit.backbones.capability import Benchmarks, load, measure
    from crossedit.files import write_json

    loaded = load(Benchmarks.of(asked))  # before the backbone, which may take minutes
    backbone = Backbone.load(name, entry)
    made = {"path": entry["path"], "revision": entry.get("revision")}
    write_json(made | measure(backbone, loaded, seed), out)
