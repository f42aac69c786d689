# What each command reads of the configuration, and no more: what only others read has nothing made anew.
OF_CELLS = (
    *("facts", "backbones", "editors", "languages", "evaluation_languages"),
    *("protocols", "include", "exclude"),
)
USED = sorted({(cell.facts, cell.backbone) for cell in CELLS})
BACKBONES = sorted({name for _, name in USED} | {sweep.backbone for sweep in SWEEPS})
SWEEP_TABLES = {
    table: [f"{sweep_folder(sweep)}/{name}.parquet" for sweep in SWEEPS]
    for table, name in {"task_scores": "tasks", "fact_scores": "facts", "weight_changes": "weights"}.items()
}


rule collect:
    input:
        [f"{cell_folder(cell)}/scores.parquet" for cell in CELLS],
        [f"{RESULTS}/edits/{facts}/{backbone}/unedited.parquet" for facts, backbone in USED],
    output:
        f"{RESULTS}/reports/scores.parquet",
    log:
        f"{RESULTS}/logs/reports/collect.log",
    benchmark:
        f"{RESULTS}/benchmarks/reports/collect.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("collect"),
    params:
        version=configuration.version("reports"),
    shell:
        "crossedit reports collect --scores {input} --out {output} 2> {log}"


rule compare:
    input:
        [f"{cell_folder(cell)}/values.parquet" for cell in CELLS],
        [f"{RESULTS}/edits/{facts}/{backbone}/unedited_values.parquet" for facts, backbone in USED],
    output:
        comparisons=f"{RESULTS}/reports/comparisons.parquet",
        outcomes=f"{RESULTS}/reports/outcomes.parquet",
    log:
        f"{RESULTS}/logs/reports/compare.log",
    benchmark:
        f"{RESULTS}/benchmarks/reports/compare.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("compare"),
    params:
        version=configuration.version("reports"),
        entry=read_of(("editors", "languages", "evaluation_languages", "protocols"), ("protocol",)),
        seed=config["seed"],
    shell:
        "crossedit reports compare --values {input} --entry {params.entry:q} --seed {params.seed}"
        " --out {output.comparisons} --outcomes {output.outcomes} 2> {log}"


# An experiment that has only sweeps has no cells to collect from.
SCORES = rules.collect.output if CELLS else []
COMPARED = dict(rules.compare.output.items()) if CELLS else {"comparisons": [], "outcomes": []}
PUBLISHED = sorted(map(str, published.FOLDER.glob("*.csv")))
MEASURED = [f"{RESULTS}/backbones/{name}/capability.json" for name in CAPABLE]


rule make_tables:
    input:
        **COMPARED,
        scores=SCORES,
        table_1=[f"{RESULTS}/translation/{name}/table_1.parquet" for name in config["facts"]],
        corrected=[f"{RESULTS}/translation/{name}/summary.json" for name in config["facts"] if translation(name)],
        task_scores=SWEEP_TABLES["task_scores"],
        fact_scores=SWEEP_TABLES["fact_scores"],
        capability=MEASURED,
        published=PUBLISHED,
    output:
        [shown(table, "html", "Tables") for table in TABLES],
        [f"{RESULTS}/reports/tables/{table.name}.{form}" for table in TABLES for form in ("csv", "md", "tex", "xlsx")],
    log:
        f"{RESULTS}/logs/reports/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/reports/tables.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("make_tables"),
    params:
        version=configuration.version("reports"),
        entry=read_of((*OF_CELLS, "f1_tokens", "tasks", "sweeps", "capability"), ("protocol", "intervals", "published")),
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "crossedit reports tables --scores {input.scores} --comparisons {input.comparisons} --outcomes {input.outcomes}"
        " --table-1 {input.table_1} --corrected {input.corrected} --task-scores {input.task_scores}"
        " --fact-scores {input.fact_scores} --capability {input.capability} --entry {params.entry:q}"
        " --out {params.folder} 2> {log}"


rule make_figures:
    input:
        **SWEEP_TABLES,
        scores=SCORES,
        comparisons=COMPARED["comparisons"],
        predictions=[path for cell in CELLS for path in predictions(cell)],
    output:
        [shown(figure, "svg", "Figures") for figure in FIGURES],
        [f"{RESULTS}/reports/figures/{figure.name}.{form}" for figure in FIGURES for form in ("pdf", "png")],
    log:
        f"{RESULTS}/logs/reports/figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/reports/figures.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("make_figures"),
    params:
        version=configuration.version("reports"),
        entry=read_of((*OF_CELLS, "tasks", "sweeps"), ("protocol", "metric")),
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "crossedit reports figures --scores {input.scores} --comparisons {input.comparisons}"
        " --predictions {input.predictions} --task-scores {input.task_scores} --fact-scores {input.fact_scores}"
        " --weight-changes {input.weight_changes} --entry {params.entry:q}"
        " --out {params.folder} 2> {log}"


rule page:
    input:
        **SWEEP_TABLES,
        **COMPARED,
        scores=SCORES,
        capability=MEASURED,
        table_1=rules.make_tables.input.table_1,
        figures=[f"{RESULTS}/reports/figures/{figure.name}.svg" for figure in FIGURES],
        tables=rules.make_tables.output,
        predictions=rules.make_figures.input.predictions,
        backbones=[path for name in BACKBONES for path in model_folder(name)],
        summaries=[
            f"{RESULTS}/{summary}"
            for name in config["facts"]
            for summary in [
                f"facts/{name}/summary.json",
                *(f"translation/{name}/{made}.json" for made in ("machine", "summary") if translation(name)),
            ]
        ],
    output:
        report(
            f"{RESULTS}/reports/index.html",
            category="Page",
            labels={"of": "the whole experiment", "asked": "–"},
            caption="../report/page.rst",
        ),
    log:
        f"{RESULTS}/logs/reports/page.log",
    benchmark:
        f"{RESULTS}/benchmarks/reports/page.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("page"),
    params:
        version=configuration.version("reports"),
        entry=as_json(config, as_written=True),
        results=lambda wildcards, output: str(Path(output[0]).parents[1]),
    shell:
        "crossedit reports page --scores {input.scores} --comparisons {input.comparisons} --outcomes {input.outcomes}"
        " --table-1 {input.table_1} --task-scores {input.task_scores} --fact-scores {input.fact_scores}"
        " --weight-changes {input.weight_changes} --capability {input.capability} --figures {input.figures}"
        " --predictions {input.predictions} --backbones {input.backbones} --summaries {input.summaries}"
        " --results {params.results} --entry {params.entry:q} --out {output} 2> {log}"
