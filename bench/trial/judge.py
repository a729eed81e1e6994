"""Judges a home after a trial: by the target's log and the signed trail, not by the bot's word.

Twice, lost and broken are counted over every accepted case. What a run's entries say happened
must be what the target says happened, for each effect.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.trial.crowd import subject_of
from bench.trial.home import Home
from bench.trial.watch import ENDS
from bench.trial.wish import Wish
from storage.database import open_database
from storage.rebuild import check_projections
from workflows.entry import Entry
from workflows.store import Subject

UNPROVEN = 3
CARDS = {Subject.CARD, Subject.QUESTION}
END_OF_ATTEMPT = frozenset({"action.executed", "action.failed", "action.resolved"})


@dataclass(slots=True)
class Verdict:
    """What was found; each list names what it found, so that it can be looked at."""

    runs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    effects: int = 0
    twice: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)  # The trail and the target disagree.
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    doubts: int = 0
    doubts_by: Counter[str] = field(default_factory=Counter)  # Who settled them.
    unaccounted: list[str] = field(default_factory=list)
    entries: int = 0

    def add(self, other: "Verdict") -> None:
        """Take up what was found elsewhere."""
        for name in ("runs", "effects", "doubts", "entries"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("ends", "doubts_by"):
            getattr(self, name).update(getattr(other, name))
        for name in ("twice", "untrue", "lost", "broken", "unproven", "unaccounted"):
            getattr(self, name).extend(getattr(other, name))


def judge(home: Home, accepted: Mapping[str, Wish]) -> Verdict:
    """Return what became of everything that was accepted in `home`."""
    verdict = Verdict(runs=home.watch.count("run"), entries=home.watch.count("audit_entry"))
    runs = home.watch.runs()
    for name, case in accepted.items():
        run, status = runs.get(name, ("", "nowhere"))
        verdict.ends[status] += 1
        if not _is_accounted_for(home, run, status):
            verdict.lost.append(f"{name} ({run}): {status}")
        if run:
            entries = home.watch.entries(run)
            _judge_effects(home, entries, verdict)
            if status == "done":
                verdict.untrue.extend(_missing(home, case))
            judge_doubts(name, entries, verdict)
    verdict.twice.extend(f"{one}: started twice" for one in sorted(home.watch.repeated))
    judge_chain(home, verdict)
    return verdict


def _is_accounted_for(home: Home, run: str, status: str) -> bool:
    """Say whether a run has ended, or waits for people who were (or are being) asked."""
    if status in ENDS:
        return True
    asks = {"waiting": CARDS, "in_doubt": {Subject.DOUBT}, "exception": {Subject.TROUBLE}}
    return bool(asks.get(status, set()) & set(home.watch.cards(run)))


def _judge_effects(home: Home, entries: Sequence[Entry], verdict: Verdict) -> None:
    """Compare what a run announced with what the target did, effect by effect."""
    announced = {subject_of(one): one for one in entries if one.kind == "action.intended"}
    for subject, entry in announced.items():
        did, told = home.happened(subject), _told(str(entry.data["step"]), entries)
        verdict.effects += did
        if did > 1:
            verdict.twice.append(f"{subject}: {did} times")
        if told is not None and told != bool(did):
            verdict.untrue.append(f"{subject}: the trail says {told}, the target {did} times")


def _missing(home: Home, case: Wish) -> Iterator[str]:
    """Yield what a run that is done should have done, and did not."""
    for subject in case.effects:
        if not home.happened(subject):
            yield f"{subject}: the run is done, and it never happened"


def _told(step: str, entries: Sequence[Entry]) -> bool | None:
    """Return whether the trail says that the step's effect happened; None where it cannot say."""
    said: bool | None = False
    for entry in entries:
        if entry.data.get("step") != step:
            continue
        if entry.kind == "action.executed":
            return True
        if entry.kind == "action.resolved" and entry.data["happened"] == "yes":
            return True
        if entry.kind == "action.resolved" and entry.data["happened"] == "unknown":
            said = None
    return said


def judge_doubts(name: str, entries: Sequence[Entry], verdict: Verdict) -> None:
    """See that every announced effect has its end, and every doubt somebody who settled it."""
    ends = {_attempt(one): one for one in entries if one.kind in END_OF_ATTEMPT}
    settled = {_attempt(one): one for one in entries if one.kind == "action.resolved"}
    for entry in entries:
        if entry.kind == "action.intended" and _attempt(entry) not in ends:
            verdict.unaccounted.append(f"{name}: {_attempt(entry)} was announced and has no end")
        if entry.kind != "action.in_doubt":
            continue
        verdict.doubts += 1
        found = settled.get(_attempt(entry))
        if found is None:
            verdict.unaccounted.append(f"{name}: the doubt about {_attempt(entry)} is not settled")
        else:
            verdict.doubts_by[f"{found.data['by']}: {found.data['happened']}"] += 1


def _attempt(entry: Entry) -> tuple[object, ...]:
    return tuple(entry.data.get(one) for one in ("step", "attempt", "idem"))


def judge_chain(home: Home, verdict: Verdict) -> None:
    """Verify the log as an outsider would, and make the projections again to compare them."""
    verdict.broken.extend(_faults(home, verdict))
    database = open_database(home.url)
    try:
        verdict.broken.extend(str(one) for one in check_projections(database)[:20])
    finally:
        database.close()


def program(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    interlock = str(Path(sys.executable).with_name("interlock"))
    return subprocess.run([interlock, *words], capture_output=True, text=True, check=False)


def _faults(home: Home, verdict: Verdict) -> Iterator[str]:
    """Verify as an outsider does: the command line, the database and a key kept outside."""
    done = program("audit", "verify", "--json", "--db", home.url, "--vkey", home.vkey)
    if done.returncode not in {0, UNPROVEN}:
        yield f"{home.folder}: audit verify ended with {done.returncode}: {done.stdout[-2000:]}"
        return
    report = json.loads(done.stdout)
    verdict.unproven.extend(f"{home.folder}: {one}" for one in report["unproven"])
    waiting = {run for run, status in home.watch.runs().values() if status not in ENDS}
    for code, words in report["semantics"]:
        # Whether such a run waits for somebody, and is not lost, has been judged already.
        if code != "run-without-end" or not any(run in words for run in waiting):
            yield f"{home.folder}: {code}: {words}"
