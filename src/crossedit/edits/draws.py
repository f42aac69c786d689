"""Random draws that belong to a fact, so that it gets the same ones alone and among others."""

import numpy as np
import torch

from crossedit.edits.requests import Request


def generator(request: Request, seed: int, use: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator that is fixed by the request's case, the seed, and the number of what is drawn."""
    state = np.random.SeedSequence([seed, request.case_id, use]).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state[0]))
