"""Files are written whole or not at all, and what the system has against it is told in a sentence."""

import errno
import os
from pathlib import Path

import polars as pl
import pytest

from crossedit.errors import UserError, nearest
from crossedit.files import whole, writing


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    for out in (file / "scores.json", file / "sub" / "scores.json"):
        with pytest.raises(UserError, match=rf"{out}: can't be written \({file} is a file\); "), whole(out):
            pass
    assert file.read_text() == "kept"


def test_no_folder_replaces_a_file(tmp_path: Path) -> None:
    out = tmp_path / "checkpoint"
    out.write_text("kept")
    with pytest.raises(UserError, match=rf"^{out}: can't be written \({out} is a file\); "), whole(out) as temporary:
        temporary.mkdir()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("checkpoint", "kept")]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO])
def test_what_the_system_says_of_the_file_is_told(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(UserError, match=rf"scores.json: can't be written \({os.strerror(number)}\)"),
        whole(tmp_path / "scores.json") as temporary,
    ):
        raise OSError(number, os.strerror(number), str(temporary))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        pl.exceptions.ComputeError(f"underlying IO error: {os.strerror(errno.ENOSPC)} (os error {errno.ENOSPC})"),
    ],
)
def test_a_full_disk_leaves_nothing_and_is_told(tmp_path: Path, error: Exception) -> None:
    def write() -> None:
        with whole(tmp_path / "scores.json") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(UserError, match=r"scores.json: can't be written \(.*\); make room"):
        write()
    assert not list(tmp_path.iterdir())


def test_a_table_that_polars_cannot_write_is_told(tmp_path: Path) -> None:
    def write() -> None:
        with whole(tmp_path / "folder" / "scores.parquet") as temporary:
            temporary.parent.rmdir()
            pl.DataFrame({"n": [1]}).write_parquet(temporary)

    with pytest.raises(UserError, match=r"scores.parquet: can't be written \(No such file or directory\)"):
        write()


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file", "in/values.json"),
        OSError(errno.ENOSPC, "No space left on device", "/dev/shm/another"),
        KeyError("mean"),
    ],
)
def test_an_error_about_something_else_stays_what_it_is(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), whole(tmp_path / "in" / "scores.json"):
        raise error


def test_what_is_forgotten_within_an_output_is_no_fault_of_the_users(tmp_path: Path) -> None:
    def read_within(folder: bool) -> None:
        with whole(tmp_path / "out") as temporary:
            if folder:
                temporary.mkdir()
            else:
                temporary.write_text("{}")
            (temporary / "figures" / "radar.svg").read_text()

    with pytest.raises(FileNotFoundError), whole(tmp_path / "out"):
        pass  # writes nothing
    with pytest.raises(FileNotFoundError):
        read_within(folder=True)
    with pytest.raises(NotADirectoryError):
        read_within(folder=False)
    assert not list(tmp_path.iterdir())


def test_an_output_is_called_what_the_user_calls_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^scores.json: can't be written"), writing(tmp_path / "x", "scores.json"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))


def test_what_is_refused_within_a_folder_is_told_of_the_folder(tmp_path: Path) -> None:
    out = tmp_path / "report"
    said = rf"^{out}: can't be written \(No space left on device\)"
    with pytest.raises(UserError, match=said), whole(out) as folder, whole(folder / "tables/a.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(UserError, match=rf"^{tmp_path / 'a.csv'}: can't"), whole(out), whole(tmp_path / "a.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_of_many_known_names_the_nearest_are_told_and_the_others_counted() -> None:
    few = [f"{letter}{letter}" for letter in "abcdefgh"]
    assert nearest("/nope", few) == f"known are: {', '.join(few)}."
    many = [*(f"{number:02}" for number in range(30)), "roma"]
    told = nearest("memit-r", many)
    assert told.startswith("known are: roma, ")
    assert told.endswith(" and 23 more.")
    assert told.count(",") == 7
