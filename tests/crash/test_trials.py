"""The trials of `bench/` in short form, and a judge that would have noticed."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.trial.cases import Case
from bench.trial.engine_process import serve, settings_of
from bench.trial.home import Home, Target
from bench.trial.judge import Verdict, judge
from bench.trial.life import Life, nursery
from bench.trial.soak_cases import SoakCase
from bench.trial.soak_oracle import mistakes
from tests.crash.test_real_processes import FILES, a_case, wait_for

ROOT = Path(__file__).parents[2]
KILLS = 50
SUBJECT = "judged"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def trial(script: str, *words: str) -> dict[str, Any]:
    """Run a trial as anybody would; return its last line."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / script), "--json", *words],
        capture_output=True,
        text=True,
        timeout=850,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_fifty_kills_do_nothing_twice_and_lose_nothing() -> None:
    found = trial("chaos.py", "--kills", str(KILLS))

    assert found["kills"] == KILLS
    wrong = ("effects_twice", "effects_untrue", "runs_lost", "broken_chains", "doubts_unsettled")
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert found["by"]["bot sqlite"]["kills"] + found["by"]["bot postgres"]["kills"] >= 10
    assert found["effects"] > 10


def test_forty_unattended_runs_end_as_their_targets_say_they_should() -> None:
    found = trial("soak.py", "--runs", "40", "--seed", "short")

    assert found["wrong"] == 0
    assert sum(found["ends"].values()) == 40


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Give a home with one run that paid, as it should have."""
    context, folder = nursery(), tmp_path_factory.mktemp("judged")
    home = Home(folder, "", target=Target(context, folder))
    home.prepare(FILES)
    home.begin(settings_of(folder, ""))
    life = Life(context, serve, folder, "")
    order = {"workflow": "pay", "inputs": dict(a_case("pay", SUBJECT).inputs), "person": "rita"}
    run = str(life.ask("start", **order, key=SUBJECT))
    request = wait_for(lambda: home.watch.open_requests().get(run), "an open request")[0]
    life.ask("decide", request=request, person="ana", verdict="approve")
    wait_for(lambda: home.watch.runs()[SUBJECT][1] == "done", "the end")
    life.kill()
    yield home
    home.target.stop()


def judged(home: Home, **more: Case) -> Verdict:
    return judge(home, {SUBJECT: a_case("pay", SUBJECT), **more})


def changed(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_the_judge_finds_nothing_where_nothing_is_wrong(done: Home) -> None:
    verdict = judged(done)

    assert verdict.ends == {"done": 1}
    assert (verdict.twice, verdict.untrue, verdict.lost, verdict.broken) == ([], [], [], [])


def test_the_judge_notices_a_run_that_was_accepted_and_is_nowhere(done: Home) -> None:
    assert judged(done, gone=a_case("pay", "gone")).lost == ["gone (): nowhere"]


def test_the_judge_tells_a_run_that_waits_for_people_from_one_that_stands_still(
    done: Home,
) -> None:
    database = done.folder / "interlock.db"
    with closing(sqlite3.connect(database)) as connection:
        ended = connection.execute("SELECT finished_at FROM run").fetchone()[0]
    changed(database, "UPDATE run SET status = 'waiting', outcome = NULL, finished_at = NULL")

    assert judged(done).lost == []

    changed(database, "UPDATE outbox SET subject = 'run' WHERE subject = 'request'")

    assert len(judged(done).lost) == 1
    as_it_was = f"status = 'done', outcome = 'done', finished_at = '{ended}'"
    changed(database, f"UPDATE run SET {as_it_was}")


def test_the_judge_notices_a_second_effect_and_one_that_never_happened(done: Home) -> None:
    path = done.target.ledger.path
    done.target.ledger.act("blind", "other", SUBJECT, value="1", honours_key=False)

    assert judged(done).twice == [f"{SUBJECT}: 2 times"]

    changed(path, "DELETE FROM effect")

    assert len(judged(done).untrue) == 2
    done.target.ledger.act("keyed", "again", SUBJECT, value="1", honours_key=True)


def test_the_judge_notices_a_row_that_the_entries_do_not_tell(done: Home) -> None:
    database = done.folder / "interlock.db"
    changed(database, "UPDATE run SET step = 'elsewhere'")

    assert "step is 'elsewhere'" in judged(done).broken[0]


def test_the_oracle_notices_money_that_moved_and_should_not_have(done: Home) -> None:
    inputs = {"subject": "s", "order": SUBJECT, "amount": 5, "note": ""}
    case = SoakCase(
        subject="s", workflow="refund", cause="denied", inputs=inputs, expected="denied"
    )

    assert list(mistakes(done, case, "denied")) == ["the shop paid ['1'] instead of []"]
    assert next(mistakes(done, case, "done")) == "it ended done instead of denied"
