"""The graph of jobs, as Snakemake plans it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DEMO = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
SWEPT = {pattern["editor"] for pattern in DEMO["exclude"]}  # the editors that only sweeps use
# The grid alone.
CONFIG = {
    **DEMO,
    "editors": {name: entry for name, entry in DEMO["editors"].items() if name not in SWEPT},
    "exclude": [],
    "sweeps": {},
}
EDITORS = len(CONFIG["editors"])


def plan(config: dict, folder: Path, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return what `snakemake -n` says of a configuration, with further environment variables."""
    return snakemake(config, folder, "-n", *targets, **variables)


def snakemake(config: dict, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake on a configuration, with the results in the folder."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({**config, "results": str(folder / "results")}), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", str(path), *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)


def counts(said: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the number of jobs per rule from the table that Snakemake prints."""
    rows = [line.split() for line in said.stdout.splitlines() if len(line.split()) == 2]
    return {rule: int(number) for rule, number in rows if number.isdigit()}


def test_a_cell_is_a_job_of_its_own_and_what_it_shares_is_made_once(tmp_path: Path) -> None:
    jobs = counts(plan(CONFIG, tmp_path))
    assert jobs["predict"] == jobs["score"] == 2 * EDITORS * 2
    assert jobs["train_editor"] == 2 * 2 * 2  # MEND and SERAC, by backbone and language
    assert jobs["train"] == jobs["ask"] == 2
    assert jobs["page"] == jobs["make_tables"] == jobs["translate"] == 1


def test_shards_and_exclusions_change_the_number_of_jobs(tmp_path: Path) -> None:
    editors = {**CONFIG["editors"], "ROME": {"method": "ROME", "batch_size": 16, "shards": 3}}
    jobs = counts(plan({**CONFIG, "editors": editors, "exclude": [{"backbone": "demo-en"}]}, tmp_path))
    assert jobs["predict"] == 3 * 2 + (EDITORS - 1) * 2
    assert jobs["score"] == EDITORS * 2
    assert jobs["train"] == 1


@pytest.mark.parametrize("target", ["facts", "translation", "edits", "sweeps", "tables", "figures", "report"])
def test_named_targets_exist(target: str, tmp_path: Path) -> None:
    said = plan(CONFIG, tmp_path, "--", target)
    assert said.returncode == 0, said.stderr
    assert ("make_figures" in counts(said)) == (target in ("figures", "report"))


def test_a_mistake_in_the_configuration_stops_the_plan_with_one_sentence(tmp_path: Path) -> None:
    said = plan({**CONFIG, "editors": {"ROMA": {"method": "ROMA"}}}, tmp_path)
    assert said.returncode != 0
    assert "editors.ROMA.method: 'ROMA' is unknown; did you mean 'ROME'?" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_editor_that_learns_is_trained_per_language_and_training_size(tmp_path: Path) -> None:
    editors = {
        "MEND": {"method": "MEND"},
        "MEND-50": {"method": "MEND", "train_size": 50},
        "IKE-50": {"method": "IKE", "train_size": 50},
    }
    config = {**CONFIG, "editors": editors, "exclude": [{"backbone": "demo-en"}]}
    said = plan(config, tmp_path, "--printshellcmds")
    jobs = counts(said)
    assert jobs["train_editor"] == 2 * 2
    assert jobs["predict"] == 3 * 2
    assert jobs["embed"] == 2
    lines = said.stdout.splitlines()
    trained = [line for line in lines if "crossedit edits train" in line]
    asked = [line for line in lines if "crossedit edits run" in line]
    assert sum("--train-size 50" in line for line in trained) == 2
    assert sum("--trained" in line and "MEND" in line for line in asked) == 4
    assert sum("--train-size 50" in line and "--embeddings" in line for line in asked) == 2


def test_the_ablation_of_the_training_size_is_more_editors(tmp_path: Path) -> None:
    """Figure 3 of Bi-ZsRE, on small files in the layouts of the real ones."""
    folder = tmp_path / "data" / "editing" / "bizsre"
    folder.mkdir(parents=True)
    english = {"subject": "Hamlet", "src": "Who wrote Hamlet?", "rephrase": "Hamlet is by whom?", "alt": "Goethe"}
    english |= {"loc": "nq question: where is Rome", "loc_ans": "Italy"}
    chinese = {"subject": "哈姆雷特", "src": "谁写了哈姆雷特？", "rephrase": "哈姆雷特是谁写的？", "alt": "歌德"}
    chinese |= {"loc": "罗马在哪里？", "loc_ans": "意大利"}
    files = {"bizsre_test": {"en": english, "zh": chinese}}
    for name in ("zsre_mend_train_10000", "zsre_mend_eval"):
        files |= {name: english, f"{name}_chinese": chinese}
    for name, record in files.items():
        (folder / f"{name}.json").write_text(json.dumps([record], ensure_ascii=False), encoding="utf-8")
    config = yaml.safe_load((ROOT / "config" / "training-scale.yaml").read_text(encoding="utf-8"))
    jobs = counts(plan(config, tmp_path, CROSSEDIT_DATA=str(tmp_path / "data")))
    assert jobs["predict"] == jobs["score"] == 3 * 6 * 2
    assert jobs["train_editor"] == 2 * 6 * 2
    assert jobs["embed"] == 2
    said = plan(config, tmp_path, CROSSEDIT_DATA=str(tmp_path / "nowhere"))
    assert "facts.bizsre.train: " in said.stderr
    assert "doesn't exist" in said.stderr


def test_cells_of_easyedit_run_in_their_own_environment(tmp_path: Path) -> None:
    editors = {
        "ROME": {"method": "ROME", "rect": {"keep": 0.4}},
        "ROME-easyeditor": {"method": "ROME", "engine": "easyeditor"},
    }
    config = {**CONFIG, "editors": editors, "easyeditor": {"path": str(tmp_path)}, "languages": ["en"]}
    said = plan({**config, "exclude": [{"backbone": "demo-en"}]}, tmp_path, "--printshellcmds")
    ours, theirs = sorted((line for line in said.stdout.splitlines() if "crossedit edits run" in line), key=len)
    ours, theirs = (ours, theirs) if "--rect" in ours else (theirs, ours)
    assert """--rect '{"keep": 0.4}'""" in ours
    assert "--engine" not in ours
    assert f"--engine easyeditor --checkout {tmp_path}" in theirs
    assert "--rect" not in theirs


def test_the_quick_configuration_is_a_part_of_the_whole(tmp_path: Path) -> None:
    files = ("config.yaml", "config/quick.yaml")
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--configfile", *files]
    said = subprocess.run(
        [*command, "--config", f"results={tmp_path / 'results'}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    jobs = counts(said)
    assert jobs["train"] == 1
    assert jobs["predict"] == 4 * 2
    assert "train_editor" not in jobs
    assert jobs["ask_tasks"] == sum(len(sweep["stops"]) for sweep in DEMO["sweeps"].values()) + 1


def test_each_checkpoint_is_asked_all_tasks_in_a_job_and_the_unedited_model_once(tmp_path: Path) -> None:
    said = plan(DEMO, tmp_path, "--printshellcmds", "--", "sweeps")
    jobs = counts(said)
    stops = [len(sweep["stops"]) for sweep in DEMO["sweeps"].values()]
    assert jobs["edit_on"] == jobs["probe_edited"] == sum(stops)
    assert jobs["ask_tasks"] == sum(stops) + 1
    asked = [line for line in said.stdout.splitlines() if "crossedit sweeps ask" in line]
    assert all(line.count("--task ") == len(DEMO["tasks"]) for line in asked)
    assert jobs["draw_items"] == jobs["work_items"] == len(DEMO["tasks"])
    assert jobs["score_sweep"] == len(stops)
    edits = [line for line in said.stdout.splitlines() if "crossedit sweeps edit" in line]
    sequential = [sweep for sweep in DEMO["sweeps"].values() if sweep["setting"] != "batch-single"]
    assert sum("--start" in line for line in edits) == sum(len(sweep["stops"]) - 1 for sweep in sequential)
    assert "--batch-size 64 --edits 1" in said.stdout
    assert "--batch-size 1 --edits 64" in said.stdout


def test_sweeps_may_stand_alone(tmp_path: Path) -> None:
    jobs = counts(plan({**DEMO, "exclude": [{"facts": "demo"}]}, tmp_path))
    assert jobs["edit_on"] == sum(len(sweep["stops"]) for sweep in DEMO["sweeps"].values())
    assert jobs["make_tables"] == jobs["make_figures"] == jobs["page"] == 1
    assert not {"predict", "score", "collect"} & jobs.keys()


def translating(**changes: object) -> dict:
    """Return the demo's configuration with another `translation`, without those keys that are None."""
    translation = {**DEMO["facts"]["demo"]["translation"], **changes}
    facts = {**DEMO["facts"]["demo"], "translation": {key: value for key, value in translation.items() if value}}
    return {**CONFIG, "facts": {"demo": facts}, "offline": True}


def test_how_answers_are_got_and_who_corrects_them_makes_no_translation_anew(tmp_path: Path) -> None:
    said = snakemake(translating(expert=None), tmp_path, "--quiet", "--", "facts")
    assert said.returncode == 0, said.stderr
    assert "demo: on 8 translated texts people don't agree, so the machine's are kept" in said.stderr
    other = {"base_url": "http://127.0.0.1:9/v1", "budget": 3.5, "concurrency": 9, "batch": True, "timeout": 5}
    said = plan(translating(**other, expert=None), tmp_path, "--", "facts")
    assert "Nothing to be done" in said.stdout + said.stderr
    jobs = counts(plan(translating(), tmp_path, "--", "facts"))
    assert jobs["correct"] == 1
    assert not {"build_facts", "translate"} & jobs.keys()
    assert "translate" in counts(plan(translating(attempts=5), tmp_path, "--", "facts"))


def report_commands(config: dict, folder: Path) -> dict[str, str]:
    """Return the commands that make the report, by their names."""
    said = plan(config, folder, "--printshellcmds", "--", "all")
    assert said.returncode == 0, said.stderr
    return dict(re.findall(r"(?m)^Shell command: crossedit reports (\w+) (.*)$", said.stdout))


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({"browser_rows": 10}, {"page"}),
        ({"intervals": True}, {"tables", "page"}),
        ({"protocol": "upstream"}, {"compare", "tables", "figures", "page"}),
    ],
)
def test_what_only_one_part_of_the_report_reads_has_no_other_made_anew(
    changes: dict, anew: set[str], tmp_path: Path
) -> None:
    settings = CONFIG.get("reports", {})
    before = report_commands(CONFIG, tmp_path)
    after = report_commands({**CONFIG, "reports": {**settings, **changes}}, tmp_path)
    assert before.keys() == after.keys() == {"collect", "compare", "tables", "figures", "page"}
    assert {name for name in before if before[name] != after[name]} == anew


def test_tables_are_made_anew_when_a_printed_number_changes(tmp_path: Path) -> None:
    said = plan(CONFIG, tmp_path).stdout
    [job] = [block for block in said.split("\nrule ") if block.startswith("make_tables:")]
    for path in (ROOT / "resources/published").glob("*.csv"):
        assert f"resources/published/{path.name}" in job


def test_the_unedited_backbone_is_scored_in_the_languages_of_its_edits(tmp_path: Path) -> None:
    excluded = {**CONFIG, "exclude": [{"backbone": "demo-en", "language": "zh"}]}
    said = plan(excluded, tmp_path, "--printshellcmds").stdout
    commands = re.findall(r"Shell command: crossedit edits score-unedited .* --languages (\S+) --cell '(.*?)'", said)
    found = {json.loads(cell)["backbone"]: languages for languages, cell in commands}
    assert found == {"demo-en": "en", "demo-bi": "en,zh"}


def test_jobs_find_the_programs_of_an_environment_that_is_not_activated(tmp_path: Path) -> None:
    bare = os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"])
    said = snakemake(CONFIG, tmp_path, "--", str(tmp_path / "results/facts/demo/facts.parquet"), PATH=bare)
    assert said.returncode == 0, said.stderr
