"""What the tests of trained editors train on."""

import polars as pl
import pytest

from crossedit.edits.training.examples import Example, examples_of


@pytest.fixture
def examples(facts: pl.DataFrame) -> list[Example]:
    return examples_of(facts, "en", "test")
