rule train:
    input:
        facts=lambda wildcards: facts_table(config["backbones"][wildcards.backbone]["recipe"]["facts"]),
        texts=lambda wildcards: recipe_texts(wildcards.backbone),
        tasks=lambda wildcards: recipe_tasks(wildcards.backbone),
    output:
        directory(f"{RESULTS}/backbones/{{backbone}}/model"),
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.train.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.train.tsv"
    conda:
        "../../envs/crossedit.yaml"
    threads: 2
    resources:
        **asks("train"),
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: as_json(config["backbones"][wildcards.backbone]["recipe"]),
        tasks=lambda wildcards, input: " ".join(option("--tasks", file) for file in input.tasks),
        seed=config["seed"],
    shell:
        "crossedit backbones train --facts {input.facts} --entry {params.entry:q} {params.tasks} --seed {params.seed}"
        " --out {output} 2> {log}"


rule contexts:
    input:
        lambda wildcards: model_files(wildcards.backbone),
    output:
        f"{RESULTS}/backbones/{{backbone}}/contexts.json",
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.contexts.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.contexts.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("contexts"),
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        languages=LANGUAGES,
        texts=lambda wildcards: context_options(wildcards.backbone),
        seed=config["seed"],
    shell:
        "crossedit backbones contexts --name {wildcards.backbone} --entry {params.entry:q}"
        " --languages {params.languages} {params.texts} --seed {params.seed} --out {output} 2> {log}"


rule covariance:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        text=lambda wildcards: covariance_texts(wildcards.backbone),
        facts=lambda wildcards: facts_table(covariance_facts(wildcards.backbone)),
    output:
        f"{RESULTS}/backbones/{{backbone}}/covariance.safetensors",
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.covariance.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.covariance.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("covariance"),
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        text=lambda wildcards, input: " ".join(option("--text", file) for file in input.text),
        layers=lambda wildcards: ",".join(map(str, configuration.covariance_layers(config, wildcards.backbone))),
        tokens=lambda wildcards: option("--tokens", config["backbones"][wildcards.backbone].get("covariance_tokens")),
        languages=lambda wildcards: option("--languages", ",".join(covariance_languages(wildcards.backbone))),
    shell:
        "crossedit backbones covariance --name {wildcards.backbone} --entry {params.entry:q} --facts {input.facts}"
        " {params.text} --layers {params.layers} {params.tokens} {params.languages} --out {output} 2> {log}"


rule ask:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
        facts=lambda wildcards: facts_table(wildcards.facts),
    output:
        probes=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/probes.parquet",
        answers=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/unedited.parquet",
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.{{facts}}.ask.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.{{facts}}.ask.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("ask"),
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        languages=",".join(ASKED),
        protocols=PROTOCOLS,
    shell:
        "crossedit backbones ask --name {wildcards.backbone} --entry {params.entry:q} --facts {input.facts}"
        " --languages {params.languages} --protocols {params.protocols}"
        " --probes {output.probes} --answers {output.answers} 2> {log}"


rule capability:
    input:
        model=lambda wildcards: model_files(wildcards.backbone),
    output:
        f"{RESULTS}/backbones/{{backbone}}/capability.json",
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.capability.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.capability.tsv"
    conda:
        "../../envs/lm-eval.yaml"
    resources:
        **asks("capability"),
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        capability=as_json(part(config.get("capability", {}), without=("backbones",))),
        seed=config["seed"],
    shell:
        "crossedit backbones capability --name {wildcards.backbone} --entry {params.entry:q}"
        " --capability {params.capability:q} --seed {params.seed} --out {output} 2> {log}"
