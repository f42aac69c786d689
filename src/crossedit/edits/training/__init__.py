"""Training what some editors learn before they edit: MEND's networks, SERAC's classifier and counterfactual model.

examples.py   the facts that an editor may learn from
texts.py      prompts with their targets, run through the backbone once
loop.py       the loop that all trained editors share
state.py      what a training that was killed goes on from
trained.py    the artefact that comes out
"""
