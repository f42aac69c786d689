rule build_facts:
    input:
        fact_files,
    output:
        facts=f"{RESULTS}/facts/{{facts}}/facts.parquet",
        oddities=f"{RESULTS}/facts/{{facts}}/oddities.parquet",
        summary=f"{RESULTS}/facts/{{facts}}/summary.json",
    log:
        f"{RESULTS}/logs/facts/{{facts}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/facts/{{facts}}.tsv"
    conda:
        "../../envs/crossedit.yaml"
    resources:
        **asks("build_facts"),
    params:
        version=configuration.version("facts"),
        entry=lambda wildcards: as_json(part(config["facts"][wildcards.facts], without=["translation"])),
        languages=lambda wildcards: ",".join(source_languages(wildcards.facts)),
        seed=lambda wildcards: config["facts"][wildcards.facts].get("seed", config["seed"]),
    shell:
        "crossedit facts build --entry {params.entry:q} --languages {params.languages} --seed {params.seed}"
        " --facts {output.facts} --oddities {output.oddities} --summary {output.summary} > {log} 2>&1"
