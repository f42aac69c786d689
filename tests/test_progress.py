"""Progress in a log file."""

import time

import pytest

from crossedit import progress


def test_a_log_gets_lines_with_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.05)
    with progress.bar("editing", 4) as shown:
        shown.advance(shown.task_ids[0], 1)
        deadline = time.monotonic() + 60
        said = ""
        while "editing: 1 of 4" not in said and time.monotonic() < deadline:
            said += capsys.readouterr().err
    assert "editing: 1 of 4, " in said
    assert "s left" in said


def test_tracked_items_come_through_and_errors_are_not_swallowed() -> None:
    assert list(progress.track(range(3), "counting")) == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        [1 / item for item in progress.track([1, 0], "dividing")]
