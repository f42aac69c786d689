"""What translations will cost: how many requests have no answer in the store yet, their tokens, and the price.

for cost in costs(config, Prices.read(), ["zsre"], built=["zsre"]): …       one for each set of facts and model
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from crossedit.errors import UserError
from crossedit.files import read_yaml
from crossedit.runs.estimates.amounts import number_of_facts

PRICES = Path("resources/prices.yaml")
# A rule of thumb: a token is four characters of English, or one of a script without spaces.
_CHARACTERS_PER_TOKEN = 4
# A translation has about the tokens of its record, more of them where its script is not the Latin one.
_ANSWER_PER_RECORD = 1.5
# Where the facts can't be read: the tokens of a record, and of the words around it.
_RECORD_TOKENS, _PROMPT_TOKENS = 150, 25


@dataclass(frozen=True)
class Cost:
    """What is asked of one model for one set of facts.

    requests: those without an answer in the store; of: all that the facts need. exact: whether they were counted, or
    reckoned from the sizes of splits. Tokens are estimates, dollars are None where there is no price for the model.
    """

    facts: str
    model: str
    requests: int
    of: int
    exact: bool
    tokens_in: float
    tokens_out: float
    dollars: float | None
    why: str = ""  # why they couldn't be counted, or why there is no price


@dataclass(frozen=True)
class Prices:
    """Dollars per million tokens by model: (input, output). They are those of one server on one day."""

    server: str
    source: str
    date: str
    models: Mapping[str, tuple[float, float]]

    @classmethod
    def read(cls, path: Path = PRICES) -> "Prices":
        """Read the table of prices. Raises UserError where it is none."""
        try:
            said = read_yaml(path)
            models = {name: (float(price["input"]), float(price["output"])) for name, price in said["models"].items()}
            return cls(said["server"], said["source"], str(said["date"]), models)
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(
                f"{path}: is no table of prices ({error!r}); it needs server, source, date, and models with "
                "input and output."
            ) from None

    def dollars(self, server: str, model: str, tokens_in: float, tokens_out: float) -> float | None:
        """Return the price; None for another server, or a model that isn't listed."""
        if server.rstrip("/") != self.server.rstrip("/") or model not in self.models:
            return None
        each_in, each_out = self.models[model]
        return (tokens_in * each_in + tokens_out * each_out) / 1e6


def costs(
    config: Mapping[str, Any], prices: Prices, translated: Iterable[str], built: Collection[str]
) -> Iterator[Cost]:
    """Yield what translating these facts costs; of those in `built`, the facts table will be made first."""
    for facts in translated:
        entry = config["facts"][facts]["translation"]
        try:
            asked, exact, why = _counted(config, facts, facts in built), True, ""
        except UserError as error:
            asked, exact, why = _reckoned(config, facts), False, f"the facts can't be read: {error}"
        for model, (number, total, tokens_in, tokens_out) in asked.items():
            server = entry.get("base_url", prices.server)
            dollars = prices.dollars(server, model, tokens_in, tokens_out)
            if dollars is None and number:
                why = "; ".join(filter(None, [why, f"{PRICES} has no price for {model} at {server}"]))
            yield Cost(facts, model, number, total, exact, tokens_in, tokens_out, dollars, why)


_Asked = dict[str, tuple[int, int, float, float]]  # by model: requests, all of them, tokens sent, tokens received


def _counted(config: Mapping[str, Any], facts: str, anew: bool) -> _Asked:
    """Return what has no answer yet, by the parts of the code that will ask. Raises UserError for unreadable facts."""
    from crossedit.facts.build import build
    from crossedit.tables import FACTS, read
    from crossedit.translation.settings import from_entry
    from crossedit.translation.store import Store
    from crossedit.translation.translate import settle, settled, wanted

    entry = config["facts"][facts]
    settings = from_entry(entry["translation"])
    path = Path(config["results"], "facts", facts, "facts.parquet")
    if anew or not path.exists():
        own = {key: value for key, value in entry.items() if key != "translation"}
        table = build(own, [settings.source], entry.get("seed", config["seed"])).facts
    else:
        table = read(path, FACTS)
    store = Store(settings.store)
    asked: _Asked = {}
    for request in {one.key: one for _, _, one in wanted(table, settings)}.values():
        model = request.request["model"]
        number, total, tokens_in, tokens_out = asked.get(model, (0, 0, 0.0, 0.0))
        outcome = settle(request, store, settings.attempts)
        if not settled(outcome, settings.attempts):
            number += 1
            tokens_in += _tokens(request.request["messages"][0]["content"])
            tokens_out += _ANSWER_PER_RECORD * _tokens(json.dumps(request.record, ensure_ascii=False))
        asked[model] = (number, total + 1, tokens_in, tokens_out)
    return asked


def _reckoned(config: Mapping[str, Any], facts: str) -> _Asked:
    """Return what the splits' sizes tell, as if no answer were stored."""
    from crossedit.translation.settings import from_entry

    settings = from_entry(config["facts"][facts]["translation"])
    asked: _Asked = {}
    for split in config["facts"][facts].get("splits", {"test": "all"}):
        number = number_of_facts(config, facts, split) * len(settings.targets)
        model = settings.model_of(split)
        before = asked.get(model, (0, 0, 0.0, 0.0))
        more = (
            number,
            number,
            number * (_PROMPT_TOKENS + _RECORD_TOKENS),
            number * _ANSWER_PER_RECORD * _RECORD_TOKENS,
        )
        asked[model] = (before[0] + more[0], before[1] + more[1], before[2] + more[2], before[3] + more[3])
    return asked


def _tokens(text: str) -> float:
    latin = sum(character.isascii() for character in text)
    return latin / _CHARACTERS_PER_TOKEN + len(text) - latin
