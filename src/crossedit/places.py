"""Where the experiment puts what it makes, by the checked configuration.

    facts_table(config, "demo")                            results/translation/demo/facts.parquet
    materials(config, "demo", "demo-bi", "MEMIT", "en")    {"covariance": "results/backbones/demo-bi/covariance.…"}

Nothing here imports a model library, so that `snakemake -n` stays quick.
"""

from collections.abc import Mapping
from typing import Any

from crossedit import UNEDITED
from crossedit import config as configuration
from crossedit.config import Cell
from crossedit.sweeps.settings import Sweep, asked


def facts_table(config: Mapping[str, Any], facts: str) -> str:
    """Return the facts that edits use: translated ones where the entry translates."""
    stage = "translation" if "translation" in config["facts"][facts] else "facts"
    return f"{config['results']}/{stage}/{facts}/facts.parquet"


def backbone_folder(config: Mapping[str, Any], backbone: str) -> str:
    """Return the folder of what is made of a backbone: a trained model, context texts, covariances, answers."""
    return f"{config['results']}/backbones/{backbone}"


def cell_folder(config: Mapping[str, Any], cell: Cell) -> str:
    """Return the folder of a cell's predictions and scores, and of what its editor has trained."""
    return f"{config['results']}/edits/{cell.facts}/{cell.backbone}/{cell.editor}/{cell.language}"


def predictions(config: Mapping[str, Any], cell: Cell) -> list[str]:
    """Return the files of a cell's predictions, one per shard."""
    folder, shards = cell_folder(config, cell), config["editors"][cell.editor]["shards"]
    return [f"{folder}/predictions.{shard}-of-{shards}.parquet" for shard in range(1, shards + 1)]


def materials(config: Mapping[str, Any], facts: str, backbone: str, editor: str, language: str) -> dict[str, str]:
    """Return the artefacts that an editor draws on, by the names that `load_materials` has for them."""
    wanted = configuration.hparams(config, editor, backbone)
    made = backbone_folder(config, backbone)
    files = {}
    if wanted.get("context_template_length_params"):
        files["contexts"] = f"{made}/contexts.json"
    if wanted.get("mom2_adjustment"):
        files["covariance"] = f"{made}/covariance.safetensors"
    if "encoder" in wanted:
        name = configuration.embedding(wanted)
        files["embeddings"] = f"{config['results']}/edits/{facts}/embeddings/{name}.{language}.safetensors"
    if configuration.is_trained(wanted):
        files["trained"] = f"{cell_folder(config, Cell(facts, backbone, editor, language))}/trained"
    return files


def probes(config: Mapping[str, Any], facts: str, backbone: str) -> str:
    """Return the questions about a set of facts as a backbone is asked them."""
    return f"{backbone_folder(config, backbone)}/{facts}/probes.parquet"


def unedited(config: Mapping[str, Any], facts: str, backbone: str) -> str:
    """Return what the unedited backbone answers to them."""
    return f"{backbone_folder(config, backbone)}/{facts}/unedited.parquet"


def sweep_folder(config: Mapping[str, Any], sweep: Sweep) -> str:
    """Return the folder of a sweep on one backbone: its tables, and a folder per stop."""
    return f"{config['results']}/sweeps/{sweep.sweep}/{sweep.backbone}"


def checkpoints(config: Mapping[str, Any], sweep: Sweep) -> list[str]:
    """Return the sweep's checkpoints, folders, in the order of its stops."""
    stops = config["sweeps"][sweep.sweep]["stops"]
    return [f"{sweep_folder(config, sweep)}/{stop}/checkpoint" for stop in stops]


def edited_facts(config: Mapping[str, Any], sweep: Sweep) -> list[str]:
    """Return what the checkpoints answer about the facts edited so far."""
    stops = config["sweeps"][sweep.sweep]["stops"]
    return [f"{sweep_folder(config, sweep)}/{stop}/facts.parquet" for stop in stops]


def verdicts(config: Mapping[str, Any], sweep: Sweep) -> list[str]:
    """Return the verdicts on tasks: the unedited backbone's, which sweeps share, and every stop's."""
    if not asked(config, sweep):
        return []
    before = f"{sweep_folder(config, Sweep(UNEDITED, sweep.backbone))}/0"
    folders = [before, *(f"{sweep_folder(config, sweep)}/{stop}" for stop in config["sweeps"][sweep.sweep]["stops"])]
    return [f"{folder}/verdicts.parquet" for folder in folders]
