"""The report of an experiment that isn't finished: what is done, and no number of what has failed."""

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from made_page import Document, edited
from standing import chains, lives, make, record, stand
from standing import write as write_text

from crossedit import places
from crossedit.config import Cell
from crossedit.edits import scores
from crossedit.edits.metrics import characters
from crossedit.errors import UserError
from crossedit.files import digest
from crossedit.reports.cli import commands
from crossedit.reports.left_out import Check
from crossedit.reports.partial import Done, check_folder
from crossedit.runs.experiment import Experiment
from crossedit.runs.states import Survey
from crossedit.runs.status import Status
from crossedit.sweeps.manifest import MANIFEST
from crossedit.sweeps.settings import Sweep
from crossedit.tables import FACT_SCORES, PREDICTIONS, SCORES, TASK_SCORES, VALUES, WEIGHT_CHANGES, Table, read, write

CELL = "demo/small/{}/en"
FACTS = 7
OUT = Path("results/reports/partial")


def settle(name: str, wrong: str) -> list[Path]:
    """Write all outputs of a cell; portability is answered by `wrong` for three of seven facts."""
    predictions = edited(Path("results"), CELL.format(name), FACTS, wrong, langs=("en",))
    shards = [predictions.with_name(f"predictions.{number}-of-2.parquet") for number in (1, 2)]
    frame = read(predictions, PREDICTIONS)
    predictions.unlink()
    for shard, part in zip(shards, (frame[:20], frame[20:]), strict=True):
        write(part, PREDICTIONS, shard, {"seconds": {"edit": 1.0, "facts": 3}})
    each = scores.values(frame.sort(scores.KEY), characters)
    cell = dict(zip(("facts", "backbone", "editor", "edit_lang"), CELL.format(name).split("/"), strict=True))
    made = {"predictions": digest(*shards)}
    write(scores.of_cell(each, cell), VALUES, shards[0].with_name("values.parquet"), made)
    write(scores.score(each, cell, 0), SCORES, shards[0].with_name("scores.parquet"), made)
    return shards


def run(*options: str) -> Result:
    return CliRunner().invoke(commands, ["partial", *options], catch_exceptions=False)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    """Give an experiment of which ROME is done; MEMIT lacks an output, MEND's scores are old, IKE has failed since."""
    with pytest.MonkeyPatch.context() as patch:
        editors = {name: {"method": name, "batch_size": 2, "shards": 2} for name in ("ROME", "MEMIT", "MEND", "IKE")}
        backbones = {"small": {"recipe": {"facts": "demo"}, "hparams": "demo"}}
        shown = stand(
            tmp_path_factory.mktemp("partial"),
            patch,
            languages=["en"],
            editors=editors,
            backbones=backbones,
            exclude=[],
            tasks={},
            sweeps={},
        )
        settle("ROME", "old")
        failed = settle("MEMIT", "neither")
        failed[0].unlink()
        record(chains(shown).cells[Cell("demo", "small", "MEMIT", "en")].jobs[0], "failed", "no\n", error="no memory")
        changed = settle("MEND", "other")
        write(read(changed[0], PREDICTIONS)[1:], PREDICTIONS, changed[0], {})
        settle("IKE", "neither")
        record(chains(shown).cells[Cell("demo", "small", "IKE", "en")].jobs[1], "failed", error="the disk\nis full")
        assert run().exit_code == 0
        yield shown


@pytest.fixture(scope="module")
def document(experiment: Experiment) -> Document:
    return Document((OUT / "index.html").read_text(encoding="utf-8"))


def test_cells_that_are_not_done_have_dashes(experiment: Experiment) -> None:
    table = pl.read_csv(OUT / "tables/table_2_demo_teacher_forced.csv", infer_schema=False)
    portability = dict(zip(table["Method"], table.to_series(len(table.columns) - 1), strict=True))
    assert re.fullmatch(r"57\.14", portability.pop("ROME").split(" / ")[-1])
    assert set(portability.values()) == {"–"}


def test_what_has_failed_is_nowhere_but_in_the_status(experiment: Experiment, document: Document) -> None:
    figures = document.text[document.text.rindex("Figures\n") : document.text.rindex("Fact by fact\n")]
    assert "ROME: reliability" in figures
    for text in (figures, *(path.read_text(encoding="utf-8") for path in OUT.glob("tables/*.csv"))):
        assert not re.search(r"(MEMIT|MEND|IKE)[^.\n]*\d", text)
    assert "neither" not in (OUT / "index.html").read_text(encoding="utf-8")
    inputs = re.findall(r"(results/edits\S+): *[0-9a-f]{16}", document.text)
    assert {path.split("/")[4] for path in inputs} == {"ROME"}


def test_the_page_says_how_the_rest_stands(document: Document) -> None:
    text = " ".join(document.text.split())
    assert "the experiment is not finished" in text
    assert "Cells: 1 of 4 done, 2 failed, 1 missing." in text
    assert "predict 1 of 2: no memory" in text
    assert "snakemake --cores all --rerun-incomplete -- results/edits/demo/small/MEMIT/en/" in text
    assert "1 editor" in text


def test_what_is_there_and_left_out_is_named_with_the_reason_and_what_to_run(document: Document) -> None:
    text = " ".join(document.text.split())
    assert "Left out: 2" in text
    again = "Run it again: snakemake --cores all --rerun-incomplete --forcerun results/edits/demo/small"
    assert "demo/small/MEND/en its scores are of other answers than those beside them." in text
    assert f"{again}/MEND/en/scores.parquet -- results/edits/demo/small/MEND/en/scores.parquet" in text
    assert "demo/small/IKE/en predict 2 of 2 has failed: the disk is full." in text
    assert f"{again}/IKE/en/predictions.2-of-2.parquet -- results/edits/demo/small/IKE/en/scores.parquet" in text


def test_what_is_left_out_is_done_neither_in_the_status_nor_by_its_files(experiment: Experiment) -> None:
    done = Done.of(Status.of(experiment))
    states = {cell.editor: standing.state for cell, standing in done.status.cells.items()}
    assert states == {"ROME": "done", "MEMIT": "failed", "MEND": "missing", "IKE": "failed"}
    assert [path.parent.parent.name for path in (*done.scores, *done.predictions)] == ["ROME"] * 3


@pytest.mark.parametrize("table", [SCORES, VALUES])
def test_a_cell_counts_only_where_both_its_tables_are_of_the_answers_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: Table
) -> None:
    editors = {"ROME": {"method": "ROME", "shards": 2}}
    shown = stand(tmp_path, monkeypatch, languages=["en"], editors=editors, exclude=[], sweeps={})
    chain = chains(shown).cells[Cell("demo", "small", "ROME", "en")]
    folder = settle("ROME", "old")[0].parent
    assert Check(shown.config).cell(chain) is None
    write(pl.DataFrame(schema=table.columns), table, folder / f"{table.name}.parquet", {"predictions": "of old ones"})
    fault = Check(shown.config).cell(chain)
    assert fault is not None
    assert fault.reason == "its scores are of other answers than those beside them"


def test_the_folder_is_made_anew_and_whole(experiment: Experiment) -> None:
    (OUT / "tables/old.csv").write_text("of an earlier time")
    assert str((OUT / "index.html").resolve()) in run().output
    assert not (OUT / "tables/old.csv").exists()
    assert [path.name for path in OUT.parent.iterdir()] == [OUT.name]


def test_slurm_is_asked_once(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    of = Survey.__init__
    monkeypatch.setattr(Survey, "__init__", lambda self, *args: built.append(of(self, *args)))
    run()
    assert len(built) == 1


def test_what_the_system_refuses_is_told_of_the_report_itself(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(UserError, match=f"^{OUT.resolve()}: can't be written"):
        run()


def test_where_nothing_is_done_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand(tmp_path, monkeypatch)
    with pytest.raises(UserError, match="results: nothing is done yet that a report could show"):
        run()
    assert not OUT.exists()


SWEEP = Sweep("KN", "small")


@pytest.fixture
def swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """An experiment of whose sweep everything is there."""
    shown = stand(tmp_path, monkeypatch)
    known = chains(shown)
    stops = [stop for sweep in (Sweep("unedited", "small"), SWEEP) for stop in known.stops[sweep].values()]
    make(*(job for stop in stops for job in stop.jobs))
    made_of = [
        *(Path(folder, MANIFEST) for folder in places.checkpoints(shown.config, SWEEP)),
        *map(Path, (*places.edited_facts(shown.config, SWEEP), *places.verdicts(shown.config, SWEEP))),
    ]
    for path in made_of[:2]:
        path.parent.unlink()
        write_text(str(path), "{}")
    [score] = known.sweeps[SWEEP].ends
    for output, table in zip(score.outputs, (TASK_SCORES, FACT_SCORES, WEIGHT_CHANGES), strict=True):
        write(pl.DataFrame(schema=table.columns), table, output, {"stops": [digest(path) for path in made_of]})
    return shown


def reasons(experiment: Experiment) -> list[str]:
    """Return why what is left out of the sweep is, having seen that it is left out."""
    done = Done.of(Status.of(experiment))
    assert len(done.task_scores) == (not done.left_out)
    assert (done.status.sweeps[SWEEP].state == "done") == (not done.left_out)
    return [each.reason for each in done.left_out]


@pytest.mark.parametrize(
    "changed",
    ["KN/small/4/checkpoint/checkpoint.json", "KN/small/4/facts.parquet", "unedited/small/0/verdicts.parquet"],
)
def test_tables_of_sweeps_of_other_stops_than_those_beside_them_are_left_out(swept: Experiment, changed: str) -> None:
    path = Path("results/sweeps", changed)
    before = path.read_bytes()
    os.utime(path)  # newer, but the same
    assert reasons(swept) == []
    path.write_text("other", encoding="utf-8")
    assert reasons(swept) == ["its tables are of other stops than those beside them"]
    path.write_bytes(before)
    assert reasons(swept) == []


def test_tables_of_sweeps_whose_stops_are_gone_count(swept: Experiment) -> None:
    for path in Path("results/sweeps/KN/small/1/checkpoint").iterdir():
        path.unlink()
    assert reasons(swept) == []


def test_tables_of_sweeps_are_left_out_where_a_stop_has_failed_or_runs(swept: Experiment) -> None:
    job = chains(swept).stops[SWEEP][4].jobs[-1]
    record(job, "failed", error="no memory")
    assert [reason.partition(" has ")[2] for reason in reasons(swept)] == ["failed: no memory"]
    record(job, "running", **lives())
    assert reasons(swept) == ["a job of its stops is running"]


def test_a_job_that_was_killed_over_an_old_output_has_failed(swept: Experiment) -> None:
    record(chains(swept).sweeps[SWEEP].ends[0], "running", pid=2**30)
    assert reasons(swept) == ["score_sweep has failed: killed or out of memory: it ended without a word"]


@pytest.mark.parametrize("out", [".", "..", "results", "results/reports", "results/edits", "papers"])
def test_a_folder_that_holds_anything_else_is_left_alone(swept: Experiment, out: str) -> None:
    for path in ("papers/mine.tex", "papers/tables/a.csv", "results/edits/x", "results/reports/index.html"):
        write_text(path, "kept")
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises(UserError, match=f"--out '{re.escape(out)}' (is|would be)"):
        run("--out", out)
    assert sorted(Path.cwd().rglob("*")) == before


@pytest.mark.parametrize("there", [(), ("index.html", "tables/a.csv", "scores.parquet")])
def test_a_folder_that_is_empty_or_a_report_may_become_one(tmp_path: Path, there: tuple[str, ...]) -> None:
    (tmp_path / "out").mkdir()
    for path in there:
        write_text(str(tmp_path / "out" / path), "old")
    check_folder(tmp_path / "out", tmp_path / "results")
    check_folder(tmp_path / "absent", tmp_path / "results")


@pytest.mark.parametrize("there", ["tables/a.csv", "notes.md"])
def test_part_of_a_report_is_none(tmp_path: Path, there: str) -> None:
    write_text(str(tmp_path / "out" / there), "mine")
    with pytest.raises(UserError, match=f"'{there.split('/')[0]}' is in it"):
        check_folder(tmp_path / "out", tmp_path / "results")
