"""ICE: the new fact stands before the question, in words of the editing language."""

from dataclasses import replace

import pytest

from crossedit.backbones.backbone import Backbone
from crossedit.edits.editors.ice import ICE
from crossedit.edits.editors.interface import Materials
from crossedit.edits.requests import Request
from crossedit.errors import UserError


def test_the_fact_is_to_be_imagined_in_the_editing_language(
    llama: Backbone, requests_en: list[Request], requests_zh: list[Request]
) -> None:
    editor = ICE(ICE.Hparams(), Materials())
    french = replace(requests_en[0], lang="fr", targets={"fr": "Rome"})
    english, chinese, other = (
        delta.context for delta in editor.edit_each(llama, [requests_en[0], requests_zh[0], french])
    )
    assert english
    assert english.prefix() == "Imagine that What is the capital of France? Rome\n"
    assert english.prefix("zh") == "Imagine that What is the capital of France? 罗马\n"
    assert english.prefix(demonstrations=False) == english.prefix()
    assert chinese
    assert chinese.prefix() == "假设法国的首都是哪里？ 罗马\n"
    assert other
    assert other.prefix() == english.prefix()


def test_the_new_fact_may_be_told_as_ike_tells_it(llama: Backbone, requests_en: list[Request]) -> None:
    (delta,) = ICE(ICE.Hparams(template="new_fact"), Materials()).edit_each(llama, requests_en[:1])
    assert delta.context
    assert delta.context.prefix() == "New Fact: What is the capital of France? Rome\nPrompt: "


def test_an_unknown_template_is_refused(llama: Backbone, requests_en: list[Request]) -> None:
    with pytest.raises(UserError, match="template 'imagined' is unknown; write imagine or new_fact"):
        ICE(ICE.Hparams(template="imagined"), Materials()).edit_each(llama, requests_en)  # type: ignore[arg-type]


def test_a_fact_that_is_too_long_is_named(llama: Backbone, requests_en: list[Request]) -> None:
    long = replace(requests_en[1], prompt="Italy " * 200 + "?")
    with pytest.raises(
        UserError, match=r"case 2 \(en\): .* but backbone 'tiny-llama' has 256 positions; leave this fact"
    ):
        ICE(ICE.Hparams(), Materials()).edit_each(llama, [requests_en[0], long])
