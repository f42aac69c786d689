"""How much training data editors need: those of a configuration that differ in nothing but `train_size`.

sizes(config["editors"])        {"MEND": [("MEND-100", 100), ("MEND-10k", None)]}
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from crossedit.config import train_size

Sizes = dict[str, list[tuple[str, int | None]]]  # editors and numbers of training facts by method
# What an entry may say besides that leaves the edits what they are.
_ASIDE = ("train_size", "shards", "batch_size")


def sizes(editors: Mapping[str, Mapping[str, Any]], used: Collection[str] | None = None) -> Sizes:
    """Return the editors and their numbers of training facts by method, ascending; None is all, and comes last.

    used: the names of the editors that count, by default all.
    A method has at least two sizes. Where several groups of entries are one method, each says what sets it apart.
    """
    groups: dict[str, dict[str, int | None]] = {}
    for name, entry in editors.items():
        if used is not None and name not in used:
            continue
        rest = {field: value for field, value in entry.items() if field not in _ASIDE}
        groups.setdefault(json.dumps({"method": name} | rest, sort_keys=True), {})[name] = train_size(entry)
    several = {key: group for key, group in groups.items() if len(set(group.values())) > 1}
    methods = [json.loads(key)["method"] for key in several]
    return {
        _title(json.loads(key), methods): sorted(group.items(), key=lambda pair: (pair[1] is None, pair[1] or 0))
        for key, group in several.items()
    }


def _title(entry: dict[str, Any], methods: list[str]) -> str:
    """Return the method, and what else is said of it where it is there more than once."""
    method = str(entry.pop("method"))
    if methods.count(method) == 1:
        return method
    told = {**entry.pop("hparams", {}), **entry}
    return f"{method} ({', '.join(f'{field}: {value}' for field, value in told.items())})" if told else method
