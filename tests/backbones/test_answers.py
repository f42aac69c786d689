"""The three protocols, each against a loop written out by hand."""

from collections.abc import Sequence
from copy import deepcopy

import polars as pl
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from crossedit.backbones.answers import UPSTREAM_TOKENS, answer
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.probes import make_probes
from crossedit.errors import UserError

LONG = "Which of the many cities that lie along the rivers of the south of this old country is its capital today?"


@pytest.fixture(scope="module")
def asked(facts: pl.DataFrame) -> pl.DataFrame:
    """The facts with a portability question, longer than what upstream keeps."""
    return facts.with_columns(portability_prompt=pl.lit(LONG), portability_answer=pl.lit("Buenos Aires"))


def argmax(backbone: Backbone, ids: Sequence[int]) -> int:
    """Return the next token after these, asked alone."""
    with torch.no_grad():
        return int(backbone.model(torch.tensor([list(ids)])).logits[0, -1].argmax())


def text(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(list(ids), skip_special_tokens=True))


def test_one_pass_is_the_loop_over_the_targets_prefixes(backbone: Backbone, asked: pl.DataFrame) -> None:
    probes = make_probes(asked, backbone, ["en", "zh"])
    answers = answer(backbone, probes, "teacher_forced")
    for probe, row in zip(probes.to_dicts(), answers.to_dicts(), strict=True):
        prompt, target = probe["prompt_ids"], probe["target_ids"]
        assert row["target_ids"] == target
        assert row["answer_ids"] == [argmax(backbone, prompt + target[:step]) for step in range(len(target))]
        assert row["answer_text"] == text(backbone.tokenizer, row["answer_ids"])
    assert max(len(ids) for ids in answers["target_ids"]) > 1


@pytest.mark.parametrize("protocol", ["teacher_forced", "generated", "upstream"])
def test_answers_do_not_depend_on_how_they_are_batched(
    protocol: str, llama: Backbone, gpt2: Backbone, asked: pl.DataFrame
) -> None:
    for backbone in (llama, gpt2):
        probes = make_probes(asked, backbone, ["en", "zh"])[::3]
        together = answer(backbone, probes, protocol)
        assert answer(backbone, probes, protocol, batch_tokens=1).equals(together)
        turned = answer(backbone, probes.reverse(), protocol, batch_tokens=200).reverse()
        assert turned.equals(together)


def test_generated_is_the_greedy_loop_up_to_the_limit(backbone: Backbone, facts: pl.DataFrame) -> None:
    probes = make_probes(facts, backbone, ["en"])
    answers = answer(backbone, probes, "generated", limit=6)
    for probe, row in zip(probes.to_dicts(), answers.to_dicts(), strict=True):
        ids: list[int] = []
        while len(ids) < 6:
            token = argmax(backbone, probe["prompt_ids"] + ids)
            if token == backbone.tokenizer.eos_token_id or "\n" in text(backbone.tokenizer, [token]):
                break
            ids.append(token)
        assert row["answer_ids"] == ids
        assert row["target_ids"] == probe["target_ids"]


@pytest.mark.parametrize("stop", ["</s>", "Ċ"])  # the end token, and the line break as byte-level tokenizers spell it
def test_generation_ends_at_the_end_token_or_the_line_break(stop: str, llama: Backbone, facts: pl.DataFrame) -> None:
    """The rows of two output tokens are swapped, so that the model says `stop` where it said something else."""
    backbone = Backbone.of("changed", deepcopy(llama.model), llama.tokenizer)
    probes = make_probes(facts, backbone, ["en"])[:1]
    (free,) = answer(backbone, probes, "generated", limit=8)["answer_ids"].to_list()
    place = next(step for step, token in enumerate(free) if step and token not in free[:step])
    said, stopping = free[place], llama.tokenizer.convert_tokens_to_ids(stop)
    weight = backbone.module("lm_head").weight.data
    weight[[said, stopping]] = weight[[stopping, said]]
    (cut,) = answer(backbone, probes, "generated", limit=8)["answer_ids"].to_list()
    assert cut == free[:place]


def upstream_prefixes(backbone: Backbone, prompt: str, target: list[int], glue: str) -> list[str]:
    """Return the texts that are asked for each target token."""
    decoded = [backbone.tokenizer.decode(target[:step]) for step in range(len(target))]
    return [prompt] + [prompt + glue + start for start in decoded[1:]]


@pytest.mark.parametrize("kind", ["with a start token", "without"])
def test_upstream_asks_every_prefix_as_a_text_of_thirty_tokens(
    kind: str, starting: Backbone, llama: Backbone, asked: pl.DataFrame
) -> None:
    backbone = starting if kind == "with a start token" else llama
    probes = make_probes(asked, backbone, ["en", "zh"])
    answers = answer(backbone, probes, "upstream")
    for probe, row in zip(probes.to_dicts(), answers.to_dicts(), strict=True):
        carried = probe["aspect"] == "portability"
        target = backbone.tokenizer((" " if carried else "") + probe["target"])["input_ids"]
        assert (target[0] == backbone.tokenizer.bos_token_id) == (backbone is starting)
        assert row["target_ids"] == target
        prefixes = upstream_prefixes(backbone, probe["prompt"], target, "" if carried else " ")
        rows = [backbone.tokenizer(prefix)["input_ids"][:30] for prefix in prefixes]
        assert row["answer_ids"] == [argmax(backbone, ids) for ids in rows]


def test_upstream_glues_the_start_token_into_the_text(starting: Backbone) -> None:
    """So published: after the prompt stands "<s>", and only then the first word."""
    target = starting.tokenizer("Rome")["input_ids"]
    prefixes = upstream_prefixes(starting, "Italy?", target, " ")
    assert prefixes[:2] == ["Italy?", "Italy? <s>"]
    assert starting.encode(prefixes[1]) == [*starting.encode("Italy? "), starting.tokenizer.bos_token_id]


def test_upstream_repeats_its_answer_where_thirty_tokens_are_full(llama: Backbone, asked: pl.DataFrame) -> None:
    probes = make_probes(asked, llama, ["en"]).filter(pl.col("aspect") == "portability")
    assert len(llama.encode(LONG)) > UPSTREAM_TOKENS
    expected = argmax(llama, llama.encode(LONG)[:UPSTREAM_TOKENS])
    for ids in answer(llama, probes, "upstream")["answer_ids"].to_list():
        assert len(ids) > 1
        assert set(ids) == {expected}


def test_upstream_joins_portability_from_single_tokens_in_lower_case(
    starting: Backbone, llama: Backbone, asked: pl.DataFrame
) -> None:
    for backbone in (starting, llama):
        probes = make_probes(asked, backbone, ["en"])
        answers = answer(backbone, probes, "upstream")
        for row in answers.iter_rows(named=True):
            if row["aspect"] == "portability":
                single = "".join(backbone.decode([token]) for token in row["target_ids"])
                assert row["target_text"] == single.lower().strip()
                assert row["answer_text"] == backbone.decode(row["answer_ids"]).lower().strip()
            else:
                assert row["target_text"] == backbone.decode(row["target_ids"])


@pytest.mark.parametrize("kind", ["with a start token", "without"])
def test_upstream_in_context_loses_the_first_target_token_without_a_start_token(
    kind: str, starting: Backbone, llama: Backbone, facts: pl.DataFrame
) -> None:
    backbone = starting if kind == "with a start token" else llama
    probes = make_probes(facts, backbone, ["en"]).filter(pl.col("target") == "Buenos Aires")
    prefix = "New Fact: Italy? Rome\nPrompt: "
    answers = answer(backbone, probes, "upstream", prefixes=[prefix] * len(probes))
    for probe, row in zip(probes.to_dicts(), answers.to_dicts(), strict=True):
        alone = backbone.tokenizer(probe["target"], add_special_tokens=False)["input_ids"]
        lost = 0 if backbone is starting else 1
        assert row["target_ids"] == alone[lost:]
        whole = backbone.encode(f"{prefix}{probe['prompt']} {probe['target']}")
        count = len(alone) - lost
        places = range(len(whole) - count, len(whole))
        assert row["answer_ids"] == [argmax(backbone, whole[:place]) for place in places]


def test_upstream_in_context_scores_nothing_of_a_target_of_one_token(llama: Backbone, facts: pl.DataFrame) -> None:
    probes = make_probes(facts, llama, ["en"]).filter(pl.col("target") == "Rome")
    assert llama.encode("Rome") == llama.encode("Rome")[:1]
    answers = answer(llama, probes, "upstream", prefixes=["New Fact: "] * len(probes))
    assert answers["target_ids"].to_list() == answers["answer_ids"].to_list() == [[]] * len(probes)
    assert answers["answer_text"].to_list() == [""] * len(probes)


@pytest.mark.parametrize("protocol", ["teacher_forced", "generated"])
def test_a_prefix_is_asked_as_part_of_the_prompt(protocol: str, llama: Backbone, facts: pl.DataFrame) -> None:
    probes = make_probes(facts, llama, ["en"])
    prefixes = [f"Fact {number}: " for number in range(len(probes))]
    given = answer(llama, probes, protocol, prefixes=prefixes)
    joined = [llama.encode(prefix + prompt) for prefix, prompt in zip(prefixes, probes["prompt"], strict=True)]
    longer = probes.with_columns(prompt_ids=pl.Series(joined, dtype=pl.List(pl.Int32)))
    assert given.equals(answer(llama, longer, protocol))
    assert not given["answer_ids"].equals(answer(llama, probes, protocol)["answer_ids"])


def test_an_unknown_protocol_is_answered_with_the_nearest(llama: Backbone, facts: pl.DataFrame) -> None:
    with pytest.raises(UserError, match=r"^protocols: 'teacher' is no protocol; .*teacher_forced"):
        answer(llama, make_probes(facts, llama, ["en"]), "teacher")


def test_probes_are_asked_where_the_fact_has_question_and_answer(llama: Backbone, asked: pl.DataFrame) -> None:
    probes = make_probes(asked.with_columns(rephrase=pl.lit(None, pl.String)), llama, ["zh"])
    assert set(probes["lang"]) == {"zh"}
    assert probes.group_by("aspect").len().sort("aspect").rows() == [
        ("locality", 3),
        ("portability", 3),
        ("reliability", 3),
    ]
