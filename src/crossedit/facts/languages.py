"""Languages: their codes, their names, and the letters they are written with."""

import re
from collections import Counter
from collections.abc import Iterable

from crossedit.errors import UserError, nearest

# The English names, as they stand in prompts and reports, by ISO 639 code.
NAMES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian",
    "bg": "Bulgarian", "bn": "Bengali", "bo": "Tibetan", "bs": "Bosnian", "ca": "Catalan", "ceb": "Cebuano",
    "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "ga": "Irish", "gd": "Scottish Gaelic", "gl": "Galician", "gu": "Gujarati",
    "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "ht": "Haitian Creole",
    "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "ig": "Igbo", "is": "Icelandic",
    "it": "Italian", "ja": "Japanese", "jv": "Javanese", "ka": "Georgian", "kk": "Kazakh", "km": "Khmer",
    "kn": "Kannada", "ko": "Korean", "ku": "Kurdish", "ky": "Kyrgyz", "la": "Latin", "lb": "Luxembourgish",
    "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mg": "Malagasy", "mi": "Maori", "mk": "Macedonian",
    "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "my": "Burmese",
    "nb": "Norwegian Bokmål", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian Nynorsk", "no": "Norwegian",
    "pa": "Punjabi", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "qu": "Quechua", "ro": "Romanian",
    "ru": "Russian", "sa": "Sanskrit", "sd": "Sindhi", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian",
    "so": "Somali", "sq": "Albanian", "sr": "Serbian", "su": "Sundanese", "sv": "Swedish", "sw": "Swahili",
    "ta": "Tamil", "te": "Telugu", "tg": "Tajik", "th": "Thai", "tk": "Turkmen", "tl": "Tagalog",
    "tr": "Turkish", "tt": "Tatar", "ug": "Uyghur", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek",
    "vi": "Vietnamese", "xh": "Xhosa", "yi": "Yiddish", "yo": "Yoruba", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip
CODES = frozenset(NAMES)
_OTHERS = " others"
# What dataset files write for Czech, Dutch and simplified Chinese.
ALIASES = {"cz": "cs", "du": "nl", "zh-cn": "zh", "zh_cn": "zh"}

# In this order a text's script is looked for: Japanese mixes Han characters with its own.
SCRIPTS = {
    "kana": re.compile(r"[\u3041-\u30fa\u30fc-\u30ff]"),
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"),
    "hangul": re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]"),
    "thai": re.compile(r"[\u0e01-\u0e5b]"),
    "arabic": re.compile(r"[\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "greek": re.compile(r"[\u0370-\u03ff]"),
    "hebrew": re.compile(r"[\u05d0-\u05ea]"),
    "devanagari": re.compile(r"[\u0904-\u0939]"),
    "bengali": re.compile(r"[\u0980-\u09ff]"),
    "tamil": re.compile(r"[\u0b80-\u0bff]"),
    "telugu": re.compile(r"[\u0c00-\u0c7f]"),
    "gujarati": re.compile(r"[\u0a85-\u0ad0]"),
    "gurmukhi": re.compile(r"[\u0a05-\u0a5e]"),
    "kannada": re.compile(r"[\u0c85-\u0ce1]"),
    "malayalam": re.compile(r"[\u0d05-\u0d61]"),
    "sinhala": re.compile(r"[\u0d85-\u0ddf]"),
    "khmer": re.compile(r"[\u1780-\u17d3]"),
    "lao": re.compile(r"[\u0e81-\u0ec6]"),
    "burmese": re.compile(r"[\u1000-\u103f]"),
    "tibetan": re.compile(r"[\u0f40-\u0fbc]"),
    "ethiopic": re.compile(r"[\u1200-\u135a]"),
    "georgian": re.compile(r"[\u10a0-\u10ff]"),
    "armenian": re.compile(r"[\u0530-\u058f]"),
}
LATIN = "latin"
# Languages that aren't here are written in Latin letters, or in more than one script (sr).
WRITTEN_IN = {
    "ja": ("kana", "han"), "zh": ("han",), "ko": ("hangul",), "th": ("thai",), "el": ("greek",), "he": ("hebrew",),
    "yi": ("hebrew",), "ar": ("arabic",), "fa": ("arabic",), "ps": ("arabic",), "sd": ("arabic",), "ug": ("arabic",),
    "ur": ("arabic",), "ru": ("cyrillic",), "uk": ("cyrillic",), "be": ("cyrillic",), "bg": ("cyrillic",),
    "kk": ("cyrillic",), "ky": ("cyrillic",), "mk": ("cyrillic",), "mn": ("cyrillic",), "tg": ("cyrillic",),
    "tt": ("cyrillic",), "hi": ("devanagari",), "mr": ("devanagari",), "ne": ("devanagari",), "sa": ("devanagari",),
    "bn": ("bengali",), "ta": ("tamil",), "te": ("telugu",), "gu": ("gujarati",), "pa": ("gurmukhi",),
    "kn": ("kannada",), "ml": ("malayalam",), "si": ("sinhala",), "km": ("khmer",), "lo": ("lao",),
    "my": ("burmese",), "bo": ("tibetan",), "am": ("ethiopic",), "ka": ("georgian",), "hy": ("armenian",),
}  # fmt: skip
# What a script is taken for: the one language above that uses it; Hebrew letters for Hebrew, Latin ones for English.
GUESSES = {
    "kana": "ja", "han": "zh", "hangul": "ko", "thai": "th", "greek": "el", "hebrew": "he", "bengali": "bn",
    "tamil": "ta", "telugu": "te", "gujarati": "gu", "gurmukhi": "pa", "kannada": "kn", "malayalam": "ml",
    "sinhala": "si", "khmer": "km", "lao": "lo", "burmese": "my", "tibetan": "bo", "ethiopic": "am",
    "georgian": "ka", "armenian": "hy", LATIN: "en",
}  # fmt: skip
# Years by which Thai dates are ahead of others.
BUDDHIST_ERA = 543


def code(name: str, where: str) -> str:
    """Return the ISO 639 code that `name` stands for. Raises UserError, opening with `where`, if it is none."""
    known = ALIASES.get(name.casefold(), name)
    if known not in CODES:
        raise UserError(f"{where}: '{name}' is no language code; {nearest(name, CODES | set(ALIASES))}")
    return known


def is_code(name: str) -> bool:
    """Return whether `name` is a language code or one of the aliases."""
    return ALIASES.get(name.casefold(), name) in CODES


def lacks_script(text: str, lang: str) -> bool:
    """Return whether no letter of the language's own script stands in the text; False for Latin letters."""
    return lang in WRITTEN_IN and not any(SCRIPTS[script].search(text) for script in WRITTEN_IN[lang])


def main_script(texts: Iterable[str]) -> str:
    """Return the script that most texts hold, `latin` where none of the others is found."""
    found = Counter(next((name for name, letters in SCRIPTS.items() if letters.search(t)), LATIN) for t in texts)
    return max(found, key=lambda name: found[name]) if found else LATIN


def fits(lang: str, script: str) -> bool:
    """Return whether a text mostly in `script` can be of the language."""
    return lang == "sr" or script in WRITTEN_IN.get(lang, (LATIN,))


def name(code: str) -> str:
    """Return the English name of an ISO 639 code. Raises UserError for a code that isn't known."""
    try:
        return NAMES[code]
    except KeyError:
        raise UserError(f"translation: '{code}' is no language code; {nearest(code, NAMES)}") from None


def others(count: object) -> str:
    """Return what stands for the mean over a number of other languages, where tables name a language."""
    return f"{count}{_OTHERS}"


def is_language(name: str) -> bool:
    """Return whether a table's name of a language is one, not what stands for the mean over others."""
    return not name.endswith(_OTHERS)
