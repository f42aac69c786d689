# What the rules share: the checked configuration and the paths of artefacts.
import json
import shlex
import sys

from crossedit import config as configuration
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


def as_json(value):
    """A config section as the one argument that a command line takes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def facts_table(name):
    """The facts that edits use: translated ones where the entry translates."""
    stage = "translation" if "translation" in config["facts"][name] else "facts"
    return f"{RESULTS}/{stage}/{name}/facts.parquet"


def model_folder(name):
    """The folder that a recipe trains, as an input; nothing for a backbone that is there already."""
    trained = "recipe" in config["backbones"][name]
    return [f"{RESULTS}/backbones/{name}/model"] if trained else []


def backbone_path(name):
    return (model_folder(name) or [config["backbones"][name].get("path")])[0]


def backbone_entry(name):
    """What loads a backbone: its config without what concerns other stages."""
    entry = config["backbones"][name]
    kept = ("revision", "dtype", "device", "trust_remote_code")
    return as_json({"path": backbone_path(name)} | {key: entry[key] for key in kept if key in entry})


def cell_folder(cell):
    return f"{RESULTS}/edits/{cell.facts}/{cell.backbone}/{cell.editor}/{cell.language}"


def predictions(cell):
    shards = config["editors"][cell.editor]["shards"]
    return [f"{cell_folder(cell)}/predictions.{shard}-of-{shards}.parquet" for shard in range(1, shards + 1)]


def option(name, value):
    """A command line option, or nothing where its value is empty."""
    return f"{name} {shlex.quote(str(value))}" if value else ""


onerror:
    shell("echo 'A job failed: its log is named above. The others are kept; run the same command again to go on.' >&2")
