"""Editors that differ in nothing but how many training facts they may use, and their table."""

import polars as pl
from made import scores

from crossedit.reports.bizsre import training_scale
from crossedit.reports.grid import Grid
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.training_scale import sizes

MEND = {"MEND": {"method": "MEND"}, "MEND-1k": {"method": "MEND", "train_size": 1000}}
IKE = {"IKE-9": {"method": "IKE", "train_size": 9}, "IKE-100": {"method": "IKE", "train_size": 100}}


def test_sizes_ascend_and_all_comes_last() -> None:
    found = sizes(MEND | IKE | {"MEND-100": {"method": "MEND", "train_size": 100}})
    assert found == {
        "MEND": [("MEND-100", 100), ("MEND-1k", 1000), ("MEND", None)],
        "IKE": [("IKE-9", 9), ("IKE-100", 100)],
    }


def test_one_size_is_no_scale() -> None:
    assert sizes({"MEND": {"method": "MEND"}, "again": {"method": "MEND", "train_size": "all"}}) == {}
    assert sizes(MEND, used={"MEND"}) == {}
    assert sizes({}) == {}


def test_how_a_cell_is_worked_through_is_no_difference_but_hyperparameters_are() -> None:
    other = {"method": "MEND", "train_size": 5, "shards": 4, "batch_size": 2}
    assert len(sizes(MEND | {"MEND-5": other})["MEND"]) == 3
    assert len(sizes(MEND | {"MEND-5": {**other, "hparams": {"lr": 1}}})["MEND"]) == 2


def test_groups_of_one_method_say_what_sets_them_apart() -> None:
    slow = {f"slow-{name}": {**entry, "hparams": {"lr": 0.1}} for name, entry in MEND.items()}
    assert list(sizes(MEND | slow)) == ["MEND", "MEND (lr: 0.1)"]
    assert list(sizes(slow)) == ["MEND"]


def test_the_table_has_a_row_for_each_size_and_dashes_where_there_is_no_cell_yet() -> None:
    frame = scores(("unedited", "MEND")).filter(pl.col("edit_lang") == "en")
    entry = {
        "facts": {"tiny": {}},
        "backbones": {"small": {}},
        "editors": MEND | {"ROME": {"method": "ROME"}},
        "languages": ["en", "zh"],
        "exclude": [{"editor": "MEND-1k", "language": "zh"}],
    }
    known = Scores(frame)
    sheet = training_scale(known, Grid.of(entry, known), "tiny", "upstream", sizes(entry["editors"]))
    assert sheet.name == "training_scale_tiny_upstream"
    assert [row[:4] for row in sheet.rows] == [
        ("small", "English", "MEND", "1,000"),
        ("small", "English", "MEND", "all"),
        ("small", "Chinese", "MEND", "all"),
    ]
    numbers = [[str(cell) for cell in row[4:]] for row in sheet.rows]
    assert set(numbers[0] + numbers[2]) == {DASH}
    assert DASH not in numbers[1]
    assert [str(column) for column in sheet.columns[3:6]] == ["Training facts", "Reliability", "English Generality"]
