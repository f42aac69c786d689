"""What translating a facts table would ask and cost, and what has been spent on it so far.

costs = estimate(facts, settings)       one for each model
text(costs, settings)                   the same in words
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from crossedit.translation.asking.ledger import Ledger
from crossedit.translation.asking.prices import Budget, Prices, expected, money
from crossedit.translation.questions import Question
from crossedit.translation.settings import Settings
from crossedit.translation.store import Store
from crossedit.translation.translate import wanted


@dataclass(frozen=True)
class Cost:
    """What is asked of one model.

    requests: records that are still to be asked for; of: all that the facts need. Tokens are estimates, of one answer
    each. dollars: what they cost, None where there is no price; spent: dollars that stored answers have cost.
    price: where the price stands, in words.
    """

    model: str
    requests: int
    of: int
    tokens_in: float
    tokens_out: float
    dollars: float | None
    spent: float
    price: str


def estimate(facts: pl.DataFrame, settings: Settings) -> list[Cost]:
    """Return what is still to be asked of each model, in the order of their first records."""
    store = Store(settings.store)
    questions = {question.key: question for _, _, question in wanted(facts, settings)}.values()
    by_model: dict[str, list[Question]] = {}
    for question in questions:
        question.replay(store)
        by_model.setdefault(question.first["model"], []).append(question)
    prices = Prices.of(settings)
    unlimited = replace(settings, budget=None)
    return [_cost(model, its, prices, unlimited) for model, its in by_model.items()]


def _cost(model: str, questions: Sequence[Question], prices: Prices, settings: Settings) -> Cost:
    amounts = [expected(question.request) for question in questions if question.request is not None]
    tokens_in, tokens_out = (sum(each) for each in zip((0.0, 0.0), *amounts, strict=True))
    dollars = prices.dollars(model, tokens_in, tokens_out, settings.batch)
    spent = Budget(settings, questions).spent
    return Cost(model, len(amounts), len(questions), tokens_in, tokens_out, dollars, spent, prices.where(model))


def text(costs: Iterable[Cost], settings: Settings) -> str:
    """Return a line for each model, their sum beside the budget, and what the estimate leaves out."""
    costs = list(costs)
    priced = sum(cost.dollars or 0.0 for cost in costs)
    spent = sum(cost.spent for cost in costs)
    unknown = [cost.model for cost in costs if cost.dollars is None and cost.requests]
    said = f"All: {sum(cost.requests for cost in costs):,} requests, about {money(priced)}"
    said += f" without {', '.join(unknown)}" if unknown else ""
    said += f"; with the {money(spent)} spent so far {money(priced + spent)}"
    if settings.budget is not None:
        enough = "" if priced + spent <= settings.budget else ": not enough for all of them"
        said += f" of a budget of {money(settings.budget)}{enough}"
    lines = [*(f"{cost.model}: {sentence(cost)}." for cost in costs), f"{said}."]
    if any(cost.requests for cost in costs):
        lines.append(_again(settings))
    if on_their_way := sum(entry.requests for entry in Ledger(settings.store).on_their_way):
        lines.append(f"{on_their_way:,} requests are on their way in batches; they are waited for, not asked again.")
    return "\n".join(lines)


def sentence(cost: Cost) -> str:
    """Return what is asked of a model, and the price, without a full stop."""
    spent = f"; {money(cost.spent)} spent so far" if cost.spent else ""
    if not cost.requests:
        return f"all {cost.of:,} records have their answers, nothing is asked{spent}"
    asked = f"{cost.requests:,} of {cost.of:,} records to be asked for"
    amounts = f"about {cost.tokens_in:,.0f} tokens sent and {cost.tokens_out:,.0f} received"
    price = "price unknown" if cost.dollars is None else f"about {money(cost.dollars)}"
    return f"{asked}, {amounts}, {price} ({cost.price}){spent}"


def _again(settings: Settings) -> str:
    way = "Through the Batch API. " if settings.batch else ""
    return (
        f"{way}Reckoned with one answer for each record; one that can't be used is asked for again, "
        f"{settings.attempts} times at most."
    )
