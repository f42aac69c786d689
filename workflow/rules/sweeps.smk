rule draw_items:
    input:
        files=lambda wildcards: task_files(wildcards, "files"),
        task="resources/tasks/{task}.yaml",
    output:
        f"{RESULTS}/sweeps/tasks/{{task}}.parquet",
    log:
        f"{RESULTS}/logs/sweeps/tasks/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweeps/tasks/{{task}}.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("draw_items"),
    params:
        version=configuration.version("sweeps"),
        files=lambda wildcards: task_options(wildcards, "files"),
        size=lambda wildcards: option("--size", configuration.number(config["tasks"][wildcards.task]["size"])),
        seed=config["seed"],
    shell:
        "crossedit sweeps tasks --task {wildcards.task} {params.files} {params.size} --seed {params.seed}"
        " --out {output} 2> {log}"


rule work_items:
    input:
        files=lambda wildcards: task_files(wildcards, "train"),
        task="resources/tasks/{task}.yaml",
    output:
        f"{RESULTS}/sweeps/tasks/{{task}}.train.jsonl",
    log:
        f"{RESULTS}/logs/sweeps/tasks/{{task}}.train.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweeps/tasks/{{task}}.train.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("work_items"),
    params:
        version=configuration.version("sweeps"),
        files=lambda wildcards: task_options(wildcards, "train"),
    shell:
        "crossedit sweeps texts --task {wildcards.task} {params.files} --out {output} 2> {log}"


rule edit_on:
    input:
        unpack(sweep_materials),
        model=lambda wildcards: model_files(wildcards.backbone),
        facts=lambda wildcards: facts_table(of_sweep(wildcards)[0]["facts"]),
        start=start,
    output:
        directory(f"{RESULTS}/sweeps/{{sweep}}/{{backbone}}/{{stop}}/checkpoint"),
    log:
        f"{RESULTS}/logs/sweeps/{{sweep}}/{{backbone}}/{{stop}}.edit.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweeps/{{sweep}}/{{backbone}}/{{stop}}.edit.tsv"
    wildcard_constraints:
        sweep=SWEPT,
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("edit_on"),
    params:
        version=configuration.version("sweeps"),
        edits=configuration.version("edits"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        method=lambda wildcards: of_sweep(wildcards)[1]["method"],
        hparams=lambda wildcards: as_json(sweep_hparams(wildcards)),
        language=lambda wildcards: of_sweep(wildcards)[0]["language"],
        materials=lambda wildcards, input: " ".join(
            option(f"--{name}", input[name]) for name in sweep_materials(wildcards)
        ),
        rect=sweep_rect,
        extent=sweep_extent,
        start=lambda wildcards, input: option("--start", input.get("start")),
        seed=lambda wildcards: of_sweep(wildcards)[0]["seed"],
    shell:
        "crossedit sweeps edit --facts {input.facts} --name {wildcards.backbone} --entry {params.entry:q}"
        " --method {params.method} --hparams {params.hparams:q} --language {params.language} {params.materials}"
        " {params.rect} {params.extent} {params.start} --seed {params.seed} --out {output} 2> {log}"


rule probe_edited:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        checkpoint=checkpoint,
        probes=lambda wildcards: places.probes(config, of_sweep(wildcards)[0]["facts"], wildcards.backbone),
        unedited=lambda wildcards: places.unedited(config, of_sweep(wildcards)[0]["facts"], wildcards.backbone),
    output:
        f"{RESULTS}/sweeps/{{sweep}}/{{backbone}}/{{stop}}/facts.parquet",
    log:
        f"{RESULTS}/logs/sweeps/{{sweep}}/{{backbone}}/{{stop}}.facts.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweeps/{{sweep}}/{{backbone}}/{{stop}}.facts.tsv"
    wildcard_constraints:
        sweep=SWEPT,
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("probe_edited"),
    params:
        version=configuration.version("sweeps"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        protocol=config["reports"]["protocol"],
    shell:
        "crossedit sweeps probe --name {wildcards.backbone} --entry {params.entry:q} --checkpoint {input.checkpoint}"
        " --probes {input.probes} --unedited {input.unedited} --protocol {params.protocol} --out {output} 2> {log}"


rule ask_tasks:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        checkpoint=checkpoint,
        drawn=items_asked,
        tasks=lambda wildcards: sorted({f"resources/tasks/{task}.yaml" for task, _ in asked(wildcards)}),
    output:
        f"{RESULTS}/sweeps/{{sweep}}/{{backbone}}/{{stop}}/verdicts.parquet",
    log:
        f"{RESULTS}/logs/sweeps/{{sweep}}/{{backbone}}/{{stop}}.tasks.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweeps/{{sweep}}/{{backbone}}/{{stop}}.tasks.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("ask_tasks"),
    params:
        version=configuration.version("sweeps"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        checkpoint=lambda wildcards, input: option("--checkpoint", input.get("checkpoint")),
        asked=lambda wildcards: " ".join(
            f"--task {task} {protocol} {RESULTS}/sweeps/tasks/{task}.parquet" for task, protocol in asked(wildcards)
        ),
    shell:
        "crossedit sweeps ask --name {wildcards.backbone} --entry {params.entry:q} {params.checkpoint} {params.asked}"
        " --out {output} 2> {log}"


rule score_sweep:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        checkpoints=lambda wildcards: places.checkpoints(config, settings.Sweep(**wildcards)),
        verdicts=lambda wildcards: places.verdicts(config, settings.Sweep(**wildcards)),
        predictions=lambda wildcards: places.edited_facts(config, settings.Sweep(**wildcards)),
    output:
        tasks=f"{RESULTS}/sweeps/{{sweep}}/{{backbone}}/tasks.parquet",
        facts=f"{RESULTS}/sweeps/{{sweep}}/{{backbone}}/facts.parquet",
        weights=f"{RESULTS}/sweeps/{{sweep}}/{{backbone}}/weights.parquet",
    log:
        f"{RESULTS}/logs/sweeps/{{sweep}}/{{backbone}}/score.log",
    benchmark:
        f"{RESULTS}/benchmarks/sweeps/{{sweep}}/{{backbone}}/score.tsv"
    wildcard_constraints:
        sweep=SWEPT,
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("score_sweep"),
    params:
        version=configuration.version("sweeps"),
        cell=sweep_cell,
        files=lambda wildcards, input: " ".join(
            option(f"--{name}", file)
            for name, files in (
                ("checkpoint", input.checkpoints),
                ("verdicts", input.verdicts),
                ("predictions", input.predictions),
            )
            for file in files
        ),
        tokens=config["f1_tokens"],
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        seed=config["seed"],
    shell:
        "crossedit sweeps score --cell {params.cell:q} {params.files} --f1-tokens {params.tokens:q}"
        " --entry {params.entry:q} --seed {params.seed} --tasks {output.tasks} --facts {output.facts}"
        " --weights {output.weights} 2> {log}"
