"""The edits of a sweep since its last stop, each written down as soon as it is found.

    journal = Journal(folder, device)
    done, delta = journal.read(done, delta)          what was written before a kill is not done again
    delta = journal.write(number, step, delta)

A page is one edit's delta, or, where that is no smaller, the sum of all edits so far, which replaces the pages before.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from crossedit.edits.deltas import Delta


@dataclass(frozen=True)
class Journal:
    folder: Path
    device: torch.device

    def read(self, done: int, delta: Delta) -> tuple[int, Delta]:
        """Return how many edits are done, and their sum; `delta` is that of the first `done`."""
        # What a kill left half written has a name that begins with a dot.
        sums = [int(page.stem) for page in self.folder.glob("[0-9]*.sum")]
        if sums:
            done, delta = max(sums) + 1, self._load(f"{max(sums)}.sum")
        while (self.folder / f"{done}.step").exists():
            delta += self._load(f"{done}.step")
            done += 1
        return done, delta

    def write(self, number: int, step: Delta, delta: Delta) -> Delta:
        """Write edit `number`, counted from 0, which is added to `delta`. Returns the sum, as `read` would."""
        total = delta + step
        if _numbers(step) < _numbers(total):
            step.save(self.folder / f"{number}.step")
            return delta + self._load(f"{number}.step")
        total.save(self.folder / f"{number}.sum")
        for page in self.folder.iterdir():
            if page.name != f"{number}.sum":
                shutil.rmtree(page)
        return self._load(f"{number}.sum")

    def _load(self, page: str) -> Delta:
        return Delta.load(self.folder / page, self.device)


def _numbers(delta: Delta) -> int:
    """Return how many numbers a delta is made of."""
    return sum(tensor.numel() for term in delta.terms.values() for tensor in term.tensors().values())
