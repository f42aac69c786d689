"""What was submitted is written down, and found again."""

from dataclasses import replace

import pytest
from batch_runs import all_are_settled, ask, killed, questions
from batch_server import BatchServer
from server import running

from crossedit.errors import UserError
from crossedit.translation import records
from crossedit.translation.asking import batches, ledger, live
from crossedit.translation.store import Store


def test_a_batch_on_its_way_serves_a_run_that_asks_more_besides(server, facts, made):
    settings = replace(made, model="gpt-4")
    server.wait = 5
    server.on_create = lambda kept: setattr(server, "wait", 1)
    assert killed(14, facts(4), settings)
    (entry,) = ledger.Ledger(settings.store).on_their_way
    its = ask(facts(7), settings)
    assert all_are_settled(its)
    assert [len(kept.asked) for kept in server.batches.values()] == [4, 3]
    assert not server.twice
    assert entry.requests == 4


def test_a_batch_that_nothing_waits_for_any_more_is_stored_all_the_same(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(4), settings)
    server.batches["batch_0"].states = ["completed"]
    other = replace(settings, targets=("de",))
    assert all_are_settled(ask(facts(1), other))
    assert not ledger.Ledger(settings.store).on_their_way
    ask(facts(4), settings)
    assert len(server.batches) == 2


def test_what_is_on_its_way_is_not_asked_in_another_way(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(4), settings)
    its = questions(facts(4), settings)
    with pytest.raises(UserError, match=r"batch: 4 of the requests are being asked in batches on their way"):
        live.ask(its, Store(settings.store), replace(settings, batch=False))
    with running(BatchServer()) as other:
        elsewhere = replace(settings, base_url=other.url)
        with pytest.raises(UserError, match=rf"base_url: 4 of the requests .* in a batch at {server.url}"):
            batches.ask(its, Store(settings.store), elsewhere)
    assert not server.requests
    (settings.store / "batches" / "ledger.jsonl").unlink()
    live.ask(its, Store(settings.store), replace(settings, batch=False))
    assert all_are_settled(its)


def test_a_batch_that_the_server_does_not_know_is_not_submitted_again_by_itself(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(2), settings)
    server.batches.clear()
    with pytest.raises(UserError, match=r"answers 404 to GET /v1/batches/batch_0; .* is this batch one of the key's"):
        ask(facts(2), settings)


def test_a_ledger_cut_at_any_byte_is_read(tmp_path, caplog):
    first = ledger.Ledger(tmp_path)
    request = {"model": "gpt-4", "messages": [{"role": "user", "content": "一\u2028二"}]}
    lines = [ledger.line(request, attempt) for attempt in (1, 2)]
    entry = first.intend("https://localhost/v1", lines)
    whole = first.path.read_bytes()
    first.submitted(entry, "batch_1")
    with_id = first.path.read_bytes()
    for end in range(len(with_id)):
        first.path.write_bytes(with_id[:end])
        again = ledger.Ledger(tmp_path)
        assert [one.name for one in again.on_their_way] == [entry.name] * (end >= len(whole) - 1)
        assert [one.id for one in again.on_their_way if one.id] == ["batch_1"] * (end >= len(with_id) - 1)
    (open_one,) = again.on_their_way
    assert list(again.asked(open_one).values()) == [(request, 1), (request, 2)]
    again.end(open_one, "expired")
    assert not ledger.Ledger(tmp_path).on_their_way
    assert again.intend("https://localhost/v1", lines).name != entry.name, "asked once more, it is another batch"


def test_what_was_submitted_and_is_gone_is_asked_for(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(2), settings)
    (path,) = settings.store.glob("batches/[!l]*.jsonl")
    path.unlink()
    with pytest.raises(UserError, match=r"can't be read .* what batch batch_0 was asked; bring it back"):
        ask(facts(2), settings)


def test_a_slash_makes_no_other_server(server, facts, made):
    settings = replace(made, model="gpt-4")
    assert killed(14, facts(2), settings)
    assert all_are_settled(ask(facts(2), replace(settings, base_url=f"{settings.base_url}/")))
    assert len(server.batches) == 1


def test_a_batch_on_its_way_is_known_though_the_words_of_a_reason_have_changed(server, facts, made, monkeypatch):
    settings = replace(made, model="gpt-4")
    said = iter(["Sorry."])
    good = server.answer
    server.answer = lambda record, language: next(said, None) or good(record, language)
    server.on_create = lambda kept: setattr(server, "wait", 10_000)  # looks at the second round's
    assert killed(150, facts(1), settings)
    server.batches["batch_1"].states = ["completed"]
    (entry,) = ledger.Ledger(settings.store).on_their_way
    assert [attempt for _, attempt in ledger.Ledger(settings.store).asked(entry).values()] == [2]
    monkeypatch.setattr(records, "AGAIN", "Try {target} once more, as {reason}.")
    assert all_are_settled(ask(facts(1), settings))
    assert len(server.batches) == 2


def test_a_ledger_that_cannot_be_written_ends_the_run_with_a_sentence(server, facts, made):
    made.store.mkdir()
    (made.store / "batches").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"\.jsonl: can't be written \(.*\); what was answered before is kept"):
        ask(facts(1), made)
    assert not server.batches
