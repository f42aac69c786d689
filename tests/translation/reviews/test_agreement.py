"""Agreement, against values worked out by hand; a warning would be an error."""

import warnings

import pytest

from crossedit.translation.reviews.agreement import NO_CHANGE, NOTHING, ONE_CATEGORY, agreement
from crossedit.translation.reviews.merge import Word


@pytest.fixture(autouse=True)
def _no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def word(by, text, role="annotator"):
    return Word("a.csv: line 2", role, by, "machine", text)


def judged(**said):
    """Give each annotator's texts, one letter a field: `.` is the machine's text, a space was not judged."""
    fields = zip(*said.values(), strict=True)
    return {
        (index, "prompt"): [
            word(by, "machine" if letter == "." else letter)
            for by, letter in zip(said, letters, strict=True)
            if letter != " "
        ]
        for index, letters in enumerate(fields)
    }


def test_two_annotators():
    # Both change 2 fields, ann alone 1, ben alone 1, neither 6: of 10.
    found = agreement(judged(ann="xxx.......", ben="xy.x......"))
    # p_o = 8/10. Each changes 3 of 10: p_e = 0.3·0.3 + 0.7·0.7 = 0.58. kappa = (0.8 - 0.58) / 0.42 = 11/21.
    (pair,) = found["pairs"]
    assert pair == {"annotators": ["ann", "ben"], "fields": 10, "raw": 0.8, "kappa": round(11 / 21, 4), "undefined": {}}
    # Of 20 values 6 are changes. D_o = 2·2/20 = 0.2; D_e = 2·6·14/(20·19) = 168/380. alpha = 1 - 0.2·380/168 = 92/168.
    assert (found["fields"], found["raw"], found["alpha"]) == (10, 0.8, round(92 / 168, 4))
    # Both changed the first two; of the first they say the same.
    assert found["changed"] == {"fields": 2, "same_text": 0.5, "undefined": {}}


def test_three_annotators_who_left_fields_out():
    found = agreement(judged(ann="xx.. x", ben="x... .", cat=" x..x "))
    # The fifth field has one value and doesn't count. The others, changes of values: 2/2, 2/3, 0/3, 0/3, 1/2.
    # n = 13 values, 5 changes, 8 not. A field of m values with c changes adds c(m - c)/(m - 1) to each of the two
    # disagreeing cells: 0, 2·1/2 = 1, 0, 0, 1·1/1 = 1; together D_o = 2·2/13.
    # D_e = 2·5·8/(13·12) = 80/156. alpha = 1 - (4/13)·(156/80) = 1 - 48/80 = 0.4.
    assert (found["fields"], found["alpha"], found["raw"]) == (5, 0.4, 0.6)
    by_pair = {tuple(pair["annotators"]): pair for pair in found["pairs"]}
    # ann and ben on fields 1, 2, 3, 4, 6: xx..x and x....; p_o = 3/5, p_e = (3·1 + 2·4)/25 = 11/25.
    # kappa = (15 - 11)/(25 - 11) = 4/14.
    assert (by_pair["ann", "ben"]["fields"], by_pair["ann", "ben"]["kappa"]) == (5, round(4 / 14, 4))
    # ann and cat on fields 2, 3, 4: the same throughout.
    assert (by_pair["ann", "cat"]["raw"], by_pair["ann", "cat"]["kappa"]) == (1, 1)
    # ben and cat on fields 2, 3, 4: ... and x..; p_o = 2/3, p_e = (0·1 + 3·2)/9 = 2/3, so kappa = 0.
    assert by_pair["ben", "cat"]["kappa"] == 0


def test_alpha_of_krippendorffs_own_example():
    # Computing Krippendorff's Alpha-Reliability (2011), part A: of 10 units the two observers differ on 4; of 20 values
    # 6 are 1 and 14 are 0. alpha = 1 - (20 - 1)·4/(14·6) = 1 - 76/84, printed there as 0.095.
    found = agreement(judged(a=".x........", b="xxx..x..x."))
    assert found["alpha"] == round(1 - 76 / 84, 4) == 0.0952


def test_disagreement_beyond_chance_is_negative():
    # p_o = 0, p_e = 2·(1/2)(1/2) = 1/2, kappa = -1; alpha = 1 - 1·(4·3)/(2·2·2) = -0.5.
    found = agreement(judged(ann="x.", ben=".x"))
    assert (found["raw"], found["alpha"], found["pairs"][0]["kappa"]) == (0, -0.5, -1)


def test_the_expert_does_not_count():
    said = judged(ann="xx..", ben="x...")
    with_expert = {unit: [*its, word("eve", "x", "expert")] for unit, its in said.items()}
    assert agreement(with_expert) == agreement(said)


@pytest.mark.parametrize("said", [{}, judged(ann="xx.."), judged(ann="xx  ", ben="  ..")])
def test_where_no_two_judged_the_same_there_is_no_agreement(said):
    found = agreement(said)
    assert (found["fields"], found["raw"], found["alpha"], found["pairs"]) == (0, None, None, [])
    assert found["undefined"] == {"raw": NOTHING, "alpha": NOTHING}
    assert found["changed"] == {"fields": 0, "same_text": None, "undefined": {"same_text": NO_CHANGE}}


@pytest.mark.parametrize("letters", ["...", "xyz"])
def test_where_everybody_says_the_same_of_all_chance_agrees_as_well(letters):
    found = agreement(judged(ann=letters, ben=letters))
    assert (found["raw"], found["alpha"], found["undefined"]) == (1, None, {"alpha": ONE_CATEGORY})
    (pair,) = found["pairs"]
    assert (pair["raw"], pair["kappa"], pair["undefined"]) == (1, None, {"kappa": ONE_CATEGORY})


def test_two_who_share_no_field_have_no_kappa_beside_a_third():
    found = agreement(judged(ann="x. ", ben="  x", cat="x.x"))
    pair = next(pair for pair in found["pairs"] if pair["annotators"] == ["ann", "ben"])
    assert (pair["fields"], pair["raw"], pair["kappa"]) == (0, None, None)
    assert pair["undefined"] == {"raw": NOTHING, "kappa": NOTHING}


def test_one_who_changes_nothing_agrees_as_chance_would():
    # p_o = 1/2; ben never changes, so p_e = 1/2·0 + 1/2·1 = 1/2 and kappa is 0, not undefined.
    assert agreement(judged(ann="x.", ben=".."))["pairs"][0]["kappa"] == 0
