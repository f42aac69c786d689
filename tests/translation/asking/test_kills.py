"""A thousand records, a server that misbehaves in every way on three requests of ten, and five SIGKILLs on the way."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from server import TROUBLES, Server, key_of, running

from crossedit import tables
from crossedit.tables import FACTS

pytestmark = pytest.mark.slow

RECORDS, CONCURRENCY = 1000, 16


@pytest.fixture
def bad_server():
    with running(Server(share=0.3, seed=1)) as server:
        server.seconds, server.hangs = 0.02, 10.0
        yield server


@pytest.fixture
def command(facts, tmp_path, bad_server):
    """The command that translates the facts, by processes of their own."""
    tables.write(facts(RECORDS), FACTS, tmp_path / "facts.parquet", {})
    entry = {"source": "en", "targets": ["zh"], "model": "gpt-4", "store": str(tmp_path / "store")}
    asking = {"base_url": bad_server.url, "concurrency": CONCURRENCY, "timeout": 5}
    return [
        *(sys.executable, "-c", "from crossedit.cli import main; main()", "translation", "translate"),
        *("--facts", tmp_path / "facts.parquet", "--entry", json.dumps(entry), "--asking", json.dumps(asking)),
        *("--out", tmp_path / "machine.parquet", "--summary", tmp_path / "machine.json"),
    ]


def start(command, log):
    environment = {**os.environ, "OPENAI_API_KEY": "sk-not-a-real-key-0123456789", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=log)


def stored(folder: Path):
    """Return what the server would call the requests whose answers are whole in the store."""
    text = (folder / "answers.jsonl").read_bytes().decode(errors="replace")
    return {key_of(json.loads(line)["request"]) for line in text.split("\n")[:-1]}


def test_every_record_is_translated_or_listed_and_paid_for_once(command, bad_server, tmp_path):
    kills, at_kill = 5, []
    with open(tmp_path / "log", "wb") as log:
        for number in range(1, kills + 1):
            process = start(command, log)
            while bad_server.paid.total() < RECORDS * number / (kills + 1):
                assert process.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.01)
            process.kill()
            process.wait()
            at_kill.append((len(bad_server.requests), stored(tmp_path / "store")))
        assert start(command, log).wait() == 0, (tmp_path / "log").read_text()

    said = json.loads((tmp_path / "machine.json").read_text())
    translated = tables.read(tmp_path / "machine.parquet", FACTS).filter(lang="zh")
    done, listed = translated["case_id"].to_list(), [failure["case_id"] for failure in said["failures"]]
    assert sorted(done + listed) == list(range(RECORDS)), "none is lost, none is there twice"
    assert all(len(failure["reasons"]) == 3 for failure in said["failures"])
    assert translated["subject"].to_list() == [f"法国 {case}" for case in done]
    assert bad_server.happened.keys() == set(TROUBLES)

    assert bad_server.paid.total() <= 1.5 * RECORDS
    for requests, answers in at_kill:
        asked = {key_of(request) for request in bad_server.requests[requests:]}
        assert not asked & answers, "a request whose answer was stored is asked again"
    assert bad_server.asked_again.total() <= kills * CONCURRENCY
    twice = sum(count - 1 for count in bad_server.answered.values())
    assert twice <= kills * CONCURRENCY
    print(f"{kills} kills: {len(bad_server.requests)} requests, {bad_server.paid.total()} paid, {twice} answered twice")
    print(f"{len(listed)} listed; {bad_server.happened}")
    assert "sk-not" not in (tmp_path / "log").read_text()
