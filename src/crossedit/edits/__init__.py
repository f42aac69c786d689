"""Edits: facts, a backbone, an editor and a language become predictions, and those become scores."""

VERSION = 2
SCORING = 4  # of scores alone: with another one nothing is edited again
