"""The report of an experiment that isn't finished: what is done, and no number of what has failed."""

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from made_page import Document, edited
from standing import chains, record, stand

from crossedit.config import Cell
from crossedit.edits import scores
from crossedit.edits.metrics import characters
from crossedit.errors import UserError
from crossedit.files import digest
from crossedit.reports.cli import commands
from crossedit.runs.experiment import Experiment
from crossedit.tables import PREDICTIONS, SCORES, VALUES, read, write

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


def run() -> Result:
    return CliRunner().invoke(commands, ["partial"], catch_exceptions=False)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    """Give an experiment of which ROME is done, and MEMIT, MEND and IKE are not; all but IKE have scores."""
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
    drawn = [attributes["alt"] or "" for attributes in document.all("img")]
    assert any("ROME" in text for text in drawn)
    for text in (*drawn, *(path.read_text(encoding="utf-8") for path in OUT.glob("tables/*.csv"))):
        assert not re.search(r"(MEMIT|MEND|IKE)[^.\n]*\d", text)
    assert "neither" not in (OUT / "index.html").read_text(encoding="utf-8")
    files = " ".join(re.findall(r"results/edits\S+", document.text))
    assert "ROME" in files
    assert not re.search("MEND|IKE", files)


def test_the_page_says_how_the_rest_stands(document: Document) -> None:
    text = " ".join(document.text.split())
    assert "the experiment is not finished" in text
    assert "Cells: 2 of 4 done, 1 failed, 1 missing." in text
    assert "predict 1 of 2: no memory" in text
    assert "snakemake --cores all --rerun-incomplete -- results/edits/demo/small/MEMIT/en/" in text
    assert "1 editor" in text


def test_the_folder_is_made_anew_and_whole(experiment: Experiment) -> None:
    (OUT / "tables/old.csv").write_text("of an earlier time")
    assert str((OUT / "index.html").resolve()) in run().output
    assert not (OUT / "tables/old.csv").exists()
    assert [path.name for path in OUT.parent.iterdir()] == [OUT.name]


def test_where_nothing_is_done_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand(tmp_path, monkeypatch)
    with pytest.raises(UserError, match="results: nothing is done yet that a report could show"):
        run()
    assert not OUT.exists()
