"""What commands write: each output is known as a file or a folder before the work begins."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crossedit.claims import Job
from crossedit.cli import commands


def jobs_of(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], Job]]:
    """Yield the commands below a group that hold their outputs, with what is typed for them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from jobs_of(command, *names, name)
        elif isinstance(command, Job):
            yield (*names, name), command


JOBS = dict(jobs_of(commands))


def test_these_commands_write_folders() -> None:
    folders = {
        "backbones train",
        "edits train",
        "sweeps edit",
        "reports tables",
        "reports figures",
        "reports published",
    }
    for names, command in JOBS.items():
        kinds = {option.name: option.type for option in command.params}
        for output in command.outputs:
            assert vars(kinds[output])["dir_okay"] == (" ".join(names) in folders)


@pytest.mark.parametrize("names", JOBS, ids=" ".join)
def test_no_folder_is_where_a_file_is_to_be_nor_a_file_where_a_folder_is(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    options = {option.name: option for option in JOBS[names].params}
    places = {True: tmp_path / "file", False: tmp_path / "folder"}
    places[True].touch()
    places[False].mkdir()
    for output in JOBS[names].outputs:
        kind = options[output].type
        assert isinstance(kind, click.Path)
        assert kind.file_okay != kind.dir_okay
        place = places[kind.dir_okay]
        # Nothing else is given: what is in the place is found first.
        refused = CliRunner().invoke(commands, [*names, options[output].opts[0], str(place)])
        assert f"'{place}' is a {'file' if place.is_file() else 'directory'}." in refused.stderr
        kind.convert(str(places[kind.file_okay]), None, None)  # what is replaced
        kind.convert(str(tmp_path / "new"), None, None)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
