"""A server that speaks the Batch API, and settings that ask it so."""

import pytest
from batch_server import BatchServer
from server import running

from crossedit.translation.settings import from_entry


@pytest.fixture
def server():
    with running(BatchServer()) as server:
        yield server


@pytest.fixture
def made(entry, key, quick):
    """Settings that ask the server through its Batch API."""
    return from_entry({**entry, "batch": True, "poll": 0.01})
