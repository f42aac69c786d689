"""Files: those that a configuration names, and those that are written whole or not at all.

check_files("config: tasks.rte.files", paths)     UserError for the first that isn't there
with whole(path) as temporary: …                  a file or folder that exists is whole
with writing(path): …                             what the system has against it is told in a sentence
leftovers(path)                                   what a killed process has left unfinished of it
digest(path, {"seed": 0})                         stands for the content of files and for JSON values
"""

import errno
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from crossedit.errors import UserError, nearest

# PyYAML's parser in C is many times faster than that in Python; each job of a cluster reads some files twice.
_SafeLoader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system says without a file's name
_RUST = re.compile(r"\(os error (\d+)\)")  # how polars and safetensors say what the system said


def check_files(where: str, files: str | list[str], otherwise: str = "give the path of a data file.") -> None:
    """Raise UserError for the first of some files that isn't there; `otherwise`: what to do where none is near."""
    for file in listed(files):
        if not Path(file).exists():
            beside = [str(other) for other in Path(file).parent.glob("*")]
            raise UserError(f"{where}: '{file}' doesn't exist; {nearest(file, beside, otherwise)}")


def read_yaml(path: Path) -> Any:
    """Return the plain data in a YAML file. Raises yaml.YAMLError where it holds none."""
    loader = _SafeLoader(path.read_text(encoding="utf-8"))
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def listed(value: str | list[str]) -> list[str]:
    """Return a value that may stand alone as a list."""
    return [value] if isinstance(value, str) else value


@contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path` that becomes `path` when the block ends, and goes if it fails.

    A file or folder that exists is therefore whole. The temporary name keeps the file's suffix. Raises UserError where
    it can't be written.
    """
    path = Path(path)
    temporary = part_of(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            if temporary.is_dir() and path.is_file():
                raise _RefusedError(path, path, f"{path} is a file")
            if temporary.is_dir() and path.is_dir():
                remove(path)
            os.replace(temporary, path)
        finally:
            if temporary.exists():
                remove(temporary)


class _RefusedError(UserError):
    """The system doesn't let `path` be written."""

    def __init__(self, path: Path, output: Path | str, reason: str) -> None:
        super().__init__(
            f"{output}: can't be written ({reason}); make room or give permission there, or name another place."
        )
        self.path, self.reason = path, reason


@contextmanager
def writing(path: Path, output: Path | str | None = None) -> Iterator[None]:
    """Within it what the system has against writing `path`, in whole or in part, is a UserError; other errors stay.

    output: what the user knows it as.
    """
    try:
        yield
    except Exception as error:
        reason = _refusal(error, path)
        if reason is None:
            raise
        raise _RefusedError(path, output or path, reason) from error


def _refusal(error: Exception, path: Path) -> str | None:
    """Return what the system has against writing the path; None where the error is about something else."""
    if isinstance(error, _RefusedError):  # of a file in a folder that is being written
        return error.reason if part_of(path) in error.path.parents else None
    told = _RUST.search(str(error))
    number = int(told[1]) if told else getattr(error, "errno", None)
    named = getattr(error, "filename", None)
    if number is None or (named is not None and not _is_of(str(named), path)):
        return None
    if number in _FULL:
        return os.strerror(number)
    # Of a long path polars tells the end alone.
    if named is None and not _is_of(str(error), path):
        return None
    if number in (errno.EEXIST, errno.ENOTDIR):
        return next((f"{parent} is a file" for parent in path.parents if parent.is_file()), None)
    # Where its folder is there, it is something else that isn't.
    return None if number == errno.ENOENT and path.parent.is_dir() else os.strerror(number)


def _is_of(named: str, path: Path) -> bool:
    return part_of(path).name in named or Path(named) in (path, *path.parents)


def write_json(value: Any, path: Path | str) -> None:
    """Write a JSON value so that people can read it, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def append_line(text: str, path: Path) -> None:
    """Append a line, in UTF-8; it is on the disk when this returns. Threads and processes may do so at the same time.

    Half a line, which a process has left that was killed while it wrote, stays a line of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
        torn = end > 0 and file.read(1) != b"\n"
        file.write(b"\n" * torn + text.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def part_of(path: Path) -> Path:
    """Return this process's temporary name for `path`: processes of several machines may write on one file system."""
    return path.with_name(f".{path.stem}.{socket.gethostname()}-{os.getpid()}.part{path.suffix}")


def leftovers(path: Path | str) -> list[Path]:
    """Return the temporary files of `path` that are there: of a process that is writing it, or of killed ones."""
    path = Path(path)
    return sorted(path.parent.glob(f".{glob.escape(path.stem)}.*.part{path.suffix}"))


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def digest(*parts: Any) -> str:
    """Return 16 hexadecimal digits that stand for the parts: JSON values, or paths, which count by their content."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            total.update(part.read_bytes())
        else:
            total.update(json.dumps(part, sort_keys=True, ensure_ascii=False).encode())
        total.update(b"\0")
    return total.hexdigest()[:16]
