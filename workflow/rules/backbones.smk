rule train:
    input:
        lambda wildcards: facts_table(config["backbones"][wildcards.backbone]["recipe"]["facts"]),
    output:
        directory(f"{RESULTS}/backbones/{{backbone}}/model"),
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.train.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.train.tsv"
    threads: 2
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: as_json(config["backbones"][wildcards.backbone]["recipe"]),
        seed=config["seed"],
    shell:
        "crossedit backbones train --facts {input} --entry {params.entry:q} --seed {params.seed} --out {output} 2> {log}"


rule contexts:
    input:
        lambda wildcards: model_folder(wildcards.backbone),
    output:
        f"{RESULTS}/backbones/{{backbone}}/contexts.json",
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.contexts.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.contexts.tsv"
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
        model=lambda wildcards: model_folder(wildcards.backbone),
        text=lambda wildcards: config["backbones"][wildcards.backbone].get("covariance_text", []),
        facts=lambda wildcards: facts_table(covariance_facts(wildcards.backbone)),
    output:
        f"{RESULTS}/backbones/{{backbone}}/covariance.safetensors",
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.covariance.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.covariance.tsv"
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        text=lambda wildcards, input: " ".join(option("--text", file) for file in input.text),
        layers=lambda wildcards: ",".join(map(str, configuration.covariance_layers(config, wildcards.backbone))),
        tokens=lambda wildcards: option("--tokens", config["backbones"][wildcards.backbone].get("covariance_tokens")),
    shell:
        "crossedit backbones covariance --name {wildcards.backbone} --entry {params.entry:q} --facts {input.facts}"
        " {params.text} --layers {params.layers} {params.tokens} --out {output} 2> {log}"


rule ask:
    input:
        model=lambda wildcards: model_folder(wildcards.backbone),
        facts=lambda wildcards: facts_table(wildcards.facts),
    output:
        probes=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/probes.parquet",
        answers=f"{RESULTS}/backbones/{{backbone}}/{{facts}}/unedited.parquet",
    log:
        f"{RESULTS}/logs/backbones/{{backbone}}.{{facts}}.ask.log",
    benchmark:
        f"{RESULTS}/benchmarks/backbones/{{backbone}}.{{facts}}.ask.tsv"
    params:
        version=configuration.version("backbones"),
        entry=lambda wildcards: backbone_entry(wildcards.backbone),
        languages=",".join(ASKED),
        protocols=PROTOCOLS,
    shell:
        "crossedit backbones ask --name {wildcards.backbone} --entry {params.entry:q} --facts {input.facts}"
        " --languages {params.languages} --protocols {params.protocols}"
        " --probes {output.probes} --answers {output.answers} 2> {log}"


def covariance_facts(backbone):
    """The facts whose texts stand in where no text is named: those that trained the backbone, else the first."""
    recipe = config["backbones"][backbone].get("recipe")
    return recipe["facts"] if recipe else next(iter(config["facts"]))


def context_options(backbone):
    entry = config["backbones"][backbone].get("contexts", {})
    lengths = ",".join(map(str, entry.get("lengths", [])))
    return f"{option('--lengths', lengths)} {option('--number', entry.get('number'))}"
