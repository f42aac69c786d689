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
        )
    },
    # Rows and legends stand as the config has them.
    as_written=True,
)
USED = sorted({(cell.facts, cell.backbone) for cell in CELLS})
RADARS = [
    f"radar_{facts}_{backbone}_{language}"
    for facts, backbone in USED
    for language in config["languages"]
    if any((cell.facts, cell.backbone, cell.language) == (facts, backbone, language) for cell in CELLS)
]
TABLES = [f"table_1_{facts}" for facts in config["facts"]] + [
    f"{table}_{facts}_{protocol}"
    for facts in sorted({facts for facts, _ in USED})
    for protocol in config["protocols"]
    for table in ("table_2", "locality")
]


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
    params:
        version=configuration.version("reports"),
    shell:
        "crossedit reports collect --scores {input} --out {output} 2> {log}"


rule make_tables:
    input:
        scores=rules.collect.output,
        table_1=[f"{RESULTS}/translation/{name}/table_1.parquet" for name in config["facts"]],
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
    params:
        version=configuration.version("reports"),
        entry=GRID,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "crossedit reports tables --scores {input.scores} --table-1 {input.table_1} --entry {params.entry:q}"
        " --out {params.folder} 2> {log}"


rule make_figures:
    input:
        rules.collect.output,
    output:
        report(
            expand(f"{RESULTS}/reports/figures/{{figure}}.svg", figure=RADARS),
            category="Figures",
            caption="../report/figures.rst",
        ),
        expand(f"{RESULTS}/reports/figures/{{figure}}.{{form}}", figure=RADARS, form=["pdf", "png"]),
    log:
        f"{RESULTS}/logs/reports/figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/reports/figures.tsv"
    conda:
        "../../envs/crossedit.yaml"
    params:
        version=configuration.version("reports"),
        entry=GRID,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "crossedit reports figures --scores {input} --entry {params.entry:q} --out {params.folder} 2> {log}"


rule page:
    input:
        scores=rules.collect.output,
        table_1=rules.make_tables.input.table_1,
        figures=[f"{RESULTS}/reports/figures/{figure}.svg" for figure in RADARS],
        tables=rules.make_tables.output,
        predictions=[path for cell in CELLS for path in predictions(cell)],
        backbones=[path for name in sorted({name for _, name in USED}) for path in model_folder(name)],
        summaries=[
            f"{RESULTS}/{stage}/{name}/summary.json"
            for name, entry in config["facts"].items()
            for stage in (["facts", "translation"] if "translation" in entry else ["facts"])
        ],
    output:
        report(f"{RESULTS}/reports/index.html", category="Page", caption="../report/page.rst"),
    log:
        f"{RESULTS}/logs/reports/page.log",
    benchmark:
        f"{RESULTS}/benchmarks/reports/page.tsv"
    conda:
        "../../envs/crossedit.yaml"
    params:
        version=configuration.version("reports"),
        entry=as_json(config, as_written=True),
    shell:
        "crossedit reports page --scores {input.scores} --table-1 {input.table_1} --figures {input.figures}"
        " --predictions {input.predictions} --backbones {input.backbones} --summaries {input.summaries}"
        " --entry {params.entry:q} --out {output} 2> {log}"
