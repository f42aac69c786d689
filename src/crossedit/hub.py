"""Models from a hub or a folder: where they lie on this machine, and a clear word where they can't be loaded.

    with loading("encoder", "sentence-transformers/all-MiniLM-L6-v2", "a sentence encoder"):
        model = SentenceTransformer(near(path))

A job that loads a folder from a file system that many machines share may keep a copy on its own machine's disk: where
the environment variable CROSSEDIT_CACHE names a folder, models are copied there once and loaded from there. Models of
the hub lie where HF_HOME says.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossedit.errors import UserError
from crossedit.files import digest, whole

CACHE = "CROSSEDIT_CACHE"


@contextmanager
def loading(field: str, path: str, what: str) -> Iterator[None]:
    """Within it a hub's library loads `path`; its errors become a UserError that says which `field` named it."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        said = f"{field}: '{path}' can't be loaded as {what}: {reason}"
        if os.environ.get("HF_HUB_OFFLINE") == "1" and not Path(path).exists():
            said += f" Nothing is downloaded here (`offline`); fetch it on a machine with network: hf download {path}"
        raise UserError(said) from error


def near(path: str) -> str:
    """Return where to load a model from: a copy of its folder in CROSSEDIT_CACHE, or `path` as it is.

    A copy belongs to a folder with exactly these files, by their names, sizes and times; a hub id is returned as it is.
    """
    cache, folder = os.environ.get(CACHE), Path(path)
    if not cache or not folder.is_dir():
        return path
    from filelock import FileLock

    files = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(folder.iterdir())]
    copy = Path(cache, f"{folder.resolve().name}-{digest(str(folder.resolve()), files)}")
    copy.parent.mkdir(parents=True, exist_ok=True)
    # Jobs of one machine that start together wait for the one that copies.
    with FileLock(copy.with_name(f".{copy.name}.lock")):
        if not copy.exists():
            with whole(copy) as temporary:
                shutil.copytree(folder, temporary)
    return str(copy)
