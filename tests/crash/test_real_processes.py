"""Real processes, killed or frozen at one chosen moment; the chaos trial does it at any.

The engine serves in a process of its own with its real dispatcher, clock and actions; the
target is another process, whose own log says what really happened.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from bench.trial.cases import Case
from bench.trial.engine_process import serve, settings_of
from bench.trial.home import Home, Target
from bench.trial.judge import Verdict, judge
from bench.trial.life import DiedError, Life, Nursery, RefusedError, nursery
from bench.trial.postgres import crashing_postgres
from bench.trial.watch import ENDS
from tests.crash.unswept import serve_unswept

FILES = Path(__file__).parents[2] / "bench" / "chaos"
T = TypeVar("T")

PATIENCE = 150.0  # A doubt about what did not happen takes half a minute, on a busy machine more.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def context() -> Nursery:
    return nursery()


class Scene:
    """A home, its processes, and the people who ask."""

    def __init__(self, context: Nursery, home: Home) -> None:
        self.context = context
        self.home = home
        self.lives: list[Life] = []
        self.cases: dict[str, Case] = {}

    def born(self, work: Callable[..., None] = serve) -> Life:
        life = Life(self.context, work, self.home.folder, self.home.database)
        self.lives.append(life)
        life.wait_until_ready()
        return life

    def starts(self, life: Life, workflow: str, subject: str, **more: object) -> str:
        case = a_case(workflow, subject, trouble=str(more.pop("trouble", "")))
        self.cases[subject] = case
        order = {"workflow": workflow, "inputs": dict(case.inputs), "person": "rita"}
        return str(life.ask("start", **order, key=subject, **more))

    def approves(self, life: Life, run: str, **more: object) -> str:
        request = wait_for(lambda: self.home.watch.open_requests().get(run), "an open request")[0]
        life.ask("decide", request=request, person="ana", verdict="approve", **more)
        return request

    def status(self, run: str) -> str:
        return dict(self.home.watch.runs().values())[run]

    def ends(self, run: str) -> str:
        return wait_for(lambda: (now := self.status(run)) in ENDS and now, f"the end of {run}")

    def strikes(self) -> None:
        """Return as soon as a request has reached the target."""
        assert self.home.target.struck.wait(PATIENCE)
        self.home.target.struck.clear()

    def judged(self) -> Verdict:
        verdict = judge(self.home, self.cases)
        assert (verdict.twice, verdict.untrue, verdict.lost) == ([], [], [])
        assert (verdict.broken, verdict.unproven, verdict.unaccounted) == ([], [], [])
        return verdict


def a_case(workflow: str, subject: str, *, trouble: str = "") -> Case:
    return Case(
        subject=subject,
        workflow=workflow,
        trouble=trouble,
        verdict="approve",
        is_decided_at_once=False,
        clicks=1,
        starts=1,
        is_cancelled=False,
        box="b1",
    )


def wait_for(look: Callable[[], T | None], what: str) -> T:
    ends = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def a_scene(context: Nursery, folder: Path, database: str) -> Iterator[Scene]:
    target = Target(context, folder)
    home = Home(folder, database, target=target)
    home.prepare(FILES)
    home.begin(settings_of(folder, database))
    scene = Scene(context, home)
    yield scene
    for life in scene.lives:
        life.kill()
    target.stop()


@pytest.fixture
def scene(context: Nursery, tmp_path: Path) -> Iterator[Scene]:
    yield from a_scene(context, tmp_path, "")


@pytest.fixture
def shared(context: Nursery, tmp_path: Path, postgres_url: str) -> Iterator[Scene]:
    """Give a scene on Postgres, where several processes serve."""
    yield from a_scene(context, tmp_path, postgres_url)


def test_a_start_committed_and_never_answered_is_one_run(scene: Scene) -> None:
    with pytest.raises(DiedError):
        scene.starts(scene.born(), "chain", "told-nobody", dies=True)

    life = scene.born()
    run = scene.starts(life, "chain", "told-nobody")

    assert scene.ends(run) == "done"
    assert scene.home.watch.count("run") == 1
    scene.judged()


def test_a_decision_committed_and_never_answered_counts_once(scene: Scene) -> None:
    first = scene.born()
    run = scene.starts(first, "pay", "ack-lost")
    with pytest.raises(DiedError):
        scene.approves(first, run, dies=True)

    assert scene.home.watch.count("decision") == 1

    second = scene.born()

    assert scene.ends(run) == "done"
    with pytest.raises(RefusedError):
        second.ask("decide", request=only_request(scene, run), person="ben", verdict="approve")
    assert scene.home.happened("ack-lost") == 1
    scene.judged()


def only_request(scene: Scene, run: str) -> str:
    asked = [one for one in scene.home.watch.entries(run) if one.kind == "approval.requested"]
    return str(asked[-1].data["request"])


def test_three_clicks_at_one_instant_are_one_decision_and_one_effect(scene: Scene) -> None:
    life = scene.born()
    run = scene.starts(life, "pay", "three-clicks")
    request = wait_for(lambda: scene.home.watch.open_requests().get(run), "an open request")[0]
    for who in ("ana", "ana", "ben"):
        life.asked("decide", request=request, person=who, verdict="approve")

    assert scene.ends(run) == "done"
    assert scene.home.happened("three-clicks") == 1
    assert scene.home.watch.count("decision") == 1
    scene.judged()


def test_a_target_that_acts_twenty_seconds_after_its_caller_died_acts_once(scene: Scene) -> None:
    first = scene.born()
    run = scene.starts(first, "pay", "much-later", trouble="late")
    wait_for(lambda: scene.home.watch.open_requests().get(run), "an open request")
    scene.home.target.struck.clear()
    scene.approves(first, run)
    scene.strikes()
    first.kill()
    scene.born()

    wait_for(lambda: scene.status(run) == "in_doubt", "the doubt")
    assert scene.home.happened("much-later") == 0
    assert scene.ends(run) == "done"
    assert scene.home.happened("much-later") == 1
    assert scene.judged().doubts_by == {"probe: yes": 1}


def test_a_program_ends_with_the_bot_that_started_it_and_never_acts(scene: Scene) -> None:
    first = scene.born()
    scene.home.put_program(nap=PATIENCE)  # However long it takes to find it: it was to act later.
    run = scene.starts(first, "run-program", "no-orphan")
    program = wait_for(lambda: processes_with("no-orphan"), "the program")
    first.kill()

    wait_for(lambda: not processes_with("no-orphan"), "the end of the program")
    assert program
    assert scene.home.happened("no-orphan") == 0

    scene.home.put_program()
    second = scene.born()
    wait_for(lambda: scene.status(run) == "in_doubt", "the doubt")
    order = {"run": run, "step": "act", "person": "omar", "happened": "no"}
    second.ask("doubt", **order)

    assert scene.ends(run) == "done"
    assert scene.home.happened("no-orphan") == 1
    scene.judged()


def processes_with(word: str) -> list[int]:
    """Return the processes that have `word` among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # It ended meanwhile.
        if word.encode() in words:
            found.append(int(folder.name))
    return found


def test_decisions_at_the_instant_the_card_is_committed_lose_no_wake_up(scene: Scene) -> None:
    life = scene.born(serve_unswept)
    names = [f"instant-{number}-now" for number in range(25)]
    runs = [scene.starts(life, "pay", name) for name in names]

    assert {scene.ends(run) for run in runs} == {"done"}
    assert [scene.home.happened(name) for name in names] == [1] * 25
    scene.judged()


def test_a_decision_for_one_branch_is_taken_up_while_another_branch_works(scene: Scene) -> None:
    life = scene.born()
    scene.home.target.struck.clear()
    run = scene.starts(life, "sides", "two-sides")
    scene.strikes()  # The slow branch works from here on, for more than a second.
    scene.approves(life, run)

    assert scene.ends(run) == "done"
    times = {one.subject: one.at for one in scene.home.target.ledger.effects()}
    assert set(times) == {"two-sides-left", "two-sides-slow", "two-sides-right"}
    scene.judged()


def test_a_worker_frozen_in_an_effect_wakes_after_the_take_over_and_acts_no_more(
    shared: Scene,
) -> None:
    frozen = shared.born()
    run = shared.starts(frozen, "pay", "frozen", trouble="slow")
    wait_for(lambda: shared.home.watch.open_requests().get(run), "an open request")
    shared.home.target.struck.clear()
    shared.approves(frozen, run)
    shared.strikes()
    frozen.freeze()
    shared.born()

    assert shared.ends(run) == "done"

    frozen.thaw()
    later = shared.starts(frozen, "chain", "after-the-thaw")

    assert shared.ends(later) == "done"
    assert shared.home.happened("frozen") == 1
    shared.judged()


def test_a_postgres_that_goes_away_for_a_while_costs_time_and_nothing_else(
    context: Nursery, tmp_path: Path
) -> None:
    with crashing_postgres() as postgres:
        for scene in a_scene(context, tmp_path, postgres.new_database("away")):
            life = scene.born()
            run = scene.starts(life, "pay", "away")
            request = wait_for(lambda: scene.home.watch.open_requests().get(run), "a request")[0]  # noqa: B023
            postgres.crash(1.0)
            answer = life.asked(
                "decide", request=request, person="ana", verdict="approve"
            ).exception(PATIENCE)
            if answer is not None:  # Refused while the connections were being made again.
                life.ask("decide", request=request, person="ana", verdict="approve")

            assert scene.ends(run) == "done"
            assert scene.home.happened("away") == 1
            assert life.is_alive
            scene.judged()
