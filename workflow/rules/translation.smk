# It talks to a server outside of the cluster, for which compute nodes often have no network.
localrules:
    translate,


rule translate:
    input:
        facts=f"{RESULTS}/facts/{{facts}}/facts.parquet",
        prompt=lambda wildcards: translation(wildcards.facts).get("prompt", []),
    output:
        facts=f"{RESULTS}/translation/{{facts}}/machine.parquet",
        summary=f"{RESULTS}/translation/{{facts}}/machine.json",
    log:
        f"{RESULTS}/logs/translation/{{facts}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/translation/{{facts}}.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("translate"),
        # Not a parameter: a larger budget or another server makes nothing anew.
        asking=lambda wildcards: as_json(
            part(translation(wildcards.facts), ASKING) | ({"offline": True} if config["offline"] else {})
        ),
    params:
        version=configuration.version("translation"),
        entry=lambda wildcards: as_json(part(translation(wildcards.facts), without=ASKING + PEOPLE)),
    shell:
        "crossedit translation translate --facts {input.facts} --entry {params.entry:q} --asking {resources.asking:q}"
        " --out {output.facts} --summary {output.summary} 2> {log}"


rule correct:
    input:
        facts=rules.translate.output.facts,
        corrections=lambda wildcards: listed(translation(wildcards.facts).get("corrections", [])),
        expert=lambda wildcards: listed(translation(wildcards.facts).get("expert", [])),
    output:
        facts=f"{RESULTS}/translation/{{facts}}/facts.parquet",
        corrections=f"{RESULTS}/translation/{{facts}}/corrections.parquet",
        summary=f"{RESULTS}/translation/{{facts}}/summary.json",
    log:
        f"{RESULTS}/logs/translation/{{facts}}.correct.log",
    benchmark:
        f"{RESULTS}/benchmarks/translation/{{facts}}.correct.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("correct"),
    params:
        version=configuration.version("translation"),
        entry=lambda wildcards: as_json(part(translation(wildcards.facts), without=ASKING)),
    shell:
        "crossedit translation correct --facts {input.facts} --entry {params.entry:q} --out {output.facts}"
        " --corrections {output.corrections} --summary {output.summary} 2> {log}"


rule statistics:
    input:
        lambda wildcards: facts_table(wildcards.facts),
    output:
        f"{RESULTS}/translation/{{facts}}/table_1.parquet",
    log:
        f"{RESULTS}/logs/translation/{{facts}}.table_1.log",
    benchmark:
        f"{RESULTS}/benchmarks/translation/{{facts}}.table_1.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("statistics"),
    params:
        version=configuration.version("translation"),
        tokenizer=config["reports"]["table_1_tokenizer"],
    shell:
        "crossedit translation statistics --facts {input} --tokenizer {params.tokenizer:q} --out {output} 2> {log}"
