"""Sweeps: what many edits do to the abilities of a model, measured on eight general tasks."""

VERSION = 2
