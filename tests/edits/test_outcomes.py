"""What came of an edit: one outcome for every answer, by rules that hold in any script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossedit.edits.metrics import exact_match
from crossedit.edits.outcomes import CHANGED, ERRORS, RIGHT, UNCHANGED, outcome

ANY = st.text(alphabet="ab 罗马的。.ไทย", max_size=8)


@pytest.mark.parametrize(
    ("after", "target", "before", "lang", "found"),
    [
        (" Rome", "Rome", "Oslo", "en", "right"),
        ("Oslo", "Rome", "Oslo ", "en", "unchanged"),
        ("", "Rome", "Oslo", "en", "meaningless"),
        ("?!\n—", "Rome", "Oslo", "en", "meaningless"),
        ("\ufffd\ufffd", "Rome", "Oslo", "en", "meaningless"),  # bytes that are no letter
        ("of the", "Bank of England", "Oslo", "en", "meaningless"),
        ("la la la la", "Rome", "Oslo", "en", "meaningless"),
        ("Rome Rome Rome", "Rome", "Oslo", "en", "meaningless"),
        ("edededededed", "Rome", "Oslo", "en", "meaningless"),
        ("San", "San Marino", "Monaco", "en", "missing"),
        ("san marino.", "Republic of San Marino", "Monaco", "en", "missing"),
        ("Who", "The Who", "Queen", "en", "missing"),
        ("\uff33an", "San Marino", "Monaco", "en", "missing"),  # a letter as wide as a Chinese one
        ("Marino San", "San Marino City", "Monaco", "en", "partial"),  # in another order
        ("South Korea", "South America", "North America", "en", "partial"),
        ("Prado Britain", "Tate Britain", "Prado", "en", "partial"),
        ("Rome, Italy", "Rome", "Oslo", "en", "partial"),  # all of it and more
        ("rome", "Rome", "Oslo", "en", "partial"),  # otherwise written
        ("Malkovich Malkovich", "John Malkovich", "Lon Chaney", "en", "partial"),
        ("Treaty of Paris", "Battle of Hastings", "Oslo", "en", "irrelevant"),  # they share a function word
        ("Berlin", "Rome", "Oslo", "en", "irrelevant"),
        (".at", ".it", ".uk", "en", "irrelevant"),  # names, though `at` and `it` are function words
        (".at", ".com", ".uk", "en", "irrelevant"),
        ("The", "It", "Carrie", "en", "irrelevant"),  # function words are all that this target has
        ("罗马", "罗马", "奥斯陆", "zh", "right"),
        ("的", "罗马", "奥斯陆", "zh", "meaningless"),
        ("索 索 索 索", "罗马", "奥斯陆", "zh", "meaningless"),
        ("比利时时时时时时时时", "比利时", "瑞士", "zh", "meaningless"),
        ("时", "比利时", "瑞士", "zh", "missing"),
        ("加州大学", "加州大学伯克利分校", "密歇根大学", "zh", "missing"),
        ("松软", "微软", "松下", "zh", "partial"),
        ("贾斯特拉斯莫尔", "贾斯珀", "新罗谢尔", "zh", "partial"),
        ("鱼类", "鱼", "玉米", "zh", "partial"),
        ("非洲", "亚洲", "欧洲", "zh", "irrelevant"),  # a character that both end with is no part
        ("英国", "美国", "瑞士", "zh", "irrelevant"),
        ("Rome", "罗马", "奥斯陆", "zh", "irrelevant"),
        ("Rom, Italien", "Rom", "Oslo", "de", "partial"),
        ("der die", "Rom", "Oslo", "de", "meaningless"),
        ("Нью", "Нью-Йорк", "Осло", "ru", "missing"),
        ("アメリカ", "アフリカ", "アジア", "ja", "irrelevant"),  # letters of sounds: four in a row are a word
        ("アメリカ", "アメリカ合衆国", "日本", "ja", "missing"),
        ("กรุงเทพมหานคร ไทย", "กรุงเทพมหานคร", "โตเกียว", "th", "partial"),
    ],
)
def test_outcomes_by_hand(after: str, target: str, before: str, lang: str, found: str) -> None:
    assert outcome("generality", after, target, before, lang) == found


def test_locality_is_right_or_changed_by_the_answer_before() -> None:
    assert outcome("locality", "Oslo ", "Rome", "Oslo", "en") == RIGHT
    assert outcome("locality", "Rome", "Rome", "Oslo", "en") == CHANGED


@settings(deadline=None, max_examples=300)
@given(ANY, ANY, ANY, st.sampled_from(["en", "zh", "th", "xx"]))
def test_every_answer_has_one_outcome_and_is_right_where_it_matches(
    after: str, target: str, before: str, lang: str
) -> None:
    found = outcome("reliability", after, target, before, lang)
    assert found in (RIGHT, UNCHANGED, *ERRORS)
    assert (found == RIGHT) == bool(exact_match(after, target))
    assert (found == UNCHANGED) == (not exact_match(after, target) and bool(exact_match(after, before)))
    assert found == outcome("reliability", f" {after} ", target, before, lang)


@pytest.mark.parametrize("target", ["San Marino", "The United States", "罗马尼亚", "加州大学伯克利分校"])
def test_whatever_a_target_is_cut_to_is_missing_something(target: str) -> None:
    words = target.split() if " " in target else list(target)
    joint = " " if " " in target else ""
    for kept in range(1, len(words)):
        cut = joint.join(words[-kept:])
        assert outcome("reliability", cut, target, "Oslo", "en") == "missing"
