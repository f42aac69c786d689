# What is said, and refused, before a run and after it.
from crossedit.runs import orphans


def status_command():
    """The command that shows how this run stands, with the configuration and the profile that it was given."""
    files = ["--configfile", *map(str, workflow.config_settings.configfiles)]
    profile = ["--profile", sys.argv[sys.argv.index("--profile") + 1]] if "--profile" in sys.argv[:-1] else []
    return shlex.join(["crossedit", "status", *(files if len(files) > 1 else []), *profile])


onstart:
    orphans.refuse(
        RESULTS,
        [
            orphans.Made(job.rule.name, tuple(job.wildcards), tuple(job.output))
            for job in workflow.dag.needrun_jobs()
        ],
    )


onsuccess:
    for name in config["facts"]:
        summary = Path(f"{RESULTS}/translation/{name}/summary.json")
        conflicts = json.loads(summary.read_text(encoding="utf-8"))["conflicts"] if summary.exists() else []
        if conflicts:
            print(
                f"{name}: on {len(conflicts)} translated texts people don't agree, so the machine's are kept; "
                f"{RESULTS}/logs/translation/{name}.correct.log says how to settle that.",
                file=sys.stderr,
            )


onerror:
    print(
        f"A job failed; the others are kept. `{status_command()}` says which, why, and how to run it again.",
        file=sys.stderr,
    )
