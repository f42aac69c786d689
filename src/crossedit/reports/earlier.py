"""Files in a folder of tables or figures that are of an earlier configuration.

remove(folder, "figures", names)        after those of these names were written
"""

import json
from collections.abc import Iterable
from pathlib import Path

from crossedit.files import digest, whole


def remove(folder: Path, kind: str, names: Iterable[str]) -> None:
    """Remove what was written into the folder before and is none of the files now written; then record these.

    A file goes only if the folder's record of this kind names it and it is still as it was written: whatever else lies
    there, and what people have changed, stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / f".{kind}.json"
    wanted = set(names)
    before = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    for path in sorted(folder.iterdir()):
        if path.name not in wanted and path.is_file() and before.get(path.name) == digest(path):
            path.unlink()
    written = {name: digest(folder / name) for name in sorted(wanted)}
    with whole(record) as temporary:
        temporary.write_text(json.dumps(written, indent=1), encoding="utf-8")
