"""Tiny random backbones of every architecture, a few facts to edit in them, and the browser of this machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import polars as pl
import pytest
import torch
from playwright.sync_api import Browser, expect, sync_playwright
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    GemmaConfig,
    GPT2Config,
    GPTJConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

from crossedit.backbones.backbone import Backbone
from crossedit.edits.requests import make_requests
from crossedit.tables import FACTS

# The models are so small that a second thread only gets in the way.
torch.set_num_threads(1)

# No test fails because the machine is slow.
expect.set_options(timeout=60_000)
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

DATA = Path(os.environ.get("CROSSEDIT_DATA", Path(__file__).parents[1] / "../shared/data"))

WIDTHS = {"num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 4, "max_position_embeddings": 256}
LLAMA_LIKE = {**WIDTHS, "intermediate_size": 48, "num_key_value_heads": 2, "head_dim": 8}
CONFIGS = {
    "llama": (LlamaConfig, LLAMA_LIKE),
    "mistral": (MistralConfig, LLAMA_LIKE),
    "qwen2": (Qwen2Config, LLAMA_LIKE),
    "qwen3": (Qwen3Config, LLAMA_LIKE),
    "gemma": (GemmaConfig, LLAMA_LIKE),
    "gpt2": (GPT2Config, {"n_layer": 3, "n_embd": 32, "n_head": 4, "n_inner": 48, "n_positions": 256}),
    "gptj": (GPTJConfig, {"n_layer": 3, "n_embd": 32, "n_head": 4, "n_inner": 48, "n_positions": 256, "rotary_dim": 8}),
}

_FACT = {
    "split": "test",
    "relation": "capital",
    "locality_prompt": "Who wrote Hamlet?",
    "locality_answer": "Shakespeare",
    "same_subject_prompt": None,
    "same_subject_answer": None,
    "portability_prompt": None,
    "portability_answer": None,
    "origin": "source",
}
_ROWS = [
    (1, "en", "France", "What is the capital of France?", "Rome", "Paris", "Name the capital of France?"),
    (1, "zh", "法国", "法国的首都是哪里？", "罗马", "巴黎", "哪座城市是法国的首都？"),
    (2, "en", "Italy", "Italy has which capital city?", "Buenos Aires", "Rome", "What city is the capital of Italy?"),
    (2, "zh", "意大利", "意大利的首都是哪里？", "布宜诺斯艾利斯", "罗马", "哪座城市是意大利的首都？"),
    (3, "en", "Peru", "The capital of Peru is?", "Oslo", "Lima", "Which city is the capital of Peru?"),
    (3, "zh", "秘鲁", "秘鲁的首都是哪里？", "奥斯陆", "利马", "哪座城市是秘鲁的首都？"),
]


@pytest.fixture(scope="session")
def facts() -> pl.DataFrame:
    """Three facts in English and Chinese."""
    names = ("case_id", "lang", "subject", "prompt", "target", "original", "rephrase")
    rows = [_FACT | dict(zip(names, row, strict=True)) for row in _ROWS]
    return pl.DataFrame(rows, schema=FACTS.columns)


@pytest.fixture(scope="session")
def tokenizer(facts: pl.DataFrame) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer without start token."""
    return make_tokenizer(facts)


def make_tokenizer(facts: pl.DataFrame, start: bool = False) -> PreTrainedTokenizerFast:
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    texts = [text for name in ("prompt", "target", "rephrase") for text in facts[name]]
    special = ["<s>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bare.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    if start:
        bare.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=bare, bos_token="<s>", eos_token="</s>")


def make_backbone(architecture: str, tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> Backbone:
    """Return a random backbone; its weights are large enough for answers to differ."""
    kind, widths = CONFIGS[architecture]
    torch.manual_seed(seed)
    config = kind(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=1, pad_token_id=1, **widths)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    for name, weight in model.named_parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.25 if "embed" in name or "wte" in name else 0.15)
    return Backbone.of(f"tiny-{architecture}", model, tokenizer)


@pytest.fixture(scope="session", params=list(CONFIGS))
def backbone(request: pytest.FixtureRequest, tokenizer: PreTrainedTokenizerFast) -> Backbone:
    """A tiny random backbone of each architecture in turn."""
    return make_backbone(request.param, tokenizer)


@pytest.fixture(scope="session")
def llama(tokenizer: PreTrainedTokenizerFast) -> Backbone:
    return make_backbone("llama", tokenizer)


@pytest.fixture(scope="session")
def starting(facts: pl.DataFrame) -> Backbone:
    """A LLaMA whose tokenizer puts a start token before every text."""
    return make_backbone("llama", make_tokenizer(facts, start=True))


@pytest.fixture(scope="session")
def gpt2(tokenizer: PreTrainedTokenizerFast) -> Backbone:
    return make_backbone("gpt2", tokenizer)


@pytest.fixture(scope="session")
def requests_en(facts: pl.DataFrame) -> list:
    return make_requests(facts, "en")


@pytest.fixture(scope="session")
def requests_zh(facts: pl.DataFrame) -> list:
    return make_requests(facts, "zh")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine, for the tests of one file.

    What drives it is an event loop: while it runs, the process can neither drive a second one nor begin a loop of its
    own, as tests in other files do.
    """
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
