"""Translation: facts in one language become facts in another, corrected by people."""

VERSION = 2
