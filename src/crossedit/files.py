"""Files: those that a configuration names, and those that are written whole or not at all.

check_files("config: tasks.rte.files", paths)     UserError for the first that isn't there
with whole(path) as temporary: …                  a file or folder that exists is whole
digest(path, {"seed": 0})                         stands for the content of files and for JSON values
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossedit.errors import UserError, nearest


def check_files(where: str, files: str | list[str]) -> None:
    """Raise UserError for the first of some data files that isn't there."""
    for file in listed(files):
        if not Path(file).exists():
            beside = [str(other) for other in Path(file).parent.glob("*")]
            hint = nearest(file, beside) if beside else "give the path of a data file."
            raise UserError(f"{where}: '{file}' doesn't exist; {hint}")


def listed(value: str | list[str]) -> list[str]:
    """Return a value that may stand alone as a list."""
    return [value] if isinstance(value, str) else value


@contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `path` that becomes `path` when the block ends, and goes if it fails.

    A file or folder that exists is therefore whole. The temporary name keeps the file's suffix.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        if path.is_dir():
            _remove(path)
        os.replace(temporary, path)
    finally:
        if temporary.exists():
            _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _remove(child)
        path.rmdir()
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
