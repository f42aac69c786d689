# What the rules share: the checked configuration and the paths of artefacts.
import json
import shlex
import sys
from functools import partial

from crossedit import config as configuration
from crossedit import places
from crossedit.errors import UserError

try:
    config = configuration.checked(config)
    CELLS = list(configuration.cells(config))
except UserError as error:
    print(f"crossedit: {error}", file=sys.stderr)
    raise SystemExit(2)

RESULTS = config["results"]
LANGUAGES = ",".join(config["languages"])
ASKED = list(dict.fromkeys([*config["languages"], *config["evaluation_languages"]]))
PROTOCOLS = ",".join(config["protocols"])


wildcard_constraints:
    facts="|".join(map(re.escape, config["facts"])),
    backbone="|".join(map(re.escape, config["backbones"])),
    editor="|".join(map(re.escape, config["editors"])),
    language="|".join(map(re.escape, ASKED)),
    shard=r"\d+",


def as_json(value, as_written=False):
    """A config section as the one argument that a command line takes; `as_written`: in the config's own order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=not as_written)


facts_table = partial(places.facts_table, config)
cell_folder = partial(places.cell_folder, config)
predictions = partial(places.predictions, config)


def model_folder(name):
    """The folder that a recipe trains, as an input; nothing for a backbone that is there already."""
    trained = "recipe" in config["backbones"][name]
    return [f"{places.backbone_folder(config, name)}/model"] if trained else []


def model_files(name):
    """What a backbone is loaded from, as inputs: a trained folder, or the files of a local one; none for a hub id."""
    path = Path(config["backbones"][name].get("path", ""))
    local = [str(file) for file in sorted(path.iterdir()) if file.is_file()] if path.name and path.is_dir() else []
    return model_folder(name) or local


def backbone_path(name):
    return (model_folder(name) or [config["backbones"][name].get("path")])[0]


def backbone_entry(name):
    """What loads a backbone: its config without what concerns other stages."""
    entry = config["backbones"][name]
    kept = ("revision", "dtype", "device", "trust_remote_code")
    return as_json({"path": backbone_path(name)} | {key: entry[key] for key in kept if key in entry})


def option(name, value):
    """A command line option, or nothing where its value is empty."""
    return f"{name} {shlex.quote(str(value))}" if value else ""


def fact_files(wildcards):
    """Every file of an entry; a folder counts by the files in it."""
    entry = config["facts"][wildcards.facts]
    named = [entry[field] for field in ("files", "train", "validation", "test") if field in entry]
    paths = [Path(path) for field in named for path in ([field] if isinstance(field, str) else field)]
    return [str(file) for path in paths for file in (sorted(path.glob("*")) if path.is_dir() else [path])]


def source_languages(name):
    translation = config["facts"][name].get("translation")
    return [translation["source"]] if translation else ASKED


def recipe_texts(backbone):
    """The files of the demo folder whose further texts the recipe learns."""
    folder = config["backbones"][backbone]["recipe"].get("texts")
    return [str(file) for file in sorted(Path(folder).iterdir())] if folder else []


def covariance_texts(backbone):
    named = config["backbones"][backbone].get("covariance_text", [])
    return [named] if isinstance(named, str) else named


def covariance_languages(backbone):
    """The languages of the facts whose texts are read; none named: all."""
    return config["backbones"][backbone].get("covariance_languages", [])


def covariance_facts(backbone):
    """The facts whose texts stand in where no text is named: those that trained the backbone, else the first."""
    recipe = config["backbones"][backbone].get("recipe")
    return recipe["facts"] if recipe else next(iter(config["facts"]))


def context_options(backbone):
    entry = config["backbones"][backbone].get("contexts", {})
    lengths = ",".join(map(str, entry.get("lengths", [])))
    return f"{option('--lengths', lengths)} {option('--number', entry.get('number'))}"


def embedding_layout(name):
    """The options for how training facts are laid out where they are embedded."""
    wanted = configuration.embeddings(config)[name]
    return f"{option('--pool-prompt', wanted['pool_prompt'])} {option('--nq-prefix', wanted['nq_prefix'])}"


def hparams(wildcards):
    return configuration.hparams(config, wildcards.editor, wildcards.backbone)


def train_size(wildcards):
    """The option that bounds the training facts of an editor that uses any."""
    return option("--train-size", configuration.train_size(config["editors"][wildcards.editor]))


def rect(wildcards):
    entry = config["editors"][wildcards.editor]
    return option("--rect", as_json(entry["rect"])) if "rect" in entry else ""


def by_easyeditor(wildcards):
    return config["editors"][wildcards.editor]["engine"] == "easyeditor"


def engine(wildcards):
    """The options for a cell that runs in a user's checkout of EasyEdit."""
    if not by_easyeditor(wildcards):
        return ""
    return f"--engine easyeditor {option('--checkout', config['easyeditor']['path'])}"


def materials(wildcards):
    """The artefacts that this editor draws on, by the option that takes them."""
    return places.materials(config, wildcards.facts, wildcards.backbone, wildcards.editor, wildcards.language)


onerror:
    shell("echo 'A job failed: its log is named above. The others are kept; run the same command again to go on.' >&2")
