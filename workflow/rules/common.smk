# What the rules share: the checked configuration and the paths of artefacts.
import atexit
import gc
import json
import os
import shlex
import shutil
import sys
from functools import cache, partial
from pathlib import Path

from crossedit import UNEDITED
from crossedit import config as configuration
from crossedit import places
from crossedit.errors import UserError
from crossedit.files import listed
from crossedit.reports import contents, published
from crossedit.runs.estimates import durations, memory, needs
from crossedit.sweeps import settings
from crossedit.translation.settings import ASKING, PEOPLE

# A plan of thousands of jobs is millions of objects that all live to its end: to look through them for garbage again and
# again, and once more before the process ends, takes a quarter of the time.
gc.set_threshold(100_000, 50, 1000)
atexit.register(gc.freeze)

try:
    config = configuration.checked(config)
    CELLS = list(configuration.cells(config))
    memory.check_shards(config)
    TABLES = list(contents.tables(config))
    FIGURES = list(contents.figures(config))
except UserError as error:
    print(f"crossedit: {error}", file=sys.stderr)
    raise SystemExit(2)

RESULTS = config["results"]
LANGUAGES = ",".join(config["languages"])
ASKED = list(dict.fromkeys([*config["languages"], *config["evaluation_languages"]]))
PROTOCOLS = ",".join(config["protocols"])
TASK = "|".join(map(re.escape, config["tasks"])) or "none"
SWEPT = "|".join(map(re.escape, config["sweeps"])) or "none"
SWEEPS = list(settings.sweeps(config))
# Backbones that are asked the benchmarks of lm-eval, where the configuration names any.
CAPABLE = config["capability"]["backbones"] if "capability" in config else []

# Jobs find this environment's programs where it hasn't been activated.
if shutil.which("crossedit") is None:
    os.environ.update(PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}")

if config["offline"]:
    # For the hub's libraries, in all jobs: what isn't on the machine is an error, not a download.
    os.environ.update(HF_HUB_OFFLINE="1")


wildcard_constraints:
    facts="|".join(map(re.escape, config["facts"])),
    backbone="|".join(map(re.escape, config["backbones"])),
    editor="|".join(map(re.escape, config["editors"])),
    language="|".join(map(re.escape, ASKED)),
    shard=r"\d+",
    task=TASK,
    sweep=f"{SWEPT}|{UNEDITED}",
    stop=r"\d+",


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


def editing_languages(wildcards):
    """The languages in which a set of facts is edited in a backbone."""
    named = (wildcards.facts, wildcards.backbone)
    used = {cell.language for cell in CELLS if (cell.facts, cell.backbone) == named}
    return ",".join(language for language in config["languages"] if language in used)


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


def files_in(paths):
    """Every file of these; a folder counts by the files in it."""
    found = map(Path, paths)
    return [str(file) for path in found for file in (sorted(path.glob("*")) if path.is_dir() else [path])]


def fact_files(wildcards):
    entry = config["facts"][wildcards.facts]
    named = [entry[field] for field in ("files", "train", "validation", "test") if field in entry]
    return files_in(path for field in named for path in listed(field))


def translation(name):
    """How a set of facts is translated; empty where it isn't."""
    return config["facts"][name].get("translation", {})


def part(entry, only=None, without=()):
    """The part of a section that these keys, or all but these, make up."""
    return {key: value for key, value in entry.items() if key not in without and (only is None or key in only)}


def read_of(sections, settings):
    """What a report's command reads of the configuration, and of its section `reports`; rows stand in this order."""
    found = {name: config[name] for name in sections if name in config}
    return as_json({**found, "reports": part(config["reports"], only=settings)}, as_written=True)


def source_languages(name):
    return [translation(name)["source"]] if translation(name) else ASKED


def recipe_texts(backbone):
    """The files of the demo folder whose further texts the recipe learns."""
    folder = config["backbones"][backbone]["recipe"].get("texts")
    return [str(file) for file in sorted(Path(folder).iterdir())] if folder else []


def recipe_tasks(backbone):
    """The worked items that the recipe learns: those of every task that has some to train on."""
    learnt = config["backbones"][backbone]["recipe"].get("tasks", 0) > 0
    return [
        f"{RESULTS}/sweeps/tasks/{name}.train.jsonl"
        for name, task in config["tasks"].items()
        if learnt and "train" in task
    ]


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


def rect_of(editor):
    return option("--rect", as_json(editor["rect"])) if "rect" in editor else ""


def rect(wildcards):
    return rect_of(config["editors"][wildcards.editor])


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


sweep_folder = partial(places.sweep_folder, config)
SWEPT_FILES = [
    path
    for sweep in SWEEPS
    for path in (
        *places.checkpoints(config, sweep),
        *places.verdicts(config, sweep),
        *places.edited_facts(config, sweep),
        *(f"{sweep_folder(sweep)}/{name}.parquet" for name in ("tasks", "facts", "weights")),
    )
]


def of_sweep(wildcards):
    """The sweep's entry, and its editor's."""
    entry = config["sweeps"][wildcards.sweep]
    return entry, config["editors"][entry["editor"]]


def sweep_hparams(wildcards):
    return configuration.hparams(config, of_sweep(wildcards)[0]["editor"], wildcards.backbone)


def sweep_materials(wildcards):
    """The artefacts that the sweep's editor draws on, by the option that takes them."""
    entry, _ = of_sweep(wildcards)
    return places.materials(config, entry["facts"], wildcards.backbone, entry["editor"], entry["language"])


def checkpoint(wildcards):
    """What the edits of a sweep have come to at a stop; nothing for the unedited model."""
    swept = wildcards.sweep != UNEDITED
    return [f"{sweep_folder(wildcards)}/{wildcards.stop}/checkpoint"] if swept else []


def start(wildcards):
    """The checkpoint that this one's edits go on from; nothing where they begin with the unedited model."""
    before = settings.earlier(of_sweep(wildcards)[0], int(wildcards.stop))
    return [f"{sweep_folder(wildcards)}/{before}/checkpoint"] if before else []


def sweep_extent(wildcards):
    entry, _ = of_sweep(wildcards)
    batch_size, edits = settings.extent(entry, int(wildcards.stop))
    at_once = memory.batch_size(config, entry["editor"], wildcards.backbone)
    # One fact at a time needs no bound.
    return f"--batch-size {batch_size} --edits {edits}" + (f" --at-once {at_once}" if batch_size > 1 else "")


def sweep_rect(wildcards):
    return rect_of(of_sweep(wildcards)[1])


def task_files(wildcards, field):
    return files_in(listed(config["tasks"][wildcards.task][field]))


def task_options(wildcards, field):
    return " ".join(option("--file", path) for path in listed(config["tasks"][wildcards.task][field]))


def asked(wildcards):
    """The tasks that a sweep's stop is asked, with their protocols."""
    return settings.asked(config, settings.Sweep(wildcards.sweep, wildcards.backbone))


def items_asked(wildcards):
    return list(dict.fromkeys(f"{RESULTS}/sweeps/tasks/{task}.parquet" for task, _ in asked(wildcards)))


def sweep_cell(wildcards):
    """What the rows of a sweep's tables begin with."""
    entry, _ = of_sweep(wildcards)
    named = {name: entry.get(name) for name in ("editor", "setting", "batch_size", "facts")}
    return as_json({"sweep": wildcards.sweep, "backbone": wildcards.backbone, "edit_lang": entry["language"], **named})


def shown(content, form, category):
    """A file of the report as Snakemake's own report lists it."""
    return report(
        f"{RESULTS}/reports/{category.lower()}/{content.name}.{form}",
        category=category,
        subcategory=content.shows,
        labels=content.labels,
        caption=f"../report/{category.lower()}.rst",
    )


@cache
def needed(rule, of, attempt):
    return needs.needs(config, rule, of, attempt)


def asks(rule):
    """What the jobs of this rule ask for, by the backbone, the editor and the attempt."""

    def asked(field, wildcards, attempt):
        of = durations.subject(config, rule, dict(wildcards.items()))
        return getattr(needed(rule, of, attempt), field)

    fields = {
        field: lambda wildcards, attempt, field=field: asked(field, wildcards, attempt) for field in needs.Needs._fields
    }
    if all(entry.get("device") != "cpu" for entry in config["backbones"].values()):
        fields["gpu"] = 1
    loads_model = rule in durations.ON_GPU
    # A profile may name a type of GPU for all jobs; those that load no model take none of it.
    return fields if loads_model else {**fields, "gpu": 0, "gpu_mem_mb": 0, "gpu_model": ""}
