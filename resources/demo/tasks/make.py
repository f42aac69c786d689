"""Draw the demo's task items: python resources/demo/tasks/make.py [folder]

Each kind is a function that draws one item from templates; the files are written in the layouts of the original data
sets. A test item is never a training item. README.md says what each kind asks for.
"""

import csv
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SIZES = {"train": 400, "test": 80}
SEED = 0

NAMES = [
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Hugo", "Irene", "Jonas", "Karen", "Leo", "Maria",
    "Nina", "Oscar", "Paula", "Robert", "Sarah", "Thomas", "Vera",
]  # fmt: skip
COMPANIES = ["IBM", "HP", "BMW", "Fiat", "Sony", "Nokia", "Apple", "Google", "Amazon", "Tesla"]
THINGS = ["apples", "books", "coins", "eggs", "pens", "roses", "stamps", "cups"]
OBJECTS = ["boat", "house", "car", "horse", "piano", "garden", "camera", "ring"]
BUILDINGS = ["museum", "shop", "library", "school", "hotel", "market", "station", "theatre"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
STATES = [("open", "closed"), ("warm", "cold"), ("safe", "dangerous"), ("clean", "dirty"), ("cheap", "expensive")]
KEPT = ["bought", "built", "kept", "received", "found", "won"]
LOST = ["sold", "lost", "burned", "destroyed", "gave away", "wrecked"]
PLEASURES = [
    "visit the museum", "play tennis", "see a film", "drink coffee", "buy a lamp", "cook soup", "hear music",
    "rent a boat",
]  # fmt: skip
GOOD = ["wonderful", "brilliant", "charming", "lovely", "funny", "moving", "superb", "warm"]
BAD = ["awful", "boring", "tedious", "clumsy", "dull", "ugly", "stupid", "empty"]
FILM_PARTS = ["film", "story", "plot", "cast", "music", "ending", "acting", "script"]


def column(file: str) -> list[str]:
    """Return the English names of one word in a file of the demo's facts."""
    with (HERE.parent / "facts" / file).open(encoding="utf-8", newline="") as lines:
        names = [row["en"] for row in csv.DictReader(lines)]
    return [name for name in names if name.isalpha()]


CITIES, LANGUAGES = column("cities.csv"), column("languages.csv")


def gsm8k(rng: random.Random) -> dict[str, str]:
    name, things, other = rng.choice(NAMES), rng.choice(THINGS), rng.choice(NAMES)
    one, two = sorted((rng.randint(2, 30), rng.randint(2, 30)), reverse=True)
    if rng.random() < 0.5:
        question = f"{name} has {one} {things} and gets {two} from {other}. How many {things} does {name} have now?"
        step, result = f"{one}+{two}", one + two
    else:
        question = f"{name} has {one} {things} and gives {two} to {other}. How many {things} does {name} have left?"
        step, result = f"{one}-{two}", one - two
    return {"question": question, "answer": f"{name} has <<{step}={result}>>{result}\n#### {result}"}


def rte(rng: random.Random) -> dict[str, str]:
    name, thing, city = rng.choice(NAMES), rng.choice(OBJECTS), rng.choice(CITIES)
    true = rng.random() < 0.5
    verb = rng.choice(KEPT if true else LOST)
    label = "entailment" if true else "not_entailment"
    return {"premise": f"{name} {verb} a {thing} in {city}.", "hypothesis": f"{name} has a {thing}", "label": label}


def natural_questions(rng: random.Random) -> dict[str, Any]:
    people, cities = rng.sample(NAMES, 2), rng.sample(CITIES, 2)
    passage = " ".join(f"The home of {name} is {city}." for name, city in zip(people, cities, strict=True))
    asked = rng.randrange(2)
    return {"question": f"what is the home of {people[asked]}", "answer": [cities[asked]], "output": [passage]}


def boolq(rng: random.Random) -> dict[str, Any]:
    building, city, day = rng.choice(BUILDINGS), rng.choice(CITIES), rng.choice(DAYS)
    yes, no = rng.choice(STATES)
    answer = rng.random() < 0.5
    passage = f"On {day} the {building} in {city} is {yes if answer else no}."
    return {"question": f"is the {building} {yes} on {day}", "title": city, "answer": answer, "passage": passage}


def mutual(rng: random.Random) -> dict[str, Any]:
    wishes = rng.sample(PLEASURES, 4)
    asked = rng.randrange(4)
    refusals = rng.sample(["no , i never", "well , i can't", "oh , i won't", "sorry , i don't"], 4)
    options = [f"m : {refusal} {wish} ." for refusal, wish in zip(refusals, wishes, strict=True)]
    options[asked] = f"m : yes , let us {wishes[asked]} ."
    article = f"f : will you {wishes[asked]} in {rng.choice(CITIES)} with me ?"
    return {"answers": "ABCD"[asked], "options": options, "article": article}


def samsum(rng: random.Random) -> dict[str, str]:
    one, two = rng.sample(NAMES, 2)
    wish, day = rng.choice(PLEASURES), rng.choice(DAYS)
    said = rng.choice(["Good idea!", "I will come too.", "Have fun!", "Not me."])
    dialogue = f"{one}: I want to {wish} on {day}.\n{two}: {said}"
    return {"summary": f"{one} wants to {wish} on {day}.", "dialogue": dialogue}


def conll03(rng: random.Random) -> str:
    person, city, company = (
        (rng.choice(names), kind) for names, kind in ((NAMES, "PER"), (CITIES, "LOC"), (COMPANIES, "ORG"))
    )
    second, language = (
        (rng.choice([name for name in NAMES if name != person[0]]), "PER"),
        (rng.choice(LANGUAGES), "MISC"),
    )
    words: list[str | tuple[str, str]] = rng.choice(
        [
            [person, "works", "for", company, "in", city],
            [person, "met", second, "in", city],
            [company, "opened", "a", "shop", "in", city],
            [person, "reads", language, "books"],
            [company, "sells", language, "food", "to", person],
        ]
    )
    tagged = [(word, "O") if isinstance(word, str) else (word[0], f"I-{word[1]}") for word in [*words, "."]]
    return "".join(f"{word} {'NNP' if tag != 'O' else 'NN'} I-NP {tag}\n" for word, tag in tagged)


def sst2(rng: random.Random) -> str:
    good = rng.random() < 0.5
    one, two = rng.sample(GOOD if good else BAD, 2)
    part, other = rng.sample(FILM_PARTS, 2)
    text = rng.choice([f"the {part} is {one} and the {other} is {two} .", f"a {one} {part} with a {two} {other} ."])
    return f"{text} \t{int(good)}\n"


def drawn(kind: Callable[[random.Random], Any]) -> dict[str, list[Any]]:
    """Return different items of a kind, by part."""
    rng = random.Random(f"{kind.__name__} {SEED}")
    found: dict[str, Any] = {}
    while len(found) < sum(SIZES.values()):
        item = kind(rng)
        found.setdefault(json.dumps(item), item)
    items = list(found.values())
    return {"train": items[: SIZES["train"]], "test": items[SIZES["train"] :]}


def jsonl(items: list[Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


FILES: list[tuple[Callable[[random.Random], Any], str, Callable[[list[Any]], str]]] = [
    (gsm8k, "gsm8k.jsonl", jsonl),
    (rte, "rte.jsonl", jsonl),
    (natural_questions, "natural-questions.jsonl", jsonl),
    (boolq, "boolq.jsonl", jsonl),
    (mutual, "mutual.jsonl", jsonl),
    (samsum, "samsum.json", lambda items: json.dumps(items, indent=0) + "\n"),
    (conll03, "conll03.txt", lambda items: "-DOCSTART- -X- -X- O\n\n" + "\n".join(items)),
    (sst2, "sst2.tsv", lambda items: "sentence\tlabel\n" + "".join(items)),
]


def main(folder: Path) -> None:
    for kind, name, written in FILES:
        for part, items in drawn(kind).items():
            (folder / part).mkdir(parents=True, exist_ok=True)
            (folder / part / name).write_text(written(items), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
