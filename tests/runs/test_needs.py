"""What jobs ask of a machine: properties that the estimates must have, and sizes read from files."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossedit import config as configuration
from crossedit.errors import UserError
from crossedit.runs.estimates.amounts import number_of_facts
from crossedit.runs.estimates.durations import ON_GPU, Subject, expected_seconds, subject
from crossedit.runs.estimates.memory import batch_size, check_shards, gpu_bytes
from crossedit.runs.estimates.needs import needs
from crossedit.runs.estimates.sizes import named_size, recipe_of, size_of

ROOT = Path(__file__).parents[2]
DEMO = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
LARGE = {
    "llama-7b": {"path": "org/llama-7b", "dtype": "bfloat16"},
    "llama-13b": {"path": "org/llama-13b-chat", "dtype": "bfloat16"},
    "full-7b": {"path": "org/llama-7b", "hparams": "llama-7b"},
}


def checked(**changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = configuration.checked({**DEMO, "backbones": LARGE, "sweeps": {}, "exclude": [], **changed})
    return found


EDITORS = list(checked()["editors"])


@pytest.mark.parametrize("editor", EDITORS)
def test_larger_models_and_batches_need_more(editor: str) -> None:
    config = checked(gpu_memory=200)
    for rule in ("predict", "edit_on", "train_editor"):
        small, large, full = (gpu_bytes(config, rule, name, editor) for name in LARGE)
        assert small < large
        assert small < full
    entry = config["editors"][editor]
    few, many = (
        gpu_bytes({**config, "editors": {editor: {**entry, "batch_size": size}}}, "predict", "llama-7b", editor)
        for size in (1, 256)
    )
    assert few <= many
    assert expected_seconds(config, "predict", Subject("llama-7b", editor, "demo")) < expected_seconds(
        config, "predict", Subject("llama-13b", editor, "demo")
    )


@pytest.mark.parametrize("editor", EDITORS)
@pytest.mark.parametrize("memory", [24, 48, 80, 141])
def test_default_batches_fit_the_gpu_and_grow_with_it(editor: str, memory: int) -> None:
    config = checked(gpu_memory=memory)
    batch = batch_size(config, editor, "llama-7b")
    assert batch in (1, 2, 4, 8, 16, 32, 64)
    if batch > 1:
        assert gpu_bytes(config, "predict", "llama-7b", editor) <= memory * 2**30
    assert batch <= batch_size(checked(gpu_memory=2 * memory), editor, "llama-7b")


def test_fine_tuning_of_whole_matrices_sets_the_batch_of_a_large_model() -> None:
    config = checked()
    assert batch_size(config, "FT-L", "llama-7b") < 64
    assert batch_size(config, "MEND", "llama-7b") == 64
    said = checked(editors={"FT-L": {"method": "FT-L", "batch_size": 7}})
    assert batch_size(said, "FT-L", "llama-7b") == 7


def test_a_further_attempt_gets_more_memory_and_time_and_no_other_gpu() -> None:
    config = checked(max_runtime=100_000)
    for rule in [*ON_GPU - {"train"}, "score"]:
        first, second, third = (
            needs(config, rule, Subject("llama-7b", "MEND", "demo"), attempt=count) for count in (1, 2, 3)
        )
        assert first.mem_mb < second.mem_mb < third.mem_mb
        assert first.runtime < second.runtime < third.runtime
        assert first[:2] == second[:2] == third[:2]


def test_one_gpu_for_what_loads_a_model_and_none_for_the_rest() -> None:
    config = checked(backbones={**LARGE, "here": {"path": "org/llama-7b", "device": "cpu"}})
    for rule in ON_GPU - {"train"}:
        assert needs(config, rule, Subject("llama-7b", "MEND", "demo")).gpu == 1
        on_cpu = needs(config, rule, Subject("here", "MEND", "demo"))
        assert (on_cpu.gpu, on_cpu.gpu_mem_mb) == (0, 0)
        # What would be in the GPU's memory is in the host's.
        assert on_cpu.mem_mb > gpu_bytes(config, rule, "here", "MEND") / 2**20
    for rule in ("score", "collect", "translate"):
        assert needs(config, rule, Subject("llama-7b", "ROME", "demo")).gpu == 0


def test_the_rules_and_the_estimates_name_the_same_jobs() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    rules = re.findall(r"^rule (\w+):", text, re.MULTILINE)
    assert re.findall(r'\*\*asks\("(\w+)"\)', text) == rules
    assert set(rules) > ON_GPU


def test_a_cell_can_have_as_many_shards_as_batches() -> None:
    ok = {"method": "ROME", "batch_size": 16, "shards": 4}
    check_shards(checked(editors={"ROME": ok}))
    with pytest.raises(UserError) as refused:
        check_shards(checked(editors={"ROME": {**ok, "batch_size": 32}}))
    assert str(refused.value) == (
        "config: editors.ROME.shards: 4 can't share the 64 facts of 'demo' in batches of 32; lower batch_size to 16, "
        "or shards."
    )


def folder(path: Path, config: dict[str, Any], bytes_stored: int) -> Path:
    """Lay out a model's folder with so many bytes of weights."""
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(config))
    (path / "model.safetensors").write_bytes(bytes(bytes_stored))
    return path


def test_a_folder_tells_its_size(tmp_path: Path) -> None:
    said = {"hidden_size": 8, "num_hidden_layers": 3, "intermediate_size": 20, "vocab_size": 11, "dtype": "bfloat16"}
    path = folder(tmp_path / "model", said, 1000)
    size = size_of({"backbones": {"x": {"path": str(path)}}}, "x")
    assert (size.parameters, size.layers, size.hidden, size.ffn, size.vocabulary) == (500, 3, 8, 20, 11)
    gpt2 = folder(tmp_path / "gpt2", {"n_embd": 8, "n_layer": 2, "n_inner": None, "vocab_size": 5}, 1000)
    size = size_of({"backbones": {"x": {"path": str(gpt2)}}}, "x")
    assert (size.parameters, size.ffn) == (250, 32)


def test_a_hub_model_is_looked_for_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    config = {"backbones": {"x": {"path": "org/some-9b"}}}
    assert size_of(config, "x").parameters == 9e9
    (tmp_path / "models--org--some-9b" / "refs").mkdir(parents=True)
    (tmp_path / "models--org--some-9b" / "refs" / "main").write_text("abc\n")
    said = {"hidden_size": 8, "num_hidden_layers": 3, "intermediate_size": 20, "vocab_size": 11}
    folder(tmp_path / "models--org--some-9b" / "snapshots" / "abc", said, 400)
    assert size_of(config, "x").parameters == 100
    config["backbones"]["x"]["revision"] = "other"
    assert size_of(config, "x").parameters == 9e9


def test_what_is_in_the_cache_changes_no_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch decides about roundings, so that a download, or another node's cache, mustn't change it."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    config = checked(gpu_memory=24)
    before = {editor: batch_size(config, editor, "llama-7b") for editor in EDITORS}
    said = {"hidden_size": 128, "num_hidden_layers": 3, "intermediate_size": 256, "vocab_size": 100}
    folder(tmp_path / "models--org--llama-7b" / "snapshots" / "main", said, 400)
    assert size_of(config, "llama-7b").parameters == 100
    assert named_size(config, "llama-7b").parameters > 6e9
    assert {editor: batch_size(config, editor, "llama-7b") for editor in EDITORS} == before


@pytest.mark.parametrize(
    ("path", "parameters", "known"),
    [
        ("meta-llama/Llama-2-7b-hf", 6_738_415_616, True),
        ("Qwen/Qwen2.5-0.5B", 0.5e9, True),
        ("some/Qwen2.5-72B", 72e9, True),
        ("openai-community/gpt2", 124_439_808, True),
        ("openai-community/gpt2-xl", 1_557_611_200, True),
        ("org/8bit-thing", 7e9, False),
        ("org/model", 7e9, False),
    ],
)
def test_a_name_tells_the_size_where_nothing_else_does(
    path: str, parameters: float, known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    size = size_of({"backbones": {"x": {"path": path}}}, "x")
    assert (size.parameters, size.known) == (parameters, known)
    # A layer of a transformer has some twelve times the square of its width; the rest is embeddings.
    assert 0.6 < 12 * size.layers * size.hidden**2 / size.parameters < 1.25


def test_a_recipes_size_is_that_of_the_model_it_makes() -> None:
    from crossedit.backbones.recipe.network import new_model

    class Tokenizer:
        eos_token_id, pad_token_id = 0, 1

        def __len__(self) -> int:
            return 400

    recipe = {"facts": "demo", "vocabulary": 400, "hidden": 64, "ffn": 96, "layers": 2, "heads": 2, "texts": "x"}
    for tied in (True, False):
        config = {"backbones": {"x": {"recipe": {**recipe, "tied": tied}}}}
        model = new_model(recipe_of(config, "x"), Tokenizer(), seed=0)
        counted = sum(parameter.numel() for parameter in model.parameters())
        assert size_of(config, "x").parameters == pytest.approx(counted, rel=0.01)


def test_the_seconds_of_a_cell_are_shared_by_its_shards() -> None:
    config = checked(editors={"ROME": {"method": "ROME", "batch_size": 1, "shards": 4}})
    whole = checked(editors={"ROME": {"method": "ROME", "batch_size": 1}})
    start = expected_seconds(config, "ask", Subject("llama-7b"))
    of = Subject("llama-7b", "ROME", "demo")
    quarter, one = (expected_seconds(given, "predict", of) for given in (config, whole))
    assert quarter - start == pytest.approx((one - start) / 4)


def test_a_stop_of_a_sweep_takes_as_long_as_what_it_edits() -> None:
    """It goes on from the stop before it; those of batch-single begin anew."""
    sweeps = {
        "on": {"editor": "ROME", "setting": "instance-sequential", "stops": [4, 24, 64], "backbones": ["llama-7b"]},
        "anew": {"editor": "MEMIT", "setting": "batch-single", "stops": [4, 24], "backbones": ["llama-7b"]},
    }
    config = checked(sweeps=sweeps)
    start = expected_seconds(config, "ask", Subject("llama-7b"))
    edits = {}
    for sweep, stop in (("on", 4), ("on", 24), ("on", 64), ("anew", 4), ("anew", 24)):
        of = subject(config, "edit_on", {"sweep": sweep, "backbone": "llama-7b", "stop": str(stop)})
        edits[sweep, stop] = of.edits
        if sweep == "on":
            assert expected_seconds(config, "edit_on", of) - start == pytest.approx(
                of.edits * (expected_seconds(config, "edit_on", of._replace(edits=1)) - start)
            )
    assert edits == {("on", 4): 4, ("on", 24): 20, ("on", 64): 40, ("anew", 4): 4, ("anew", 24): 24}
    probing = subject(config, "probe_edited", {"sweep": "on", "backbone": "llama-7b", "stop": "64"})
    assert probing.edits == 64


def test_nothing_asks_for_more_time_than_a_queue_allows() -> None:
    of = Subject("full-7b", "ROME", "demo")
    long = checked(max_runtime=100_000, facts={"demo": {**DEMO["facts"]["demo"], "splits": {"test": 5000}}})
    assert needs(long, "predict", of).runtime > 1440
    assert needs({**long, "max_runtime": 300}, "predict", of, attempt=3).runtime == 300


def test_what_was_counted_of_a_split_is_taken(tmp_path: Path) -> None:
    config = checked(results=str(tmp_path).lstrip("/"), facts={"demo": {**DEMO["facts"]["demo"], "splits": {}}})
    config["results"] = str(tmp_path)
    assert number_of_facts(config, "demo") == 1000
    (tmp_path / "facts" / "demo").mkdir(parents=True)
    (tmp_path / "facts" / "demo" / "summary.json").write_text(json.dumps({"cases": {"test": 19086}}))
    assert number_of_facts(config, "demo") == 19086
