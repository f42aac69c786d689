"""A table is checked by its schema and written whole or not at all."""

from pathlib import Path

import polars as pl
import pytest

from crossedit.errors import UserError
from crossedit.files import digest, whole
from crossedit.tables import ANSWERS, FACTS, Table, check, provenance, read, write

CATS = Table("cats", {"id": pl.Int64, "name": pl.String, "colour": pl.String}, key=("id",), nullable=("colour",))
FRAME = pl.DataFrame({"id": [1, 2], "name": ["Mia", "Leo"], "colour": ["grey", None]})


def refusal(frame: pl.DataFrame) -> str:
    with pytest.raises(UserError) as caught:
        check(frame, CATS, "cats.parquet")
    return str(caught.value)


def test_a_checked_table_has_its_columns_in_order() -> None:
    assert check(FRAME.select("colour", "name", "id"), CATS, "x").equals(FRAME)


def test_what_is_wrong_is_named_by_file_column_and_row() -> None:
    assert refusal(FRAME.drop("name")).startswith("cats.parquet: cats table: columns missing: ['name'];")
    assert "columns unknown: ['age']" in refusal(FRAME.with_columns(age=pl.lit(3)))
    assert refusal(FRAME.cast({"id": pl.Int32})) == "cats.parquet: cats table: column 'id' is Int32, not Int64."
    nameless = FRAME.with_columns(name=pl.Series(["Mia", None]))
    assert refusal(nameless) == "cats.parquet: cats table: column 'name' is empty in row 1; it must have a value."
    assert refusal(pl.concat([FRAME, FRAME[1:]])) == "cats.parquet: cats table: row 1 is there twice (key (2,))."


def test_a_table_comes_back_with_what_is_said_of_its_making(tmp_path: Path, facts: pl.DataFrame) -> None:
    path = tmp_path / "new" / "facts.parquet"
    write(facts, FACTS, path, {"seed": 3, "source": "法国"})
    assert read(path, FACTS).equals(facts)
    note = provenance(path)
    assert (note["table"], note["seed"], note["source"]) == ("facts", 3, "法国")
    assert set(note["packages"]) == {"crossedit", "polars"}


def test_some_rows_of_a_table_can_be_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "cats.parquet"
    write(FRAME, CATS, path, {})
    assert read(path, CATS, where=pl.col("colour").eq_missing(None)).equals(FRAME[1:])
    assert read(path, CATS, where=pl.lit(False)).equals(FRAME[:0])
    with pytest.raises(UserError, match=r"cats\.parquet: facts table: columns missing"):
        read(path, FACTS, where=pl.lit(False))
    # Asked for what it hasn't, the file is refused before anything is looked for in it.
    FRAME.drop("colour").write_parquet(path)
    with pytest.raises(UserError, match=r"cats\.parquet: cats table: columns missing: \['colour'\]"):
        read(path, CATS, where=pl.col("colour") == "grey")


def test_a_table_of_another_kind_or_no_table_is_refused(tmp_path: Path) -> None:
    write(FRAME, CATS, tmp_path / "cats.parquet", {})
    with pytest.raises(UserError, match="answers table: columns missing"):
        read(tmp_path / "cats.parquet", ANSWERS)
    with pytest.raises(UserError, match=r"dogs\.parquet: no such file; it should hold a cats table"):
        read(tmp_path / "dogs.parquet", CATS)
    (tmp_path / "text.parquet").write_text("this is no parquet file at all")
    with pytest.raises(UserError, match=r"text\.parquet: not a parquet file") as caught:
        read(tmp_path / "text.parquet", CATS)
    assert "\n" not in str(caught.value)
    for name, says in (("dogs", "no such file; it should hold a table"), ("text", "not a parquet file")):
        with pytest.raises(UserError, match=rf"{name}\.parquet: {says}"):
            provenance(tmp_path / f"{name}.parquet")


def test_a_refused_table_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "cats.parquet"
    write(FRAME, CATS, path, {})
    with pytest.raises(UserError):
        write(FRAME.drop("name"), CATS, path, {})
    assert read(path, CATS).equals(FRAME)
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_file_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "text.json"
    path.write_text("old")

    def interrupted() -> None:
        with whole(path) as temporary:
            assert temporary.suffix == ".json"
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").write_text("old")

    def made(fails: bool) -> None:
        with whole(folder) as temporary:
            (temporary / "inner").mkdir(parents=True)
            (temporary / "inner" / "new").write_text("new")
            if fails:
                raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        made(fails=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "old"]
    made(fails=False)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inner", "model", "new"]


def test_a_file_replaces_no_folder(tmp_path: Path) -> None:
    kept = tmp_path / "results/scores.parquet"
    kept.parent.mkdir()
    kept.write_text("kept")
    with pytest.raises(UserError, match=r"results: can't be written \(Is a directory\)"):
        write(FRAME, CATS, tmp_path / "results", {})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_digests_tell_values_and_contents_apart(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("same")
    second.write_text("same")
    assert digest(first) == digest(second) != digest(str(first))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest("a", "b") != digest("ab")
    second.write_text("other")
    assert digest(first) != digest(second)
