"""Text as LaTeX shows it, and what a preamble needs for it.

escaped("50 % of <b>")          every letter stands for itself
preamble("łódź")                the lines by which the letters are there
"""

import re
import unicodedata

_MARKS = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    '"': "{''}",
    "`": r"\textasciigrave{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # else an optional argument of the line break before it
    "]": "{]}",
    "*": "{*}",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
}
# In maths, since the text's own are in a font that is drawn dot by dot unless the document loads another.
_SYMBOLS = {
    "†": "dagger",
    "‡": "ddagger",
    "•": "bullet",
    "×": "times",
    "÷": "div",
    "±": "pm",
    "·": "cdot",
    "≤": "le",
    "≥": "ge",
    "≈": "approx",
    "≠": "ne",
    "∞": "infty",
    "→": "to",
}
_MARKS |= {letter: rf"$\{name}$" for letter, name in _SYMBOLS.items()} | {"−": "$-$"}

_NO_LIGATURE, _BREAK = "\0", "\1"  # a text of a sheet holds no controls
_MARKS |= {_NO_LIGATURE: r"{\kern0pt}", _BREAK: r"\penalty500{}"}  # a space is the better place to break
# A Greek letter by itself is a symbol; one among others belongs to a word.
_GREEK = {
    "α": "alpha",
    "β": "beta",
    "κ": "kappa",
    "λ": "lambda",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "χ": "chi",
    "Δ": "Delta",
}
_SYMBOL = re.compile(f"(?<![\u0370-\u03ff])[{''.join(_GREEK)}](?![\u0370-\u03ff])")
_LIGATURE = re.compile(r"([-',])(?=\1)")  # two of them would be another mark
_WORD = re.compile("[\u0021-\u058f]+")  # Chinese is broken anywhere, and Arabic letters would fall apart

# Latin letters that T1 doesn't have, though their neighbours in Unicode are there.
_NOT_IN_T1 = "ĦħĸĿŀŉŦŧſ"
# Without a font of its own T1 is drawn dot by dot, which publishers refuse.
_ACCENTS = (r"\usepackage[T1]{fontenc}", r"\usepackage{lmodern}")
_UNICODE = (
    r"\usepackage{fontspec}",
    r'\directlua{luaotfload.add_fallback("others", {"Droid Sans Fallback:", "DejaVu Sans:"})}',
    r"\setmainfont{Latin Modern Roman}[RawFeature={fallback=others}]",
    r"\usepackage[english,bidi=basic]{babel}",
    r"\babelprovide[import,onchar=ids]{chinese}",
)


def escaped(text: str, line: int = 30) -> str:
    """Return LaTeX that shows the text; a word that is longer than a line of so many letters may be broken."""
    text = _LIGATURE.sub(rf"\1{_NO_LIGATURE}", unicodedata.normalize("NFC", text))
    text = _WORD.sub(lambda word: _BREAK.join(re.findall(f".{{1,{line}}}", word[0])), text)
    text = "".join(_MARKS.get(letter, letter) for letter in text)
    return _SYMBOL.sub(lambda letter: rf"$\{_GREEK[letter[0]]}$", text)


def needs_unicode(latex: str) -> bool:
    """Return whether the text has letters that pdfLaTeX doesn't know."""
    return any(not ("\u00a1" <= letter < "\u017f" and letter not in _NOT_IN_T1) for letter in _beyond(latex))


def preamble(latex: str) -> tuple[str, ...]:
    """Return the lines that a preamble needs for the letters of the text."""
    if needs_unicode(latex):
        return _UNICODE
    return _ACCENTS if _beyond(latex) else ()


def _beyond(latex: str) -> set[str]:
    return {letter for letter in latex if not letter.isascii()}
