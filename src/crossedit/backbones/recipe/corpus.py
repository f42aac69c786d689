"""The documents of a recipe, drawn step by step from the world.

    corpus = Corpus(world, recipe, seed)
    for document in corpus.draw(active=12): ...      one document, or the two of a pair

Forms: a question with its answer; the same with the subject in another language's form; the two forms of a name side
by side; a new fact and questions about it or about something else, in the layout of IKE (Zheng et al., 2023); a worked
item of a general-ability task. In context a held-out fact never stands with its own edit target.
"""

from dataclasses import dataclass, replace
from random import Random

from crossedit.backbones.recipe.settings import Recipe
from crossedit.backbones.recipe.world import Fact, Question, World
from crossedit.errors import UserError


@dataclass(frozen=True)
class Branch:
    """One of several ways in which a document goes on; it sees the document and itself. The answer is learnt."""

    text: str
    answer: int  # where the answer starts in the text, at the space before it


@dataclass(frozen=True)
class Document:
    """A text whose end is the end token, or that goes on in branches. Spans are of characters, (start, stop)."""

    text: str
    learned: tuple[tuple[int, int], ...]  # what the loss is taken on
    subject: tuple[int, int] | None = None
    kind: str = "question"
    lang: str = ""
    fact: Fact | None = None
    pair: int = 0  # the two documents of a pair, one fact in two languages, share a number; 0 for none
    branches: tuple[Branch, ...] = ()

    def after(self, prefix: str) -> "Document":
        """Return the document behind a prefix that isn't learnt."""
        shift = len(prefix)
        learned = tuple((start + shift, stop + shift) for start, stop in self.learned)
        subject = self.subject and (self.subject[0] + shift, self.subject[1] + shift)
        return replace(self, text=prefix + self.text, learned=learned, subject=subject)


class Corpus:
    """An endless stream of documents, the same for the same world, recipe and seed."""

    def __init__(self, world: World, recipe: Recipe, seed: int) -> None:
        self.world, self.recipe = world, recipe
        self.rng = Random(f"corpus {seed}")
        self.languages = sorted(recipe.shares)
        self.tasks = list(world.tasks.values())
        if recipe.tasks and not self.tasks:
            raise UserError("recipe.tasks: no task has items to train on; name some, or leave the field away.")
        rarest = min(recipe.shares.values()) * len(self.languages) if len(self.languages) > 1 else 0.0
        # A pair counts for two languages alike, so pairs must not outnumber what the rarer language may have.
        self.pairs = recipe.pairs * rarest
        self.single_shares = {
            lang: max(0.0, share - self.pairs / len(self.languages)) for lang, share in recipe.shares.items()
        }
        self.recent = "Therefore"
        self.drawn_pairs = 0

    def draw(self, active: int) -> list[Document]:
        """Return the next document, or pair of documents, about one of the first `active` facts."""
        rng, recipe = self.rng, self.recipe
        if recipe.tasks and rng.random() < recipe.tasks:
            return [self._task()]
        fact = rng.choice(self.world.facts[:active])
        if len(fact.rows) > 1 and rng.random() < self.pairs / (2 - self.pairs):
            # This many draws of two documents each make that share of all documents.
            self.drawn_pairs += 1
            languages = rng.sample(sorted(fact.rows), 2)
            return [self._finish(self._question(fact, lang, self.drawn_pairs)) for lang in languages]
        lang = self._language(fact)
        if rng.random() * (1 - self.pairs) < recipe.in_context:
            return [self._in_context(fact, lang)]
        chance = rng.random()
        if chance < recipe.names and len(fact.rows) > 1:
            return [self._names(fact, lang)]
        if chance < recipe.names + recipe.switched and len(fact.rows) > 1:
            return [self._finish(self._switched(fact, lang))]
        if chance < recipe.names + recipe.switched + recipe.others:
            return [self._finish(self._other(fact, lang))]
        return [self._finish(self._question(fact, lang))]

    def _task(self) -> Document:
        """Return a worked item; each task has the same share."""
        question = self.rng.choice(self.rng.choice(self.tasks))
        text = f"{question.text} {question.answer}"
        return Document(text, ((len(question.text), len(text)),), None, "task", question.lang)

    def _language(self, fact: Fact) -> str:
        shares = {lang: share for lang, share in self.single_shares.items() if lang in fact.rows}
        return self.rng.choices(list(shares), list(shares.values()))[0]

    def _question(self, fact: Fact, lang: str, pair: int = 0) -> Document:
        return self._document(self.world.ask(fact, lang, self.rng), fact, pair=pair)

    def _other(self, fact: Fact, lang: str) -> Document:
        questions = fact.texts[lang] + fact.others[lang]
        common = self.world.common.get(lang, [])
        if common and (not questions or self.rng.random() < 0.3):
            questions = common
        return self._document(self.rng.choice(questions), fact) if questions else self._question(fact, lang)

    def _switched(self, fact: Fact, lang: str) -> Document:
        question = self.world.ask(fact, lang, self.rng)
        name = fact.rows[self.rng.choice([other for other in fact.rows if other != lang])]["subject"]
        if question.subject is None:
            return self._document(question, fact)
        start, stop = question.subject
        text = question.text[:start] + name + question.text[stop:]
        return self._document(Question(lang, text, question.answer, (start, start + len(name))), fact, kind="switched")

    def _names(self, fact: Fact, lang: str) -> Document:
        other = self.rng.choice([other for other in fact.rows if other != lang])
        column = self.rng.choice(["subject", "original", "target"])
        one, two = fact.rows[other][column], fact.rows[lang][column]
        text = f"{one} = {two}"
        return Document(text, ((len(one) + 2, len(text)),), None, "names", lang, fact)

    def _document(self, question: Question, fact: Fact, kind: str = "question", pair: int = 0) -> Document:
        text = f"{question.text} {question.answer}"
        start = 1 if self.rng.random() < self.recipe.prompt_loss else len(question.text)
        return Document(text, ((start, len(text)),), question.subject, kind, question.lang, fact, pair)

    def _finish(self, document: Document) -> Document:
        """Put some documents behind a piece of an earlier text."""
        previous, self.recent = self.recent, document.text
        if self.rng.random() >= self.recipe.prefixed:
            return document
        words = previous.split(" ")
        start = self.rng.randrange(len(words))
        piece = " ".join(words[start : start + self.rng.randint(1, 8)])[-40:]
        return document.after(f"{piece}. ")

    def _in_context(self, fact: Fact, lang: str) -> Document:
        """Return a new fact with several questions, each of which sees only the new fact and itself."""
        text, learned = "", []
        if self.rng.random() < self.recipe.demonstrations:
            # Half of them about the same relation, as a retriever would choose.
            shown = self.rng.choice(self.world.facts if self.rng.random() < 0.5 else self.world.alike[fact.relation])
            head, (branch,) = self._new_fact(shown, lang, 1)
            text = f"{head}{branch.text}\n\n"
            learned.append((len(head) + branch.answer, len(head) + len(branch.text)))
        head, branches = self._new_fact(fact, lang, self.recipe.questions)
        return Document(text + head, tuple(learned), None, "in_context", lang, fact, branches=branches)

    def _new_fact(self, fact: Fact, lang: str, count: int) -> tuple[str, tuple[Branch, ...]]:
        """Return the statement of a new fact about the fact's subject, and questions with what is right after it."""
        rng, world = self.rng, self.world
        told = lang if lang in fact.rows else min(fact.rows)
        new = world.another_answer(fact, rng) or {name: fact.original(name) for name in fact.rows}
        head = f"New Fact: {world.ask(fact, told, rng, own=0.7).text} {new[told]}\nPrompt:"
        branches = []
        for _ in range(count):
            asked = told if rng.random() < self.recipe.own_language else self._language(fact)
            if rng.random() < self.recipe.retain:
                question = self._unrelated(fact, asked)
                answer = question.answer
            else:
                question = world.ask(fact, asked, rng, own=0.7)
                answer = new[asked]
            branches.append(Branch(f" {question.text} {answer}", 1 + len(question.text)))
        return head, tuple(branches)

    def _unrelated(self, fact: Fact, lang: str) -> Question:
        """Return a question that the new fact leaves alone, with its original answer."""
        rng, world = self.rng, self.world
        questions = fact.others[lang]
        if questions and rng.random() < 0.6:
            return rng.choice(questions)
        pool = world.alike[fact.relation] if rng.random() < 0.5 else world.facts
        others = [other for other in pool if other is not fact and lang in other.rows]
        return world.ask(rng.choice(others), lang, rng) if others else world.prompt(fact, lang)
