rule embed:
    input:
        lambda wildcards: facts_table(wildcards.facts),
    output:
        f"{RESULTS}/edits/{{facts}}/embeddings/{{embedding}}.{{language}}.safetensors",
    log:
        f"{RESULTS}/logs/edits/{{facts}}/{{embedding}}.{{language}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/edits/{{facts}}/{{embedding}}.{{language}}.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("embed"),
    params:
        version=configuration.version("edits"),
        encoder=lambda wildcards: configuration.embeddings(config)[wildcards.embedding]["encoder"],
        layout=lambda wildcards: embedding_layout(wildcards.embedding),
    shell:
        "crossedit edits embed --facts {input} --language {wildcards.language} --encoder {params.encoder:q} {params.layout}"
        " --out {output} 2> {log}"


rule train_editor:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        facts=lambda wildcards: facts_table(wildcards.facts),
    output:
        directory(f"{RESULTS}/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}/trained"),
    log:
        f"{RESULTS}/logs/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}.train.log",
    benchmark:
        f"{RESULTS}/benchmarks/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}.train.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("train_editor"),
    params:
        version=configuration.version("edits"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        method=lambda wildcards: config["editors"][wildcards.editor]["method"],
        hparams=lambda wildcards: as_json(hparams(wildcards)),
        train_size=train_size,
        seed=config["seed"],
    shell:
        "crossedit edits train --facts {input.facts} --name {wildcards.backbone} --entry {params.entry:q}"
        " --method {params.method} --hparams {params.hparams:q} --language {wildcards.language} {params.train_size}"
        " --seed {params.seed} --out {output} 2> {log}"


rule predict:
    input:
        unpack(materials),
        model=lambda wildcards: model_files(wildcards.backbone),
        facts=lambda wildcards: facts_table(wildcards.facts),
        probes=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/probes.parquet",
        unedited=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/unedited.parquet",
    output:
        f"{RESULTS}/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}/predictions.{{shard}}-of-{{shards}}.parquet",
    log:
        f"{RESULTS}/logs/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}.{{shard}}-of-{{shards}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}.{{shard}}-of-{{shards}}.tsv"
    conda:
        lambda wildcards: f"../../envs/{'easyedit' if by_easyeditor(wildcards) else 'crossedit'}.yaml"
    resources:
        **asks("predict"),
    params:
        version=configuration.version("edits"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        method=lambda wildcards: config["editors"][wildcards.editor]["method"],
        hparams=lambda wildcards: as_json(hparams(wildcards)),
        materials=lambda wildcards, input: " ".join(option(f"--{name}", input[name]) for name in materials(wildcards)),
        train_size=train_size,
        rect=rect,
        engine=engine,
        protocols=PROTOCOLS,
        batch_size=lambda wildcards: memory.batch_size(config, wildcards.editor, wildcards.backbone),
        seed=config["seed"],
    shell:
        "crossedit edits run --facts {input.facts} --name {wildcards.backbone} --entry {params.entry:q}"
        " --method {params.method} --hparams {params.hparams:q} --language {wildcards.language}"
        " --probes {input.probes} --unedited {input.unedited} {params.materials} {params.train_size} {params.rect}"
        " {params.engine} --protocols {params.protocols} --batch-size {params.batch_size}"
        " --shard {wildcards.shard}/{wildcards.shards} --seed {params.seed} --out {output} 2> {log}"


rule score:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        predictions=lambda wildcards: predictions(configuration.Cell(**wildcards)),
    output:
        scores=f"{RESULTS}/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}/scores.parquet",
        values=f"{RESULTS}/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}/values.parquet",
    log:
        f"{RESULTS}/logs/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}.score.log",
    benchmark:
        f"{RESULTS}/benchmarks/edits/{{facts}}/{{backbone}}/{{editor}}/{{language}}.score.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("score"),
    params:
        version=configuration.version("edits", "SCORING"),
        cell=lambda wildcards: as_json(
            {
                "facts": wildcards.facts,
                "backbone": wildcards.backbone,
                "editor": wildcards.editor,
                "edit_lang": wildcards.language,
            }
        ),
        tokens=config["f1_tokens"],
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        seed=config["seed"],
    shell:
        "crossedit edits score {input.predictions} --cell {params.cell:q} --f1-tokens {params.tokens:q}"
        " --entry {params.entry:q} --seed {params.seed} --out {output.scores} --values {output.values} 2> {log}"


rule score_unedited:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        probes=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/probes.parquet",
        unedited=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/unedited.parquet",
    output:
        scores=f"{RESULTS}/edits/{{facts}}/{{backbone}}/unedited.parquet",
        values=f"{RESULTS}/edits/{{facts}}/{{backbone}}/unedited_values.parquet",
    log:
        f"{RESULTS}/logs/edits/{{facts}}/{{backbone}}/unedited.log",
    benchmark:
        f"{RESULTS}/benchmarks/edits/{{facts}}/{{backbone}}/unedited.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("score_unedited"),
    params:
        version=configuration.version("edits", "SCORING"),
        languages=editing_languages,
        cell=lambda wildcards: as_json({"facts": wildcards.facts, "backbone": wildcards.backbone}),
        tokens=config["f1_tokens"],
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        seed=config["seed"],
    shell:
        "crossedit edits score-unedited --probes {input.probes} --unedited {input.unedited}"
        " --languages {params.languages} --cell {params.cell:q} --f1-tokens {params.tokens:q}"
        " --entry {params.entry:q} --seed {params.seed} --out {output.scores} --values {output.values} 2> {log}"
