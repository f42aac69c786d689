"""What may be spent on batches."""

from dataclasses import replace

import pytest
from batch_runs import all_are_settled, ask, killed

from crossedit.errors import UserError

PRICES = {"gpt-4": {"input": 10, "output": 30}}


def test_a_batch_is_cut_to_the_budget_and_a_larger_one_goes_on(server, facts, made):
    server.usage = (100, 100)  # 0.2 cents in a batch where the file has a share for them
    poor = replace(made, model="gpt-4", prices=PRICES, budget=0.02)
    with pytest.raises(UserError, match=r"could go over the budget: \$0\.0\d of \$0\.02 are spent, \d+ of 30 records"):
        ask(facts(30), poor)
    answered = sum(server.paid.values())
    assert 0 < answered < 30
    assert answered * 0.002 <= 0.02
    assert all_are_settled(ask(facts(30), replace(poor, budget=1.0)))
    assert sum(server.paid.values()) == 30
    assert not server.twice


def test_what_is_on_its_way_counts_for_the_budget(server, facts, made):
    server.usage = (100, 100)
    settings = replace(made, model="gpt-4", prices=PRICES)
    assert killed(14, facts(20), settings)
    with pytest.raises(UserError, match="could go over the budget"):
        ask(facts(40), replace(settings, budget=0.01))
    assert len(server.batches) == 1, "nothing could be asked besides it"
    assert sum(server.paid.values()) == 20
