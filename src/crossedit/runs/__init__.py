"""Runs: what an experiment will take, how far it has come, and how a part of it is run again."""
