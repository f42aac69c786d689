from crossedit.reports import plan

GRID = as_json(
    {
        key: config[key]
        for key in (
            "facts",
            "backbones",
            "editors",
            "languages",
            "evaluation_languages",
            "protocols",
            "include",
            "exclude",
            "reports",
            "tasks",
            "sweeps",
        )
    },
    # Rows and legends stand as the config has them.
    as_written=True,
)
USED = sorted({(cell.facts, cell.backbone) for cell in CELLS})
BACKBONES = sorted({name for _, name in USED} | {sweep.backbone for sweep in SWEEPS})
RADARS = [
    f"radar_{facts}_{backbone}_{language}"
    for facts, backbone in USED
    for language in config["languages"]
    if any((cell.facts, cell.backbone, cell.language) == (facts, backbone, language) for cell in CELLS)
]
FIGURES = [*RADARS, *plan.figures(plan.planned(config))]
TABLES = [f"table_1_{facts}" for facts in config["facts"]] + [
    f"{table}_{facts}_{protocol}"
    for facts in sorted({facts for facts, _ in USED})
    for protocol in config["protocols"]
    for table in ("table_2", "locality")
]
TABLES += plan.sheets(plan.planned(config))
TABLES += plan.corrected(config["facts"])
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


# An experiment that has only sweeps has no cells to collect from.
SCORES = rules.collect.output if CELLS else []


rule make_tables:
    input:
        scores=SCORES,
        table_1=[f"{RESULTS}/translation/{name}/table_1.parquet" for name in config["facts"]],
        corrected=[f"{RESULTS}/translation/{name}/summary.json" for name in config["facts"] if translation(name)],
        task_scores=SWEEP_TABLES["task_scores"],
        fact_scores=SWEEP_TABLES["fact_scores"],
    output:
        report(
            expand(f"{RESULTS}/reports/tables/{{table}}.html", table=TABLES),
            category="Tables",
            caption="../report/tables.rst",
        ),
        expand(f"{RESULTS}/reports/tables/{{table}}.{{form}}", table=TABLES, form=["csv", "md", "tex"]),
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
        entry=GRID,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "crossedit reports tables --scores {input.scores} --table-1 {input.table_1} --corrected {input.corrected}"
        " --task-scores {input.task_scores} --fact-scores {input.fact_scores} --entry {params.entry:q}"
        " --out {params.folder} 2> {log}"


rule make_figures:
    input:
        **SWEEP_TABLES,
        scores=SCORES,
    output:
        report(
            expand(f"{RESULTS}/reports/figures/{{figure}}.svg", figure=FIGURES),
            category="Figures",
            caption="../report/figures.rst",
        ),
        expand(f"{RESULTS}/reports/figures/{{figure}}.{{form}}", figure=FIGURES, form=["pdf", "png"]),
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
        entry=GRID,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "crossedit reports figures --scores {input.scores} --task-scores {input.task_scores}"
        " --fact-scores {input.fact_scores} --weight-changes {input.weight_changes} --entry {params.entry:q}"
        " --out {params.folder} 2> {log}"


rule page:
    input:
        **SWEEP_TABLES,
        scores=SCORES,
        table_1=rules.make_tables.input.table_1,
        figures=[f"{RESULTS}/reports/figures/{figure}.svg" for figure in FIGURES],
        tables=rules.make_tables.output,
        predictions=[path for cell in CELLS for path in predictions(cell)],
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
        report(f"{RESULTS}/reports/index.html", category="Page", caption="../report/page.rst"),
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
        "crossedit reports page --scores {input.scores} --table-1 {input.table_1} --task-scores {input.task_scores}"
        " --fact-scores {input.fact_scores} --weight-changes {input.weight_changes} --figures {input.figures}"
        " --predictions {input.predictions} --backbones {input.backbones} --summaries {input.summaries}"
        " --results {params.results} --entry {params.entry:q} --out {output} 2> {log}"
