import polars as pl
import pytest

from crossedit import tables
from crossedit.errors import UserError
from crossedit.tables import FACTS
from crossedit.translation.statistics import table_1, words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Paris", 1),
        ("What is the capital of France?", 7),
        ("法国的首都是哪里？", 9),
        ("在2018年，IBM", 5),
        ("ประเทศไทย", 9),
        ("กี่ปี", 2),  # two letters under three marks
        ("日本のトヨタ", 6),
        ("Côte d'Ivoire", 4),
        ("हिन्दी भाषा", 2),
        ("e\u0301te\u0301", 1),
        ("ما هي عاصمة كندا؟", 5),
        ("مَا هِيَ", 2),  # with vowel signs
        ("می\u200cخواهم", 1),  # joined without a space
        ("\u200fكندا", 1),  # a mark of direction before it
        ("कनाडा की राजधानी क्या है।", 6),
        ("श्री\u200dलंका", 1),
        ("캐나다의 수도는 어디입니까?", 4),
        ("カナダの首都はどこですか。", 13),
        ("人々とパーティー", 8),
        ("ｶﾅﾀﾞ", 4),
        ("เมืองหลวง\u200bของ", 11),
        ("រាជធានី", 4),  # four letters under three vowel signs
        ("Ottawa-Gatineau 2018", 4),
    ],
)
def test_words(text, count):
    assert words(text) == count


def fact(**values):
    return {**dict.fromkeys(FACTS.columns), "relation": "capital", "origin": "source", **values}


def test_table_1_on_a_table_counted_by_hand(tmp_path):
    facts = pl.DataFrame(
        [
            fact(
                split="test", case_id=1, lang="en", subject="A", prompt="One two three?", target="four",
                rephrase="one two?", locality_prompt="a b", locality_answer="c", portability_prompt="d e f",
                portability_answer="g h",
            ),
            fact(split="test", case_id=2, lang="en", subject="A", prompt="One two", target="three four five"),
            fact(split="test", case_id=1, lang="zh", subject="甲", prompt="一二三四？", target="五", rephrase="六七"),
            fact(split="train", case_id=1, lang="en", subject="A", prompt="One", target="two"),
        ],
        schema=FACTS.columns,
    )  # fmt: skip
    table = table_1(facts)
    assert table.select("split", "lang", "records").rows() == [("train", "en", 1), ("test", "en", 2), ("test", "zh", 1)]
    lengths = table.drop("split", "lang", "records", "tokenizer").rows()
    assert lengths == [
        (1, None, 1, None, None, None, None),
        (3, 3, 2, 2, 1, 3, 2),
        (5, 2, 1, None, None, None, None),
    ]
    tables.write(table, tables.TABLE_1, tmp_path / "table_1.parquet", {})
    assert tables.read(tmp_path / "table_1.parquet", tables.TABLE_1).equals(table)


def test_a_transformers_tokenizer_counts_its_own_tokens(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]").save_pretrained(tmp_path)
    facts = pl.DataFrame(
        [fact(split="test", case_id=1, lang="en", subject="A", prompt="abc", target="a")], schema=FACTS.columns
    )
    table = table_1(facts, str(tmp_path))
    assert (table["question"].item(), table["answer"].item()) == (3, 1)
    assert table["tokenizer"].item() == str(tmp_path)


def test_a_tokenizer_that_is_none(tmp_path):
    with pytest.raises(UserError, match="can't be loaded as a tokenizer, nor is it `words`"):
        table_1(pl.DataFrame(schema=FACTS.columns), str(tmp_path))
