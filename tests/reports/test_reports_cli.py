"""The command lines: what they write, and one clear sentence for what is wrong."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import made_sweeps
import polars as pl
import pytest
from click.testing import CliRunner
from made import ENTRY, results, scores

from crossedit import tables
from crossedit.errors import UserError
from crossedit.reports import contents, plan
from crossedit.reports.cli import commands
from crossedit.reports.earlier import remove
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import FORMATS

ENTRY_JSON = json.dumps(ENTRY)
FIGURES = {"radar_tiny_small_en", "radar_tiny_small_zh", "gap_tiny", "tradeoff_tiny", "cost_tiny"}


def run(*args: object) -> str:
    """Return what the command prints; raise what it raises."""
    done = CliRunner().invoke(commands, [str(arg) for arg in args], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def names_of(planned: Callable[..., Iterable[contents.Content]], config: dict[str, Any]) -> list[str]:
    return [content.name for content in planned(plan.planned(config), "teacher_forced")]


def test_the_whole_way_from_cells_to_the_page(tmp_path: Path) -> None:
    files = results(tmp_path)
    parts = scores().partition_by("editor")
    cells = [tmp_path / f"cell_{number}.parquet" for number in range(len(parts))]
    for cell, part in zip(cells, parts, strict=True):
        tables.write(part, tables.SCORES, cell, {})
    together, out = tmp_path / "scores.parquet", tmp_path / "reports"
    run("collect", "--scores", *cells, "--out", together)
    assert tables.read(together, tables.SCORES).equals(scores())
    given = ["--scores", together, "--table-1", *files["--table-1"], "--corrected", files["--summaries"][-1]]
    run("tables", *given, "--entry", ENTRY_JSON, "--out", out / "tables")
    names = {path.stem for path in (out / "tables").glob("[!.]*")}
    sheets = [f"{table}_tiny" for table in plan.CORRECTED]
    sheets += [f"{kind}_tiny_{protocol}" for kind in ("table_2", "locality") for protocol in ENTRY["protocols"]]
    assert names == {"table_1_tiny", *sheets}
    run("figures", "--scores", together, "--entry", ENTRY_JSON, "--out", out / "figures")
    figures = sorted((out / "figures").glob("[!.]*"))
    assert {path.stem for path in figures} == FIGURES
    options = [part for name, paths in files.items() for part in (name, *paths)]
    run("page", *options, "--figures", *figures, "--entry", ENTRY_JSON, "--out", out / "index.html")
    assert (out / "index.html").read_text(encoding="utf-8").count("data:image/svg+xml;base64,") == len(FIGURES)
    shown = run("show", "--scores", together, "--entry", ENTRY_JSON, "--page", out / "index.html")
    assert "Unedited" in shown
    assert str(out / "index.html") in shown


def test_tables_of_an_earlier_configuration_go_and_nothing_else(tmp_path: Path) -> None:
    files, out = results(tmp_path), tmp_path / "out"
    given = ["tables", "--corrected", files["--summaries"][-1], "--out", out]
    run(*given, "--table-1", *files["--table-1"])
    kept = {out / name: "mine" for name in ("table_9.csv", "table_1_tiny.txt", "table_1_tiny.md")}
    for path, text in kept.items():
        path.write_text(text, encoding="utf-8")
    remove(out, "figures", [])
    assert (out / "table_1_tiny.csv").exists()
    run(*given)
    names = {f"{table}_tiny.{form}" for table in plan.CORRECTED for form in FORMATS}
    assert {path.name for path in out.glob("[!.]*")} == names | {path.name for path in kept}


def test_intervals_stand_beside_the_numbers_in_every_format_where_they_are_wanted(tmp_path: Path) -> None:
    files = results(tmp_path)
    for wanted in (False, True):
        entry = json.dumps({**ENTRY, "reports": {**ENTRY["reports"], "intervals": wanted}})
        run("tables", "--scores", *files["--scores"], "--entry", entry, "--out", tmp_path / str(wanted))
        for form in ("csv", "md", "tex"):
            text = (tmp_path / str(wanted) / f"table_2_tiny_teacher_forced.{form}").read_text(encoding="utf-8")
            assert bool(re.search(r"\d\.\d, ?\d+\.\d\b", text)) == wanted
        run("page", "--scores", *files["--scores"], "--entry", entry, "--out", tmp_path / "index.html")
        page = (tmp_path / "index.html").read_text(encoding="utf-8")
        assert ('class="sheet intervals"' in page) == wanted


def test_the_way_of_sweeps_to_the_page(tmp_path: Path) -> None:
    files, out = results(tmp_path), tmp_path / "reports"
    config = made_sweeps.entry()
    made = made_sweeps.results(tmp_path, config)
    files |= made
    entry = json.dumps({**ENTRY, **config})

    def given(*names: str) -> list[str]:
        return [part for name in names for part in (name, *files[name])] + ["--entry", entry]

    run("tables", *given("--scores", "--task-scores", "--fact-scores"), "--out", out / "tables")
    names = {path.name for path in (out / "tables").glob("[!.]*")}
    for sheet in names_of(contents.of_sweeps, config):
        assert {f"{sheet}.{form}" for form in ("csv", "md", "tex", "html", "xlsx")} <= names
    run("figures", *given("--scores", *made), "--out", out / "figures")
    figures = sorted((out / "figures").glob("[!.]*"))
    assert {path.stem for path in figures} >= set(names_of(contents.of_settings, config))
    run("page", *given("--scores", *made), "--figures", *figures, "--out", out / "index.html")
    text = (out / "index.html").read_text(encoding="utf-8")
    assert text.count("data:image/svg+xml;base64,") == len(FIGURES) - 1 + 4  # no seconds are known
    assert all(files[name][0] in text for name in made)  # among the inputs
    assert "ROME on small: 8 of 8 tasks fall" in run("show", *given("--scores", "--task-scores"))


@pytest.mark.parametrize("configured", [True, False])
def test_sweeps_need_no_cells(tmp_path: Path, configured: bool) -> None:
    """Whether a configuration excludes all cells, or the tables of sweeps are all that there is."""
    config, files = made_sweeps.entry(), results(tmp_path)
    made = made_sweeps.results(tmp_path, config)
    files |= made
    unused = {"backbones": {"small": {}, "idle": {}}, "exclude": [{"facts": "tiny"}]}
    entry = {**ENTRY, **config, **unused} if configured else {}

    def given(*names: str) -> list[str]:
        return [part for name in names for part in (name, *files[name])] + ["--scores", "--entry", json.dumps(entry)]

    out = tmp_path / "reports"
    run("tables", *given("--table-1", "--task-scores", "--fact-scores"), "--out", out / "tables")
    names = {path.stem for path in (out / "tables").glob("[!.]*")}
    assert names == {"table_1_tiny", *names_of(contents.of_sweeps, config)}
    edited = (out / "tables/edited_facts_ROME.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:3] for line in edited[1:]] == [["small", "English", "95.00"], ["small", "Chinese", DASH]]
    run("figures", *given(*made), "--out", out / "figures")
    figures = sorted((out / "figures").glob("[!.]*"))
    assert {path.stem for path in figures} == set(names_of(contents.of_settings, config))
    options = given("--table-1", "--backbones", "--summaries", *made)
    run("page", *options, "--figures", *figures, "--out", out / "index.html")
    text = (out / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="([^"]+)"', text) == ["side-effects", "facts", "translation", "backbones", "making"]
    assert re.findall(r'<a href="#([^"]+)"', text) == ["side-effects", "facts", "translation", "backbones", "making"]
    assert text.count("data:image/svg+xml;base64,") == 4
    assert "Facts of tiny: records and mean lengths" in text
    assert re.findall(r"<li>(.*)</li>", text)[:4] == [
        "<b>1</b> backbone <span>small</span>",
        "<b>1</b> sweep <span>ROME</span>",
        "<b>1</b> editing language <span>English</span>",
        "<b>2</b> asking languages <span>English, Chinese</span>",
    ]
    shown = run("show", *given("--task-scores"))
    assert shown.splitlines() == [line for line in shown.splitlines() if line.startswith("ROME on small: ")]


@pytest.mark.parametrize("command", ["tables", "figures", "page", "show"])
def test_neither_cells_nor_sweeps_get_one_sentence(tmp_path: Path, command: str) -> None:
    out = [] if command == "show" else ["--out", tmp_path / "out"]
    with pytest.raises(UserError, match="--scores: no file is named"):
        run(command, "--entry", ENTRY_JSON, *out)
    assert not (tmp_path / "out").exists()


def test_what_people_did_has_tables_before_there_is_any_edit(tmp_path: Path) -> None:
    files, out = results(tmp_path), tmp_path / "tables"
    corrected, sheets = files["--summaries"][-1], [f"{table}_tiny" for table in plan.CORRECTED]
    run("tables", "--corrected", corrected, "--out", out)
    assert {path.stem for path in out.glob("[!.]*")} == set(sheets)
    run("tables", "--corrected", corrected, "--table-1", *files["--table-1"], "--out", out)
    assert {path.stem for path in out.glob("[!.]*")} == {"table_1_tiny", *sheets}


def test_what_is_no_summary_of_people_gets_one_sentence(tmp_path: Path) -> None:
    of_facts = results(tmp_path)["--summaries"][0]
    with pytest.raises(UserError, match=r"summary\.json: `\w+` is missing; name a file that `crossedit translation"):
        run("tables", "--corrected", of_facts, "--out", tmp_path / "tables")


def test_a_page_shows_what_there_is_before_any_edit(tmp_path: Path) -> None:
    out = tmp_path / "index.html"
    of_facts, *of_translation = results(tmp_path)["--summaries"]
    for given, sections in (
        (of_translation, ["translation", "making"]),
        ([of_facts, *of_translation], ["facts", "translation", "making"]),
    ):
        run("page", "--summaries", *given, "--out", out)
        text = out.read_text(encoding="utf-8")
        assert re.findall(r'<section id="([^"]+)"', text) == sections
        assert re.findall(r'<a href="#([^"]+)"', text) == sections
        assert "Agreement on corrections of tiny" in text
        assert "<h1>The facts, before any edit</h1>" in text
        assert "What was run" not in text


@pytest.mark.parametrize("field", ["editor", "setting", "stops"])
def test_a_sweep_that_says_too_little_gets_one_sentence(field: str) -> None:
    config = made_sweeps.entry()
    del config["sweeps"]["ROME"][field]
    with pytest.raises(UserError, match=f"--entry: sweeps.ROME: `{field}` is missing; add it."):
        run("show", "--entry", json.dumps(config))


@pytest.mark.parametrize("command", ["tables", "figures", "page", "show"])
def test_unusable_task_scores_get_one_sentence(tmp_path: Path, command: str) -> None:
    files = results(tmp_path)
    out = [] if command == "show" else ["--out", tmp_path / "out"]
    with pytest.raises(UserError, match=r"scores\.parquet: task_scores table: columns missing") as error:
        run(command, "--scores", *files["--scores"], "--task-scores", *files["--scores"], *out)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such file; it should hold a scores table"),
        (lambda path: path.write_text("x"), "not a parquet file"),
        (
            lambda path: tables.write(scores().clear(), tables.SCORES, path, {}),
            "no score is in there; run the cells first",
        ),
        (lambda path: scores().drop("mean").write_parquet(path), "columns missing: ['mean']"),
    ],
)
@pytest.mark.parametrize("command", ["collect", "tables", "figures", "page", "show"])
def test_unusable_scores_get_one_sentence(tmp_path: Path, make, says: str, command: str) -> None:
    path = tmp_path / "scores.parquet"
    make(path)
    out = [] if command == "show" else ["--out", tmp_path / "out"]
    with pytest.raises(UserError) as error:
        run(command, "--scores", path, *out)
    assert says in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_the_same_cell_twice(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    tables.write(scores(), tables.SCORES, path, {})
    with pytest.raises(UserError, match="is there twice"):
        run("collect", "--scores", path, path, "--out", tmp_path / "all.parquet")


@pytest.mark.parametrize("command", ["published", "collect", "tables", "compare", "page"])
def test_an_output_that_cannot_be_is_told_in_a_sentence(tmp_path: Path, command: str) -> None:
    path, file = tmp_path / "scores.parquet", tmp_path / "file"
    tables.write(scores(), tables.SCORES, path, {})
    file.write_text("kept")
    inputs = {"published": [], "compare": ["--values", path, "--outcomes", tmp_path / "outcomes.parquet"]}
    with pytest.raises(UserError, match=r"file/sub.*: can't be written \(.*/file is a file\); "):
        run(command, *inputs.get(command, ["--scores", path]), "--out", file / "sub")
    assert file.read_text() == "kept"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{", "--entry: not JSON"),
        ("[]", "--entry: '[]' is no JSON object"),
        ('{"reports": {"protocol": "upstreem"}}', "did you mean 'upstream'"),
        ('{"reports": null}', "reports: is empty; fill it, or leave it away"),
        ('{"reports": {"published": {"editors": {"KN": 5}}}}', "reports.published.editors.KN: 5 must be a text"),
        ('{"editors": ["a"]}', "editors: ['a'] must be a mapping of fields"),
        ('{"editors": {"a": null}}', "editors.a: is empty"),
        ('{"editors": {"a": {"method": 3}}}', "editors.a.method: 3 must be a text"),
        ('{"sweeps": {"a": {"stops": "abc"}}}', "sweeps.a.stops: 'abc' must be a list"),
        ('{"capability": {"tasks": "mmlu"}}', "capability.tasks: 'mmlu' must be a list"),
    ],
)
def test_a_wrong_entry_gets_one_sentence(tmp_path: Path, entry: str, says: str) -> None:
    path = tmp_path / "scores.parquet"
    tables.write(scores(), tables.SCORES, path, {})
    with pytest.raises(UserError) as error:
        run("show", "--scores", path, "--entry", entry)
    assert says in str(error.value)


def test_another_folder_than_the_repositorys_root_gets_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"config\.schema\.yaml: no such file in .*; change to the repository's root"):
        run("show", "--entry", "{}")


def test_a_broken_recipe_gets_one_sentence(tmp_path: Path) -> None:
    files = results(tmp_path)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "recipe.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad/recipe\.json: not JSON"):
        run("page", "--scores", *files["--scores"], "--backbones", bad, "--out", tmp_path / "index.html")
    assert not (tmp_path / "index.html").exists()


def test_no_torch_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    tables.write(scores(), tables.SCORES, path, {})
    code = (
        "import sys; from crossedit.reports.cli import commands;"
        f"commands(['tables', '--scores', {str(path)!r}, '--out', {str(tmp_path / 'out')!r}], standalone_mode=False);"
        "import crossedit.reports.page, crossedit.reports.figures.radar, crossedit.reports.figures.sweeps;"
        "print([name for name in ('torch', 'transformers', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_regenerated_tables_take_no_row_twice(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    tables.write(scores(), tables.SCORES, path, {})
    for _ in range(2):
        run("tables", "--scores", path, "--entry", ENTRY_JSON, "--out", tmp_path / "tables")
    frame = pl.read_csv(tmp_path / "tables/table_2_tiny_teacher_forced.csv")
    assert frame.select("Backbone", "Edited in", "Method").is_unique().all()


@pytest.mark.parametrize("width", [80, 200])
def test_numbers_are_whole_in_terminals_of_any_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    path = tmp_path / "scores.parquet"
    tables.write(scores().with_columns(mean=pl.lit(0.12345)), tables.SCORES, path, {})
    monkeypatch.setattr("crossedit.reports.terminal._LOG_WIDTH", width)
    shown = run("show", "--scores", path)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.count("12.35") + shown.count("12.34") == 2 * 7 * 6  # F1 and EM, seven columns, six rows


def test_a_list_option_without_values_is_an_empty_list(tmp_path: Path) -> None:
    files = results(tmp_path)
    run("page", "--figures", "--predictions", "--scores", *files["--scores"], "--out", tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "No predictions were given." in text
    assert "No figure was given for tiny." in text
