def fact_files(wildcards):
    """Every file of an entry; a folder counts by the files in it."""
    entry = config["facts"][wildcards.facts]
    named = [entry[field] for field in ("files", "train", "validation", "test") if field in entry]
    paths = [Path(path) for field in named for path in ([field] if isinstance(field, str) else field)]
    return [str(file) for path in paths for file in (sorted(path.glob("*")) if path.is_dir() else [path])]


def source_languages(name):
    translation = config["facts"][name].get("translation")
    return [translation["source"]] if translation else ASKED


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
    params:
        version=configuration.version("facts"),
        entry=lambda wildcards: as_json(config["facts"][wildcards.facts]),
        languages=lambda wildcards: ",".join(source_languages(wildcards.facts)),
        seed=lambda wildcards: config["facts"][wildcards.facts].get("seed", config["seed"]),
    shell:
        "crossedit facts build --entry {params.entry:q} --languages {params.languages} --seed {params.seed}"
        " --facts {output.facts} --oddities {output.oddities} --summary {output.summary} 2> {log}"
