# The whole experiment as one cached graph of jobs. `snakemake -n` shows what would run; config.yaml is the manual.
from snakemake.utils import min_version

min_version("9.0")


# A file given by --configfile stands alone; without one, the embedded demo runs.
if not workflow.config_settings.configfiles:

    configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# Heeded with `--sdm conda apptainer` alone: the environments of envs/ are then made within it.
container: "docker://condaforge/miniforge3:24.11.3-0"


include: "workflow/rules/common.smk"
include: "workflow/rules/facts.smk"
include: "workflow/rules/translation.smk"
include: "workflow/rules/backbones.smk"
include: "workflow/rules/edits.smk"
include: "workflow/rules/sweeps.smk"
include: "workflow/rules/reports.smk"
include: "workflow/rules/handlers.smk"


rule all:
    default_target: True
    input:
        rules.page.output,
        # Named here too, since Snakemake doesn't miss a lost file whose followers are there.
        [path for cell in CELLS for path in predictions(cell)],
        [f"{cell_folder(cell)}/{table}.parquet" for cell in CELLS for table in ("scores", "values")],
        SWEPT_FILES,


rule facts:
    input:
        [facts_table(name) for name in config["facts"]],


rule translation:
    input:
        [f"{RESULTS}/translation/{name}/machine.parquet" for name in config["facts"] if translation(name)],


rule backbones:
    input:
        [f"{RESULTS}/backbones/{name}/model" for name, entry in config["backbones"].items() if "recipe" in entry],


rule edits:
    input:
        SCORES,


rule sweeps:
    input:
        SWEPT_FILES,


rule tables:
    input:
        rules.make_tables.output,


rule figures:
    input:
        rules.make_figures.output,


rule report:
    input:
        rules.page.output,
