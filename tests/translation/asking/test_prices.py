"""What answers cost, and the budget."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from crossedit.errors import UserError
from crossedit.translation import records
from crossedit.translation.asking.prices import Budget, Prices, expected, money, tokens
from crossedit.translation.questions import question_of
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer, Store

TABLE = """\
server: https://api.example.com/v1
source: https://example.com/prices
date: 2026-01-02
batch: 0.5
models:
  large: {input: 10, output: 30}
"""
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}
ANSWER = Answer("answer", usage=USAGE)  # 1,000 · 10 + 100 · 30 dollars per million: 1.3 cents


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path):
    return Settings(
        source="en",
        targets=("zh",),
        model="large",
        store=tmp_path / "store",
        base_url="https://localhost/v1",
        prices={"large": {"input": 10, "output": 30}},
        checks=dict.fromkeys(("untranslated", "script", "subject", "subject_elsewhere", "numbers", "dates"), "flag"),
        attempts=2,
    )


def questions(settings, count=3):
    texts = [f"What is the capital of France {number}?" for number in range(count)]
    row = dict.fromkeys(records.FIELDS) | {"split": "test"}
    return [question_of(row | {"prompt": text}, "zh", settings, records.PROMPT) for text in texts]


def test_a_table_holds_for_its_server_alone(table, settings):
    there = replace(settings, base_url="https://api.example.com/v1/", prices={})
    assert Prices.of(there, table).dollars("large", 1e6, 2e6) == 70
    assert Prices.of(there, table).dollars("large", 1e6, 2e6, batch=True) == 35
    assert Prices.of(there, table).dollars("small", 1, 1) is None
    assert Prices.of(replace(there, base_url="https://localhost/v1"), table).dollars("large", 1, 1) is None
    assert Prices.of(there, table).where("large").endswith("of 2026-01-02")
    assert Prices.of(there, table).where("small") == "no price for small at https://api.example.com/v1/"


def test_own_prices_go_first_and_hold_everywhere(table, settings):
    own = replace(settings, prices={"large": {"input": 1, "output": 2}})
    for address in ("https://localhost/v1", "https://api.example.com/v1"):
        prices = Prices.of(replace(own, base_url=address), table)
        assert prices.dollars("large", 1e6, 1e6) == 3
        assert prices.where("large") == "translation.prices"
    assert Prices.of(own, table.with_name("none.yaml")).dollars("large", 1e6, 1e6) == 3


def test_what_is_no_table_of_prices_is_refused(table, settings):
    table.write_text("server: x\nbatch: 0.5\nmodels: {gpt-4: 3}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"prices\.yaml: is no table of prices"):
        Prices.read(table)
    with pytest.raises(UserError, match=r"translation: prices: .* each model needs input and output"):
        Prices.of(replace(settings, prices={"large": {"input": 1}}), table)


@pytest.mark.parametrize("price", ["nan", "inf", -0.1, "free", None])
def test_a_price_is_a_number_of_at_least_zero(table, settings, price):
    with pytest.raises(UserError, match=r"translation: prices: .* are none"):
        Prices.of(replace(settings, prices={"large": {"input": 1, "output": price}}), table)
    table.write_text(TABLE.replace("30", str(price)), encoding="utf-8")
    with pytest.raises(UserError, match=r"prices\.yaml: is no table of prices"):
        Prices.read(table)


def test_own_prices_are_shared_by_batches_at_the_listed_server_alone(table, settings):
    assert Prices.of(settings, table).dollars("large", 1e6, 0, batch=True) == 10
    there = replace(settings, base_url="https://api.example.com/v1")
    assert Prices.of(there, table).dollars("large", 1e6, 0, batch=True) == 5


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0, "$0.00"), (0.00034, "$0.00034"), (0.005, "$0.005"), (0.0134, "$0.013"), (0.06, "$0.06"), (0.2, "$0.20"),
        (0.999, "$1.00"), (2, "$2.00"), (1234.567, "$1,234.57"), (-0.3, "$-0.30"),
    ],
)  # fmt: skip
def test_small_amounts_are_told_too(dollars, said):
    assert money(dollars) == said


def test_an_answer_is_expected_to_be_as_long_as_the_record_and_half(settings):
    (question,) = questions(settings, 1)
    record = question.request["messages"][0]["content"].split("\n")[1]
    assert expected(question.request) == (tokens(question.request["messages"][0]["content"]), 1.5 * tokens(record))
    bare = {"messages": [{"role": "user", "content": "x" * 40}]}
    assert expected(bare) == (10, 15)


def test_a_try_without_an_answer_is_charged_and_needs_money_for_another(settings):
    (question,) = questions(settings, 1)
    each = Prices.of(settings).dollars("large", *expected(question.request))
    budget = Budget(replace(settings, budget=3.5 * each), [question])
    assert budget.reserve(question.request)
    assert budget.reserve(question.request), "it is put aside already"
    assert budget.left == pytest.approx(0.5 * each)
    budget.lose(question.request)
    assert not budget.in_flight
    assert budget.spent == pytest.approx(each)
    assert not budget.reserve(question.request)


def test_the_projects_own_table_prices_the_papers_models():
    prices = Prices.read(Path(__file__).parents[3] / "resources" / "prices.yaml")
    assert {"gpt-3.5-turbo", "gpt-4"} <= prices.models.keys()
    assert 0 < prices.batch < 1
    assert all(0 < each_in < each_out for each_in, each_out in prices.models.values())


def test_a_letter_of_chinese_counts_as_a_token_and_four_of_english():
    assert tokens("Paris is a city.") == 4
    assert tokens("巴黎是城市。") == 6


def test_what_was_reserved_is_replaced_by_what_it_cost(settings):
    first, second, _ = its = questions(settings)
    budget = Budget(replace(settings, budget=1.0), its)
    assert budget.reserve(first.request)
    assert budget.spent == 0
    assert 0 < budget.left < 1
    budget.book(first.request, ANSWER)
    assert budget.spent == pytest.approx(0.013)
    assert budget.left == pytest.approx(1 - 0.013)
    assert budget.reserve(second.request)
    budget.book(second.request, None)
    assert budget.left == pytest.approx(1 - 0.013)


def test_answers_of_earlier_runs_count_but_not_recorded_ones(settings):
    first, second, third = its = questions(settings)
    store = Store(settings.store)
    store.put(first.request, 1, ANSWER)
    store.put(second.request, 1, replace(ANSWER, batch="batch_1"))
    store.put(third.request, 1, replace(ANSWER, recorded_from="a table"))
    for question in its:
        question.replay(store)
    assert Budget(settings, its).spent == pytest.approx(2 * 0.013), "own prices are taken as they are, in batches too"
    listed = replace(settings, base_url=Prices.of(settings).server)
    assert Budget(listed, its).spent == pytest.approx(0.013 + 0.013 * Prices.of(settings).batch)
    assert Budget(replace(settings, budget=0.015), its).left < 0
    assert not Budget(replace(settings, budget=0.015), its).reserve(third.request)


def test_an_answer_without_usage_is_estimated_with_the_talk_that_it_ends(settings):
    (question,) = questions(settings, 1)
    said = "这不能用" * 10
    first, second = question.request, None
    question.take(Answer(said))
    second = question.request
    question.take(Answer(said))
    each_in, each_out = 10e-6, 30e-6
    talk = sum(tokens(message["content"]) for message in first["messages"])
    least = (2 * talk + tokens(said)) * each_in + 2 * tokens(said) * each_out
    most = (talk + sum(tokens(message["content"]) for message in second["messages"])) * each_in
    most += 2 * tokens(said) * each_out
    assert least <= Budget(settings, [question]).spent <= most


def test_a_budget_needs_a_price_for_every_model_and_without_one_it_is_told(settings):
    its = questions(replace(settings, model="small"))
    assert not Budget(settings, its).priced
    assert Budget(settings, questions(settings)).priced
    with pytest.raises(
        UserError, match=r"no price for small at https://localhost/v1; write it into translation\.prices"
    ):
        Budget(replace(settings, budget=1), its)


@pytest.mark.parametrize("longer", [1, 20])
def test_answers_longer_than_expected_do_not_break_the_budget(settings, longer):
    """The first answer, of which nothing was known, may go over; none does once one has come."""
    its = questions(settings, 200)
    budget = Budget(replace(settings, budget=0.2), its)
    answer = replace(ANSWER, usage={"prompt_tokens": 25, "completion_tokens": 40 * longer})
    asked = 0
    for question in its:
        if not budget.reserve(question.request):
            break
        budget.book(question.request, answer)
        asked += 1
    assert budget.spent <= 0.2
    each = budget.spent / asked
    assert budget.spent > 0.2 - 3 * each, "nor does it stop long before"


def test_many_threads_never_reserve_more_than_there_is(settings):
    its = questions(settings, 300)
    budget = Budget(replace(settings, budget=0.05), its)
    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(lambda question: budget.reserve(question.request), its))
    assert 0 < granted < 300
    assert 0 <= budget.left < 0.05 / granted
