"""Edits: facts, a backbone, an editor and a language become predictions, and those become scores."""

VERSION = 2
