"""What answers cost, and the budget that they may cost.

prices = Prices.of(settings)
prices.dollars("gpt-4", tokens_in, tokens_out)       None where no price is known
budget = Budget(settings, questions)                 counts the answers that the questions hold
budget.reserve(request)                              False where it could cost more than is left
budget.book(request, answer)                         what it has cost instead
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from crossedit.errors import UserError
from crossedit.files import read_yaml
from crossedit.translation.questions import Question
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer, key

PRICES = Path("resources/prices.yaml")
# A rule of thumb: a token is four characters of English, or one of a script without spaces.
_CHARACTERS_PER_TOKEN = 4
# A translation has about the tokens of its record, more of them where its script is not the Latin one.
ANSWER_PER_RECORD = 1.5
# Times the estimate that is put aside until an answer has come: in some scripts a letter is several tokens.
_CAUTION = 3.0


@dataclass(frozen=True)
class Prices:
    """Dollars per million tokens by model: (input, output); `batch` is the share of them that the Batch API takes.

    `models` are those of one server on one day; `own` are the settings', which go first and hold for any server.
    """

    server: str
    source: str
    date: str
    batch: float
    models: Mapping[str, tuple[float, float]]
    asked: str = ""  # the server that is asked
    own: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = PRICES) -> "Prices":
        """Read the table of prices. Raises UserError where it is none."""
        try:
            said = read_yaml(path)
            models = _models(said["models"])
            return cls(said["server"], said["source"], str(said["date"]), float(said["batch"]), models, said["server"])
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(
                f"{path}: is no table of prices ({error!r}); it needs server, source, date, batch, and models with "
                "input and output."
            ) from None

    @classmethod
    def of(cls, settings: Settings, path: Path = PRICES) -> "Prices":
        """Return the prices that hold for what these settings ask. Raises UserError where theirs are none."""
        try:
            own = _models(settings.prices)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UserError(
                f"translation: prices: {dict(settings.prices)} are none; each model needs input and output, in dollars "
                "per million tokens."
            ) from None
        listed = cls.read(path) if path.exists() else cls("", "", "", 1.0, {})
        return replace(listed, asked=settings.base_url, own=own)

    def where(self, model: str) -> str:
        """Return where the price of the model stands, in words, or that there is none."""
        if model in self.own:
            return "translation.prices"
        return f"{PRICES} of {self.date}" if model in self._listed else f"no price for {model} at {self.asked}"

    @property
    def _listed(self) -> Mapping[str, tuple[float, float]]:
        return self.models if self.asked.rstrip("/") == self.server.rstrip("/") else {}

    def dollars(self, model: str, tokens_in: float, tokens_out: float, batch: bool = False) -> float | None:
        """Return the price; None where none is known for the model at the server that is asked."""
        each = self.own.get(model) or self._listed.get(model)
        if each is None:
            return None
        return (tokens_in * each[0] + tokens_out * each[1]) / 1e6 * (self.batch if batch else 1.0)


def _models(said: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    return {name: (float(price["input"]), float(price["output"])) for name, price in said.items()}


def tokens(text: str) -> float:
    """Return about how many tokens a text has; which ones they are, only the server knows."""
    latin = sum(character.isascii() for character in text)
    return latin / _CHARACTERS_PER_TOKEN + len(text) - latin


def sent(request: Mapping[str, Any]) -> float:
    """Return about how many tokens a request has."""
    return sum(tokens(message["content"]) for message in request["messages"])


class Budget:
    """US dollars that questions have cost, and may still cost by the settings. Threads may share it."""

    def __init__(self, settings: Settings, questions: Iterable[Question]) -> None:
        """Count the answers that the questions hold, those of earlier runs as well.

        Raises UserError where there is a budget and a model without a price.
        """
        questions = list(questions)
        self.limit = settings.budget
        self.spent = 0.0
        self._batch = settings.batch
        self._prices = Prices.of(settings)
        self._reserved: dict[str, float] = {}  # what those in flight will cost, by request
        self._aside = 0.0  # their sum
        self._estimated = self._charged = 0.0  # of the answers so far: what was expected, and what it came to
        self._lock = threading.Lock()
        models = {question.first["model"] for question in questions}
        unpriced = sorted(model for model in models if self._prices.dollars(model, 1, 1) is None)
        self.priced = not unpriced
        if unpriced and self.limit is not None:
            raise UserError(
                f"translation: budget: there is no price for {unpriced[0]} at {settings.base_url}; write it into "
                f"translation.prices ({unpriced[0]}: {{input: …, output: …}}, dollars per million tokens) or {PRICES}."
            )
        for question in questions:
            before = 0.0
            for answer in question.answers:
                self._charge(question.first, answer, before)
                before += tokens(answer.answer or answer.refusal or "")

    @property
    def left(self) -> float | None:
        """What may still be spent, without what is in flight; None where there is no budget."""
        return None if self.limit is None else self.limit - self.spent - self._aside

    def reserve(self, request: Mapping[str, Any], owed: bool = False) -> bool:
        """Put aside what the request may cost; False, and nothing is put aside, where that is more than is left.

        owed: it is on its way already, and its price put aside anyhow. Estimates that answers have turned out to exceed
        are raised by as much.
        """
        with self._lock:
            left = self.left
            factor = max(1.0, self._charged / self._estimated) if self._estimated else _CAUTION
            needed = self._expected(request, self._batch) * factor
            if left is not None and needed > left and not owed:
                return False
            self._aside += needed - self._reserved.pop(name := key(request, 0), 0.0)
            self._reserved[name] = needed
            return True

    def book(self, request: Mapping[str, Any], answer: Answer | None) -> None:
        """Put what the answer cost in the place of what was put aside; None: none came, nothing is owed."""
        with self._lock:
            self._aside -= self._reserved.pop(key(request, 0), 0.0)
            if not self._reserved:
                self._aside = 0.0  # without what rounding has left
            if answer is not None:
                self._charge(request, answer)

    def exhausted(self, done: int, of: int) -> UserError:
        """Return what to raise where not even one request fits into what is left."""
        return UserError(
            f"translation: the next request could go over the budget: ${self.spent:,.2f} of ${self.limit:,.2f} are "
            f"spent, {done:,} of {of:,} records are done and stored; run this again with a larger budget, nothing is "
            "asked twice."
        )

    def _charge(self, request: Mapping[str, Any], answer: Answer, before: float = 0.0) -> None:
        """Count an answer; `before`: the tokens of earlier answers, which the request repeated."""
        if answer.recorded_from:
            return
        usage = answer.usage or {}
        tokens_in = usage.get("prompt_tokens", sent(request) + before)
        tokens_out = usage.get("completion_tokens", tokens(answer.answer or answer.refusal or ""))
        cost = self._prices.dollars(request["model"], tokens_in, tokens_out, batch=answer.batch is not None) or 0.0
        self.spent += cost
        self._charged += cost
        self._estimated += self._expected(request, answer.batch is not None)

    def _expected(self, request: Mapping[str, Any], batch: bool) -> float:
        # The record stands in the first message, between a few words.
        tokens_out = ANSWER_PER_RECORD * tokens(request["messages"][0]["content"])
        return self._prices.dollars(request["model"], sent(request), tokens_out, batch) or 0.0
