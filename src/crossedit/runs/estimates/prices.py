"""What translations will cost: how many requests have no answer in the store yet, their tokens, and the price.

for cost in costs(config, ["zsre"], built=["zsre"]): …       one for each set of facts and model
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crossedit.errors import UserError
from crossedit.runs.estimates.amounts import number_of_facts
from crossedit.translation.asking.estimate import Cost, estimate
from crossedit.translation.asking.prices import ANSWER_PER_RECORD, Prices
from crossedit.translation.settings import Settings, from_entry

# Where the facts can't be read: the tokens of a record, and of the words around it.
_RECORD_TOKENS, _PROMPT_TOKENS = 150, 25


@dataclass(frozen=True)
class Translation(Cost):
    """What is asked of one model for one set of facts.

    exact: whether the requests were counted, or reckoned from the sizes of splits; why: what kept them from being read.
    """

    facts: str
    exact: bool
    why: str = ""


def costs(config: Mapping[str, Any], translated: Iterable[str], built: Collection[str]) -> Iterator[Translation]:
    """Yield what translating these facts costs; of those in `built`, the facts table will be made first."""
    for facts in translated:
        settings = from_entry(config["facts"][facts]["translation"])
        try:
            found, exact, why = _counted(config, facts, settings, facts in built), True, ""
        except UserError as error:
            found, exact, why = _reckoned(config, facts, settings), False, f"the facts can't be read: {error}"
        yield from (Translation(**asdict(cost), facts=facts, exact=exact, why=why) for cost in found)


def _counted(config: Mapping[str, Any], facts: str, settings: Settings, anew: bool) -> list[Cost]:
    """Return what has no answer yet, by the parts of the code that will ask. Raises UserError for unreadable facts."""
    from crossedit.facts.build import build
    from crossedit.tables import FACTS, read

    entry = config["facts"][facts]
    path = Path(config["results"], "facts", facts, "facts.parquet")
    if anew or not path.exists():
        own = {key: value for key, value in entry.items() if key != "translation"}
        table = build(own, [settings.source], entry.get("seed", config["seed"])).facts
    else:
        table = read(path, FACTS)
    return estimate(table, settings)


def _reckoned(config: Mapping[str, Any], facts: str, settings: Settings) -> list[Cost]:
    """Return what the splits' sizes tell, as if no answer were stored."""
    prices = Prices.of(settings)
    number: dict[str, int] = {}
    for split in config["facts"][facts].get("splits", {"test": "all"}):
        model = settings.model_of(split)
        number[model] = number.get(model, 0) + number_of_facts(config, facts, split) * len(settings.targets)
    found = []
    for model, of in number.items():
        amounts = of * (_PROMPT_TOKENS + _RECORD_TOKENS), of * ANSWER_PER_RECORD * _RECORD_TOKENS
        dollars = prices.dollars(model, *amounts, settings.batch)
        found.append(Cost(model, of, of, *amounts, dollars, 0.0, prices.where(model)))
    return found
