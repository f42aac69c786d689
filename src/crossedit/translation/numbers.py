"""Numbers and months: which of those in a text are missing in its translation, whatever the two languages are?

Numbers that are written in digits are looked for, however the translation writes them: in another script's digits, with
other separators (3,000; 3.000; 3 000), with a word of scale (10 million; 1000万), in Chinese characters (三; 二〇〇六),
in Roman numerals (the 19th century; XIX век). Unicode and CLDR (babel) know how languages write them.
"""

import re
import unicodedata
from collections import Counter
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale, localedata
from babel.localedata import locale_identifiers
from babel.numbers import get_decimal_symbol, get_group_symbol

from crossedit.facts import languages

# Up to here, and where round, a number may be written out: it is missed only where another number stands in its place.
_SMALL = 20
_ROUND = (100, 1000)
_PARTS = 5  # that separators divide a number into at most
_MONTHS = range(1, 13)

_DIGIT = re.compile(r"\d")
_ANY = re.compile(r"\d+(?:[.,'’٫٬\s]\d+)*")
_DIGITS, _UNITS = "〇零一二三四五六七八九两兩", "十百千万萬亿億兆"
_TWO = str.maketrans("两兩", "二二")
_MIXED = r"(?<!\d)\d{1,20}(?:,\d{3}){0,6}(?:\.\d{1,20})?"  # before a unit: 3.5万; without an end it'd be slow
_HAN = re.compile(rf"(?:{_MIXED}(?=[{_UNITS}])|(?<=[{_UNITS}])\d+|[{_DIGITS}{_UNITS}])+")
_HAN_PART = re.compile(rf"{_MIXED}|\d+|.")
_ROMAN = re.compile(r"(?<![^\W_])[IVXLCХ]+(?![^\W_])")  # the last one is Cyrillic
_WORTH = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "Х": 10}
_DECADE = re.compile(r"['’]?s\b")
_YEAR_BEFORE = re.compile(r"(?<!\d)(\d\d)\d\d\s?[-–/]\s?$")
_BEFORE = 8  # characters that these two look at, and more
_IN_NAME = re.compile(r"[^\W\d_]-?$")  # U2, SG-1
_AFTERNOON = re.compile(r"(?::\d+)?\s*p\.?\s?m\b", re.IGNORECASE)
# What may stand between a month and the number beside it: 12th of March, 3. März, 1 de mayo de 2006.
_BESIDE = r"(?:st|nd|rd|th|er|of|de|del|[º.,\s])*"


def missing_numbers(text: str, translation: str, source: str, target: str) -> list[str]:
    """Return the numbers of the text, as they are written there, that its translation doesn't have."""
    text, translation = _plain(text), _plain(translation)
    wanted = [(match, _alike(match, source, target)) for match in _written(source).finditer(text)]
    if not wanted:
        return []
    found = [_readings(match, target) for match in _ANY.finditer(translation)]
    there = _han(translation) | _roman(translation) | {value for values in found for value in values}
    known = {value for _, values in wanted for value in values}
    others = any(not values & known for values in found)
    missing = [
        match for match, values in wanted if not values & there and (others or not _in_words(match, source, target))
    ]
    return list(dict.fromkeys(match[0] for match in missing))


def missing_months(text: str, translation: str, source: str, target: str) -> list[str]:
    """Return the months that stand beside a number in the text, as written there, and not in its translation."""
    text, translation = _plain(text), _plain(translation)
    if not _DIGIT.search(text):
        return []
    numbers = Counter(re.findall(r"\d+", translation))
    numbers.subtract(re.findall(r"\d+", text))
    missing = []
    for month in _MONTHS:
        named = _dated(source, month).search(text)
        as_number = max(numbers[str(month)], numbers[f"{month:02}"]) > 0
        if named and not as_number and not _called(target, month).search(translation):
            missing.append(named["month"] or named["after"])
    return missing


def _plain(text: str) -> str:
    """Return the text with all scripts' digits as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)


@cache
def _written(lang: str) -> re.Pattern[str]:
    """Return what finds whole numbers and decimals as the language writes them."""
    group, decimal = (
        re.escape(symbol(lang, numbering_system="latn")) for symbol in (get_group_symbol, get_decimal_symbol)
    )
    return re.compile(rf"(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)(?:{decimal}\d+)?")


def _alike(match: re.Match[str], source: str, target: str) -> set[Decimal]:
    """Return the values that may stand for a number of the source."""
    group, decimal = (symbol(source, numbering_system="latn") for symbol in (get_group_symbol, get_decimal_symbol))
    value = Decimal(match[0].replace(group, "").replace(decimal, "."))
    values = {value}
    if scale := _scale(match, source):
        values.add(value * scale)
    if 1000 <= value < 3000 and value % 10 == 0 and _DECADE.match(match.string, match.end()):
        values |= {value % 100, value // 100 + 1}  # the 1990s: the nineties; the 1800s: the 19th century
    if year := _YEAR_BEFORE.search(match.string, max(0, match.start() - _BEFORE), match.start()):
        values.add(int(year[1]) * 100 + value)  # 1632–53
    if value <= 12 and _AFTERNOON.match(match.string, match.end()):
        values.add(value + 12)
    if target == "th" and 1000 <= value < 3000:
        values.add(value + languages.BUDDHIST_ERA)
    return values


def _in_words(match: re.Match[str], source: str, target: str) -> bool:
    """Return whether a number may be written out in words that aren't read here."""
    before = max(0, match.start() - _BEFORE), match.start()
    if "han" in languages.WRITTEN_IN.get(target, ()) or _IN_NAME.search(match.string, *before):
        return False
    if _DECADE.match(match.string, match.end()):
        return True
    dates = (date.span() for month in _MONTHS for date in _dated(source, month).finditer(match.string))
    if any(begin <= match.start() < end for begin, end in dates):
        return False
    return match[0].isdecimal() and (Decimal(match[0]) <= _SMALL or Decimal(match[0]) in _ROUND)


def _readings(match: re.Match[str], lang: str) -> set[Decimal]:
    """Return the values that digits with separators may have: as one number, as a decimal, as several numbers."""
    parts = re.findall(r"\d+", match[0])
    scale = _scale(match, lang)
    readings = set()
    for begin in range(len(parts)):
        for end in range(begin + 1, min(begin + _PARTS, len(parts)) + 1):
            whole, last = "".join(parts[begin : end - 1]), parts[end - 1]
            worth = scale if scale and end == len(parts) else 1
            readings |= {Decimal(whole + last) * worth, Decimal(f"{whole}.{last}" if whole else last) * worth}
    return readings


def _scale(match: re.Match[str], lang: str) -> int:
    """Return what the word after a number multiplies it by, or 0 where it is no such word."""
    word = _scales(lang)[0].match(match.string, match.end())
    return _scales(lang)[1][word[1].casefold()] if word else 0


@cache
def _scales(lang: str) -> tuple[re.Pattern[str], dict[str, int]]:
    """Return what finds a word of scale after a number, and what each multiplies by, from CLDR's compact numbers."""
    worth: dict[str, int] = {}
    for forms in _cldr(lang, "compact_decimal_formats"):
        plurals = [plural for form in _own(forms).values() for plural in _own(form).values()]
        for size, pattern in (item for plural in plurals for item in _own(plural).items()):
            zeros = pattern.pattern.count("0")
            word = pattern.pattern.replace("0", "").replace("'", "").strip().casefold()
            # Single Latin letters are rather units: 5 m, 3 T.
            if word and not (len(word) < 3 and word.isascii()):
                worth[word] = int(size) // 10 ** (zeros - 1)
    words = "|".join(re.escape(word) for word in sorted(worth, key=len, reverse=True))
    return re.compile(rf"[\s-]*({words or '(?!)'})", re.IGNORECASE), worth


def _han(text: str) -> set[Decimal]:
    """Return the values of numbers in Chinese characters, or of digits with such characters."""
    values = set()
    for match in _HAN.finditer(text):
        run = match[0].translate(_TWO)
        if not re.search(f"[{_UNITS}]", run):  # digit by digit
            values.add(Decimal("".join(str(int(unicodedata.numeric(letter))) for letter in run)))
            continue
        total = section = number = Decimal(0)
        for part in _HAN_PART.findall(run):
            if part[0].isdecimal():
                number = Decimal(part.replace(",", ""))
            elif part in _DIGITS:
                number = Decimal(unicodedata.numeric(part))
            else:
                unit = Decimal(unicodedata.numeric(part))
                if unit < 10000:
                    section, number = section + (number or 1) * unit, Decimal(0)
                else:
                    total, section, number = (total + section + number) * unit, Decimal(0), Decimal(0)
        values.add(total + section + number)
    return values


def _roman(text: str) -> set[Decimal]:
    values = set()
    for match in _ROMAN.finditer(text):
        worth = [_WORTH[letter] for letter in match[0]]
        signs = [-1 if one < other else 1 for one, other in zip(worth, [*worth[1:], 0], strict=True)]
        values.add(Decimal(sum(sign * one for sign, one in zip(signs, worth, strict=True))))
    return values


@cache
def _names(lang: str, month: int) -> list[str]:
    """Return a month's names in all countries' forms of the language, and what its inflected forms begin with."""
    names: set[str] = set()
    for months in _cldr(lang, "months"):
        for width in ("wide", "abbreviated"):
            ways = [_own(_own(months).get(way)).get(width) for way in ("format", "stand-alone")]
            forms = [_own(way)[month].casefold() for way in ways if month in _own(way)]
            names.update(form.rstrip(".") for form in (*forms, _stem(forms)))
    return sorted(names - {""}, key=len, reverse=True)


def _stem(forms: list[str]) -> str:
    """Return what several forms of a word begin with, if it is long enough to tell the word."""
    length = next((end for end, letters in enumerate(zip(*forms, strict=False)) if len(set(letters)) > 1), None)
    stem = forms[0][:length] if forms else ""
    return stem if len(stem) > 2 else ""


def _cldr(lang: str, part: str) -> list[Any]:
    """Return a part of CLDR's data on the language, as each country has it."""
    # Not through Locale: once it has looked up what zh_Latn takes from elsewhere, other languages have Chinese months.
    known = {locale for locale in locale_identifiers() if locale.split("_")[0] == lang} or {str(Locale.parse(lang))}
    return [localedata.load(locale)[part] for locale in sorted(known)]


def _own(part: Any) -> dict[Any, Any]:
    """Return what CLDR says in the very place, without what it takes from others (an alias, or an alias and a dict)."""
    own = part[1] if isinstance(part, tuple) else part
    return own if isinstance(own, dict) else {}


@cache
def _called(lang: str, month: int) -> re.Pattern[str]:
    """Return what finds a month's name, with any ending."""
    return re.compile("|".join(_begun(name) for name in _names(lang, month)), re.IGNORECASE)


@cache
def _dated(lang: str, month: int) -> re.Pattern[str]:
    """Return what finds a month's name beside a number, or with one in it; `may` by itself is no month."""
    names = "|".join(_begun(name) + r"(?![^\W\d_])" * name[-1].islower() for name in _names(lang, month))
    pattern = rf"(?P<month>{names})(?:(?<=\d)|(?<=\d.)|{_BESIDE}\d)|\d{_BESIDE}(?P<after>{names})"
    return re.compile(pattern, re.IGNORECASE)


def _begun(name: str) -> str:
    """Return a regular expression for a name that doesn't begin within a word or number, as far as its script tells."""
    before = r"(?<!\d)" if name[0].isdecimal() else r"(?<![^\W\d_])" * name[0].islower()
    return before + re.escape(name) + r"(?!\d)" * name[-1].isdecimal()
