"""What translating would cost, told before anything is asked."""

from dataclasses import replace

import pytest
from server import translated

from crossedit.translation.asking.estimate import estimate, text
from crossedit.translation.asking.ledger import Ledger, line
from crossedit.translation.asking.prices import Prices
from crossedit.translation.store import Answer, Store
from crossedit.translation.translate import wanted

PRICED = {"gpt-3.5-turbo": {"input": 1, "output": 2}, "gpt-4": {"input": 30, "output": 60}}


@pytest.fixture
def settings(made):
    return replace(made, prices=PRICED)


def put(facts, settings, case, answer):
    question = next(question for row, _, question in wanted(facts, settings) if row["case_id"] == case)
    Store(settings.store).put(question.first, 1, answer(question))


def test_what_is_missing_is_counted_by_model(facts, settings):
    small, large = estimate(facts(6), settings)
    assert [(cost.model, cost.requests, cost.of) for cost in (small, large)] == [
        ("gpt-3.5-turbo", 4, 4),
        ("gpt-4", 2, 2),
    ]
    assert small.dollars == pytest.approx((small.tokens_in * 1 + small.tokens_out * 2) / 1e6)
    assert large.dollars == pytest.approx((large.tokens_in * 30 + large.tokens_out * 60) / 1e6)
    assert small.tokens_in == pytest.approx(2 * large.tokens_in)
    assert small.tokens_in > small.tokens_out > 0
    assert small.spent == large.spent == 0


def test_two_languages_cost_twice_and_a_batch_its_share(facts, settings):
    (one,), (two,) = (
        estimate(facts(3).head(2), replace(settings, targets=targets)) for targets in (("zh",), ("zh", "de"))
    )
    assert two.requests == 2 * one.requests == 4
    assert two.dollars == pytest.approx(2 * one.dollars, rel=0.01)
    (own,) = estimate(facts(3).head(2), replace(settings, batch=True))
    assert own.dollars == pytest.approx(one.dollars), "own prices are taken as they are"
    (half,) = estimate(facts(3).head(2), replace(settings, batch=True, base_url=Prices.of(settings).server))
    assert half.dollars == pytest.approx(one.dollars * Prices.of(settings).batch)


def test_stored_answers_are_not_asked_again_but_have_cost_something(facts, settings):
    usage = {"prompt_tokens": 100, "completion_tokens": 50}
    before = estimate(facts(6), settings)[1]
    put(facts(6), settings, 4, lambda question: Answer(translated(question.record, "Chinese"), usage=usage))
    after = estimate(facts(6), settings)[1]
    assert (after.requests, after.of) == (1, 2)
    assert after.tokens_in == pytest.approx(before.tokens_in / 2)
    assert after.spent == pytest.approx((100 * 30 + 50 * 60) / 1e6)
    put(facts(6), settings, 5, lambda _: Answer("No."))
    unusable = estimate(facts(6), settings)[1]
    assert unusable.requests == 1, "an answer that can't be used is asked for again"
    assert unusable.tokens_in > after.tokens_in, "with the talk so far"


def test_the_words_hold_the_sum_the_budget_and_what_has_no_price(facts, settings):
    costly = {"gpt-4": {"input": 1e5, "output": 0.0}}
    unpriced = replace(settings, prices=costly, budget=1.0)
    small, large = costs = estimate(facts(6), unpriced)
    said = text(costs, unpriced)
    assert f"gpt-4: 2 of 2 records to be asked for, about {large.tokens_in:,.0f} tokens sent" in said
    assert f"about ${large.dollars:,.2f} (translation.prices)" in said
    assert f"price unknown (no price for gpt-3.5-turbo at {settings.base_url})" in said
    assert f"All: 6 requests, about ${large.dollars:,.2f} without gpt-3.5-turbo" in said
    assert "of a budget of $1.00: not enough for all of them" in said
    assert "3 times at most" in said
    assert small.dollars is None
    assert "on their way" not in said
    Ledger(settings.store).intend(settings.base_url, [line(next(iter(wanted(facts(6), settings)))[2].first, 1)])
    assert "1 requests are on their way in batches; they are waited for" in text(costs, unpriced)


def test_where_everything_is_stored_nothing_is_asked(facts, settings):
    for case in range(3):
        put(facts(3), settings, case, lambda question: Answer(translated(question.record, "Chinese")))
    costs = estimate(facts(3), settings)
    assert sum(cost.requests for cost in costs) == 0
    said = text(costs, settings)
    assert "gpt-4: all 1 records have their answers, nothing is asked" in said
    assert "asked for again" not in said
