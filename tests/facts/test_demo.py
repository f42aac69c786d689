"""The demo's facts: true to their table of entities, the same in both languages, and clear about what is wrong."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from crossedit.errors import UserError
from crossedit.facts.demo import TEXTS, read_demo, training_texts
from crossedit.facts.demo_world import World, read_world
from crossedit.tables import FACTS, check

DEMO = Path(__file__).parents[2] / "resources/demo/facts"
HAN = re.compile(r"[㐀-鿿]")


@pytest.fixture(scope="module")
def world() -> World:
    return read_world(DEMO)


@pytest.fixture(scope="module")
def facts() -> pl.DataFrame:
    return read_demo(DEMO, seed=0)


@pytest.fixture(scope="module")
def texts() -> pl.DataFrame:
    return training_texts(DEMO)


def test_is_a_facts_table_with_both_languages_of_each_fact(facts: pl.DataFrame) -> None:
    rows = facts.with_columns(split=pl.lit("all"), origin=pl.lit("source")).to_dicts()
    whole = check(pl.DataFrame(rows, FACTS.columns), FACTS, "demo")
    assert whole.group_by("case_id").agg(pl.col("lang").sort())["lang"].to_list() == [["en", "zh"]] * (len(whole) // 2)


def test_is_as_large_as_the_demo_needs(facts: pl.DataFrame) -> None:
    english, chinese = (facts.filter(lang=lang) for lang in ("en", "zh"))
    assert 280 <= len(english) <= 360
    assert english["relation"].n_unique() >= 12
    assert 120 <= english["subject"].n_unique() <= 175
    assert english["same_subject_prompt"].is_null().mean() <= 0.2
    assert 0.3 <= (english["subject"] == chinese["subject"]).mean() <= 0.35


def test_the_languages_say_the_same(facts: pl.DataFrame, world: World) -> None:
    """Every name of the English row is that of the same entity in the Chinese row."""
    pairs = {(names["en"], names["zh"]) for names in world.names.values()}
    both = facts.filter(lang="en").join(facts.filter(lang="zh"), on="case_id", suffix="_zh")
    for column in (
        "subject",
        "target",
        "original",
        "locality_answer",
        "same_subject_answer",
        "portability_answer",
    ):
        named = set(both.select(column, f"{column}_zh").drop_nulls().iter_rows())
        assert named
        assert named <= pairs
    assert both["relation"].equals(both["relation_zh"], check_names=False)


def test_the_subject_stands_once_in_its_questions(facts: pl.DataFrame) -> None:
    for row in facts.iter_rows(named=True):
        for field in ("prompt", "rephrase", "same_subject_prompt", "portability_prompt"):
            assert row[field] is None or row[field].count(row["subject"]) == 1, row
        assert row["subject"] not in row["locality_prompt"]
        assert row["prompt"] != row["rephrase"]


def test_questions_end_as_such_and_nothing_is_empty(facts: pl.DataFrame) -> None:
    for column in facts.columns:
        values = facts[column].drop_nulls().cast(pl.String)
        assert (values.str.strip_chars() == values).all()
        assert (values != "").all()
        if column.endswith("prompt") or column == "rephrase":
            for lang, mark in (("en", "?"), ("zh", "？")):
                assert facts.filter(lang=lang)[column].drop_nulls().str.ends_with(mark).all()


def test_chinese_is_written_in_chinese_apart_from_latin_names(
    facts: pl.DataFrame, texts: pl.DataFrame, world: World
) -> None:
    latin = sorted((names["zh"] for names in world.names.values() if not HAN.search(names["zh"])), key=len)
    name = re.compile("|".join(re.escape(name) for name in reversed(latin)))
    prompts = [column for column in facts.columns if column.endswith("prompt") or column == "rephrase"]
    for lang, of_facts, of_texts in ((lang, facts.filter(lang=lang), texts.filter(lang=lang)) for lang in ("en", "zh")):
        written = [text for column in prompts for text in of_facts[column].drop_nulls()] + of_texts[
            "text_prompt"
        ].to_list()
        for text in written:
            if lang == "en":
                assert text.isascii()
            else:
                assert HAN.search(text)
                assert not re.search("[A-Za-z]", name.sub("", text)), text


def test_no_question_has_two_answers(facts: pl.DataFrame, texts: pl.DataFrame) -> None:
    """What a question is answered with before any edit never depends on where it stands."""
    asked = [("prompt", "original"), ("rephrase", "original"), ("locality_prompt", "locality_answer")]
    asked.append(("same_subject_prompt", "same_subject_answer"))
    pairs = pl.concat(
        [facts.select("lang", prompt=prompt, answer=answer) for prompt, answer in asked]
        + [texts.select("lang", prompt="text_prompt", answer="text_answer")]
    ).drop_nulls()
    assert pairs.group_by("lang", "prompt").agg(pl.col("answer").n_unique())["answer"].max() == 1


def test_the_new_answer_is_another_of_its_relation_and_leads_elsewhere(facts: pl.DataFrame, world: World) -> None:
    rows = {row["case_id"]: row for row in facts.filter(lang="en").iter_rows(named=True)}
    for fact in world.facts():
        row, relation = rows[fact.case_id], fact.relation
        others = world.answers[relation.name].values()
        (target,) = {answers[0] for answers in others if answers[0].name == row["target"]}
        assert row["original"] == fact.answers[0].name
        assert target not in fact.answers
        assert row["portability_answer"] == world.second(relation, target)[0].name
        assert row["portability_answer"] != world.second(relation, fact.answers[0])[0].name


def test_locality_is_apart_from_the_edit_and_half_of_the_same_relation(facts: pl.DataFrame, world: World) -> None:
    subject_of, relation_of = {}, {}
    for fact in world.facts():
        for template in fact.relation.questions["en"]:
            question = template.replace("{subject}", fact.subject.name)
            subject_of[question], relation_of[question] = fact.subject.name, fact.relation.name
    same = []
    for row in facts.filter(lang="en").iter_rows(named=True):
        edit = {row["subject"], row["original"], row["target"]}
        assert not edit & {subject_of[row["locality_prompt"]], row["locality_answer"]}
        if row["same_subject_prompt"]:
            assert subject_of[row["same_subject_prompt"]] == row["subject"]
            assert relation_of[row["same_subject_prompt"]] != row["relation"]
        same.append(relation_of[row["locality_prompt"]] == row["relation"])
    assert 0.4 < sum(same) / len(same) < 0.6


def test_the_seed_decides_the_draws_and_nothing_else(facts: pl.DataFrame) -> None:
    known = ["case_id", "lang", "relation", "subject", "original"]
    other = read_demo(DEMO, seed=1)
    assert read_demo(DEMO, seed=0).equals(facts)
    assert other.select(known).equals(facts.select(known))
    for drawn in ("prompt", "target", "locality_prompt"):
        assert not other[drawn].equals(facts[drawn])


def test_wordings_vary_between_the_facts_of_a_relation(facts: pl.DataFrame) -> None:
    frames = facts.with_columns(
        frame=pl.struct("prompt", "subject").map_elements(
            lambda row: row["prompt"].replace(row["subject"], "{}"), return_dtype=pl.String
        )
    )
    assert frames.group_by("relation", "lang").agg(pl.col("frame").n_unique())["frame"].min() >= 3


def test_training_texts_make_portability_reachable(facts: pl.DataFrame, texts: pl.DataFrame, world: World) -> None:
    """The hop is asked of every fact, and the second step of every answer that a fact has or may get."""
    assert dict(texts.schema) == TEXTS
    hops = texts.filter(kind="hop")
    asked = set(hops.select("lang", "case_id", "text_prompt").iter_rows())
    assert asked >= set(facts.select("lang", "case_id", "portability_prompt").iter_rows())
    steps = set(texts.filter(kind="attribute", lang="en").select("text_prompt", "text_answer").iter_rows())
    for fact in world.facts():
        assert fact.relation.hop is not None
        for answer in (fact.answers[0], *world.new_answers(fact)):
            value = world.second(fact.relation, answer)[0].name
            for template in world.relations[fact.relation.hop].questions["en"]:
                assert (template.replace("{subject}", answer.name), value) in steps


def test_statements_end_with_the_original(facts: pl.DataFrame, texts: pl.DataFrame) -> None:
    statements = texts.filter(kind="statement").join(facts, on=["case_id", "lang"])
    assert len(statements) >= len(facts)
    assert (statements["text_answer"] == statements["original"]).all()
    assert all(row["subject"] in row["text_prompt"] for row in statements.iter_rows(named=True))


RELATIONS = """
languages: [en, zh]
relations:
  painters.country:
    answers: countries
    questions:
      en: |
        Where is {subject} from?
        Which country is {subject} from?
      zh: |
        {subject}是哪国人？
        {subject}来自哪里？
    statements:
      en: "{subject} is from"
      zh: "{subject}来自"
    hop: continent
    hop_questions:
      en: On which continent is the home of {subject}?
      zh: "{subject}的祖国在哪个洲？"
  countries.continent:
    answers: continents
    questions:
      en: On which continent is {subject}?
      zh: "{subject}在哪个洲？"
"""
SHEETS = {
    "painters.csv": "en,zh,country\nMonet,莫奈,France\nGoya,戈雅,Spain\nHokusai,葛饰北斋,Japan; Spain\n",
    "countries.csv": "en,zh,continent\nFrance,法国,Europe\nSpain,西班牙,Europe\nJapan,日本,Asia\n",
    "continents.csv": "en,zh\nEurope,欧洲\nAsia,亚洲\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {"relations.yaml": RELATIONS, **SHEETS}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("seed", range(5))
def test_what_holds_as_well_is_never_a_new_answer(folder: Path, seed: int) -> None:
    targets = dict(read_demo(folder, seed).filter(lang="en").select("subject", "target").iter_rows())
    assert targets == {"Monet": "Japan", "Goya": "Japan", "Hokusai": "France"}


def test_a_subject_with_one_relation_has_no_same_subject_pair(folder: Path) -> None:
    facts = read_demo(folder, seed=0)
    assert facts["same_subject_prompt"].is_null().all()
    assert facts["same_subject_answer"].is_null().all()


def gone(path: Path) -> None:
    path.unlink()


def put(old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("relations.yaml", gone, ["relations.yaml: no such file"]),
        ("relations.yaml", put("languages: [", "languages: {["), ["relations.yaml: not YAML"]),
        ("relations.yaml", put("[en, zh]", "en"), ["`languages`, a list"]),
        ("relations.yaml", put("painters.country", "painters"), ["relations.painters", "KIND.COLUMN"]),
        ("relations.yaml", put("hop:", "hopp:"), ["painters.country.hopp: no such field", "'hop'"]),
        ("relations.yaml", put("    hop: continent\n", ""), ["painters.country: 'hop' is missing"]),
        ("relations.yaml", put("hop: continent", "hop: continnet"), ["no relation", "'countries.continent'"]),
        (
            "relations.yaml",
            put("is {subject} from?", "is he from?"),
            ["questions.en", "Where is he from?", "{subject}"],
        ),
        ("relations.yaml", put("哪国人？", "哪国人"), ["questions.zh", "{subject}是哪国人", "question mark"]),
        ("relations.yaml", put("        {subject}来自哪里？\n", ""), ["painters.country.questions.zh", "at least 2"]),
        ("relations.yaml", put("      zh: |\n", "      de: |\n"), ["painters.country.questions", "each of en, zh"]),
        ("relations.yaml", put("Where is {", "Is Goya {"), ["Is Goya {subject} from?", "'Goya' a second time"]),
        ("countries.csv", gone, ["countries.csv: no such file"]),
        ("countries.csv", put("en,zh,continent", "en,zh"), ["countries.csv: column 'continent' is missing"]),
        ("countries.csv", put("en,zh,", "en,zh,size,"), ["countries.csv: column 'size' is no relation"]),
        ("countries.csv", put("Spain,西班牙,Europe", "Spain,西班牙"), ["countries.csv: row 3 has 2 fields"]),
        ("countries.csv", put("Spain,西班牙", "Spain,"), ["countries.csv: row 3", "'zh' is empty"]),
        ("countries.csv", put("西班牙", "法国"), ["countries.csv: row 3", "'zh' is '法国'"]),
        ("countries.csv", put("法国,Europe", "法国,Eurrope"), ["countries.csv: row 2: continent", "'Europe'"]),
        ("countries.csv", put("日本,Asia", "日本,"), ["countries.csv: 'Japan' has an empty 'continent'", "'Hokusai'"]),
        ("painters.csv", put("戈雅,Spain", "戈雅,Spian"), ["painters.csv: row 3: country is 'Spian'", "'Spain'"]),
        ("painters.csv", put("Japan; Spain", "Japan; Spain; France"), ["painters.csv: 'Hokusai'", "'country'"]),
        ("painters.csv", put("Goya,戈雅,Spain\n", ""), ["painters.country", "locality pair"]),
    ],
)
def test_a_folder_that_is_wrong_is_answered_in_a_sentence(
    folder: Path, name: str, change: Callable[[Path], None], said: list[str]
) -> None:
    change(folder / name)
    with pytest.raises(UserError) as raised:
        read_demo(folder, seed=0)
    for words in said:
        assert words in str(raised.value)
    assert "\n" not in str(raised.value)
