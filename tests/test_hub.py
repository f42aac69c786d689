"""Models near a job, and what is said where one can't be loaded."""

import os
import threading
from pathlib import Path

import pytest

from crossedit.errors import UserError
from crossedit.hub import loading, near


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "shared" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_without_a_cache_models_are_loaded_from_where_they_lie(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSEDIT_CACHE", raising=False)
    assert near(str(model)) == str(model)


def test_a_folder_is_copied_once_and_anew_when_it_has_changed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSEDIT_CACHE", str(tmp_path / "disk"))
    first = Path(near(str(model)))
    assert first.parent == tmp_path / "disk"
    assert (first / "model.safetensors").read_bytes() == b"weights"
    stamp = (first / "config.json").stat().st_mtime_ns
    assert near(str(model)) == str(first)
    assert (first / "config.json").stat().st_mtime_ns == stamp
    (model / "model.safetensors").write_bytes(b"others!")
    os.utime(model / "model.safetensors", (1, 1))
    second = Path(near(str(model)))
    assert second != first
    assert (second / "model.safetensors").read_bytes() == b"others!"
    assert near("org/model") == "org/model"


def test_jobs_that_start_together_share_one_whole_copy(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSEDIT_CACHE", str(tmp_path / "disk"))
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(near(str(model)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert sorted(path.name for path in Path(found[0]).iterdir()) == ["config.json", "model.safetensors"]
    assert [path.name for path in (tmp_path / "disk").iterdir() if not path.name.startswith(".")] == [
        Path(found[0]).name
    ]


def test_offline_the_word_says_how_to_fetch_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str) -> str:
        with pytest.raises(UserError) as refused, loading("backbones.x.path", path, "a model"):
            raise OSError("We couldn't connect.\nMore.")
        return str(refused.value)

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fail("org/model") == (
        "backbones.x.path: 'org/model' can't be loaded as a model: We couldn't connect. Nothing is downloaded here "
        "(`offline`); fetch it on a machine with network: hf download org/model"
    )
    assert "hf download" not in fail(str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert fail("org/model") == "backbones.x.path: 'org/model' can't be loaded as a model: We couldn't connect."
