# The whole experiment as one cached graph of jobs. `snakemake -n` shows what would run; config.yaml is the manual.
from snakemake.utils import min_version

min_version("9.0")


# A file given by --configfile stands alone; without one, the embedded demo runs.
if not workflow.config_settings.configfiles:

    configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/facts.smk"
include: "workflow/rules/translation.smk"
include: "workflow/rules/backbones.smk"
include: "workflow/rules/edits.smk"


rule all:
    input:
        [f"{cell_folder(cell)}/scores.parquet" for cell in CELLS],
        [f"{RESULTS}/edits/{cell.facts}/{cell.backbone}/unedited.parquet" for cell in CELLS],
        [f"{RESULTS}/translation/{name}/table_1.parquet" for name in config["facts"]],
