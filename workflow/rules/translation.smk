rule translate:
    input:
        facts=f"{RESULTS}/facts/{{facts}}/facts.parquet",
        corrections=lambda wildcards: config["facts"][wildcards.facts]["translation"].get("corrections", []),
    output:
        facts=f"{RESULTS}/translation/{{facts}}/facts.parquet",
        summary=f"{RESULTS}/translation/{{facts}}/summary.json",
    log:
        f"{RESULTS}/logs/translation/{{facts}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/translation/{{facts}}.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("translate"),
    params:
        version=configuration.version("translation"),
        entry=lambda wildcards: as_json(config["facts"][wildcards.facts]["translation"]),
        offline="--offline" if config["offline"] else "",
    shell:
        "crossedit translation translate --facts {input.facts} --entry {params.entry:q} {params.offline}"
        " --out {output.facts} --summary {output.summary} 2> {log}"


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
    shell:
        "crossedit translation statistics --facts {input} --out {output} 2> {log}"
