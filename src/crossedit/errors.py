"""The one kind of error that a user can cause.

    raise UserError("config.yaml: editors.ROMA: no such method; did you mean 'ROME'?")

The command line prints it as a single sentence and exits with 2; anything else is a bug and keeps its traceback.
"""

import difflib
from collections.abc import Iterable

_MOST = 8  # names in an answer


class UserError(Exception):
    """Bad input. Its message names the file, the field, the value, and what to do."""


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a half-sentence that answers an unknown name: the nearest known one, else all, of many the nearest few.

    otherwise: what is said where none is near, of names that say nothing, such as all that lie in a folder.
    """
    names = sorted(known)
    folded = {other.casefold(): other for other in names}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1)
    if close:
        return f"did you mean '{folded[close[0]]}'?"
    if otherwise:
        return otherwise
    if len(names) > _MOST:
        few = [folded[other] for other in difflib.get_close_matches(name.casefold(), list(folded), n=_MOST, cutoff=0)]
        return f"known are: {', '.join(few)} and {len(names) - len(few):,} more."
    return f"known are: {', '.join(names) or 'none'}."
