"""What answers cost, and the budget that they may cost.

prices = Prices.of(settings)
prices.dollars("gpt-4", tokens_in, tokens_out)       None where no price is known
budget = Budget(settings, questions)                 counts the answers that the questions hold
budget.reserve(request)                              False where it could cost more than is left
budget.book(request, answer)                         what it has cost instead
budget.lose(request)                                 a try was sent, and its answer never came
"""

import math
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

    `models` are those of one server on one day; `own` are the settings', which go first and hold for any server: as
    they are, for batches as well, except at that one server.
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
    def _at_home(self) -> bool:
        return self.asked.rstrip("/") == self.server.rstrip("/")

    @property
    def _listed(self) -> Mapping[str, tuple[float, float]]:
        return self.models if self._at_home else {}

    def dollars(self, model: str, tokens_in: float, tokens_out: float, batch: bool = False) -> float | None:
        """Return the price; None where none is known for the model at the server that is asked."""
        each = self.own.get(model) or self._listed.get(model)
        if each is None:
            return None
        share = self.batch if batch and self._at_home else 1.0
        return (tokens_in * each[0] + tokens_out * each[1]) / 1e6 * share


def _models(said: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    models = {name: (float(price["input"]), float(price["output"])) for name, price in said.items()}
    if not all(math.isfinite(price) and price >= 0 for each in models.values() for price in each):
        raise ValueError("a price is a number of at least 0")
    return models


def money(dollars: float) -> str:
    """Return an amount in words: to the cent, and below a dollar to two digits that count."""
    digits = max(2, 1 - math.floor(math.log10(dollars))) if 0 < dollars < 1 else 2
    whole, _, part = f"{dollars:,.{digits}f}".partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


def tokens(text: str) -> float:
    """Return about how many tokens a text has; which ones they are, only the server knows."""
    latin = sum(character.isascii() for character in text)
    return latin / _CHARACTERS_PER_TOKEN + len(text) - latin


def expected(request: Mapping[str, Any]) -> tuple[float, float]:
    """Return about how many tokens a request has, and how many its answer."""
    first = request["messages"][0]["content"]
    record = first[first.find("{") : first.rfind("}") + 1] or first  # it stands between a few words
    return _sent(request), ANSWER_PER_RECORD * tokens(record)


def counted(answer: Answer, name: str) -> float | None:
    """Return what the server has counted, such as `total_tokens`; None where that is no number."""
    count = (answer.usage or {}).get(name)
    return count if isinstance(count, int | float) and math.isfinite(count) and count >= 0 else None


def _sent(request: Mapping[str, Any]) -> float:
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
    def in_flight(self) -> bool:
        """Whether money is put aside for any request."""
        return bool(self._reserved)

    @property
    def left(self) -> float | None:
        """What may still be spent, without what is in flight; None where there is no budget."""
        return None if self.limit is None else self.limit - self.spent - self._aside

    def reserve(self, request: Mapping[str, Any], owed: bool = False) -> bool:
        """Put aside what the request may cost; False, and nothing is put aside, where that is more than is left.

        What is put aside already stays so. owed: it is on its way already, and its price put aside anyhow. Estimates
        that answers have turned out to exceed are raised by as much.
        """
        with self._lock:
            left, name = self.left, key(request, 0)
            if name in self._reserved:
                return True
            needed = self._expected(request, self._batch) * self._factor(_CAUTION)
            if left is not None and needed > left and not owed:
                return False
            self._aside += needed
            self._reserved[name] = needed
            return True

    def book(self, request: Mapping[str, Any], answer: Answer | None) -> None:
        """Put what the answer cost in the place of what was put aside; None: none came, nothing is owed."""
        with self._lock:
            self._release(request)
            if answer is not None:
                self._charge(request, answer)

    def lose(self, request: Mapping[str, Any]) -> None:
        """Charge a try that was sent and got no answer, by estimate: one was probably made, and is paid.

        For another try its price is to be put aside anew.
        """
        with self._lock:
            self._release(request)
            self.spent += self._expected(request, self._batch) * self._factor(1.0)

    def exhausted(self, done: int, of: int) -> UserError:
        """Return what to raise where not even one request fits into what is left."""
        return UserError(
            "translation: the next request could go over the budget: "
            f"{money(self.spent)} of {money(self.limit or 0)} are spent, {done:,} of {of:,} records are done and "
            "stored; run this again with a larger budget, nothing is asked twice."
        )

    def _charge(self, request: Mapping[str, Any], answer: Answer, before: float = 0.0) -> None:
        """Count an answer; `before`: the tokens of earlier answers, which the request repeated."""
        if answer.recorded_from:
            return
        tokens_in, tokens_out = counted(answer, "prompt_tokens"), counted(answer, "completion_tokens")
        if tokens_in is None:
            tokens_in = _sent(request) + before
        if tokens_out is None:
            tokens_out = tokens(answer.answer or answer.refusal or "")
        cost = self._prices.dollars(request["model"], tokens_in, tokens_out, batch=answer.batch is not None) or 0.0
        self.spent += cost
        self._charged += cost
        self._estimated += self._expected(request, answer.batch is not None)

    def _release(self, request: Mapping[str, Any]) -> None:
        self._aside -= self._reserved.pop(key(request, 0), 0.0)
        if not self._reserved:
            self._aside = 0.0  # without what rounding has left

    def _factor(self, unknown: float) -> float:
        """Return what estimates are raised by; `unknown` where no answer is there to compare with its own."""
        return max(1.0, self._charged / self._estimated) if self._estimated else unknown

    def _expected(self, request: Mapping[str, Any], batch: bool) -> float:
        return self._prices.dollars(request["model"], *expected(request), batch) or 0.0
