"""What may happen in an honest history: the real engine at work, and people who use all of it.

Who may do what, under which of several policies, is left to the engine: what it refuses leaves
the log as it was, but for the entry that says so.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from storage.anchors import Evidence, anchored, keep_anchor
from storage.checkpoint import read_vkey
from storage.heads import show_head
from storage.key_changes import KeyOffice
from storage.retention.held import holds_in
from storage.retention.holds import lift_hold, set_hold
from storage.retention.sweep import sweep as swept
from storage.store import SqlStore
from tests.storage.full_log import RESTS
from tests.storage.test_retention import ERASE, Kept
from tests.storage.trail import Trail
from tests.workflows.engine.batches import loop, open_ones, say
from tests.workflows.engine.gated import GROUPS
from tests.workflows.engine.test_questions import ASKS
from tests.world import CHANGE, LOST, UNREACHABLE, Clock, Working, definition_in, failing, id_of
from workflows.breaking import Breaking
from workflows.delegating import NewDelegation
from workflows.entry import INTERLOCK, PartClass, Ref, RunId
from workflows.errors import InterlockError
from workflows.gate import ApprovalRequest, Verdict
from workflows.glass import Finding
from workflows.holds import Kind, Selector
from workflows.orders import Edit, Moving
from workflows.people import PersonId
from workflows.reviewing import Review
from workflows.telling import ENDS

OPERATOR = PersonId("os:operator")
PEOPLE = ("ana", "ben", "rita", "sue", "sid", "dora", "otto")
LIKELY = 0.8  # How often whoever acts is one who may.
AT_ONCE = 3  # Items that are put to people together.
# What a policy asks for before an effect: one of these in each history.
DEMANDS = (
    'stages: [{from: ["@deciders"]}]',
    'stages: [{from: ["@leads", "@security"], approve: 2, deny: 2}]',
    'stages: [{all: [{from: ["@leads"], deny: 2}, {from: ["@security"]}]}, {from: ["@on-call"]}]',
    'stages: [{from: ["@leads"], deny: 2}], hours: {weekdays: [1-5], from: "09:00", to: "17:00"}',
    'stages: [{from: ["@leads"], approve: 2}], escalate: {after: 2h, to: ["@security"]}',
)


def definitions() -> tuple[str, ...]:
    """Return the workflows that people start."""
    return CHANGE, RESTS, ASKS, ERASE, loop("on_item_failure: continue")


def policy(chance: random.Random) -> str:
    """Return a policy that some house may have."""
    return f"""
defaults: {{expires: 24h}}
roles: {{governors: ["@governors"]}}
break_glass:
  {{people: ["@on-call"], by: ["@governors"], review: 24h, when: effect == "destructive"}}
rules:
  - {{name: destructive, when: effect == "destructive", {chance.choice(DEMANDS)}}}
  - {{name: items, when: effect == "write" && step == "pay", batch: true, {chance.choice(DEMANDS)}}}
"""


def house_in(store: SqlStore, clock: Clock, chance: random.Random) -> Working:
    """Return a house in which all that may happen."""
    house = Kept(store, clock, definitions=definitions(), policy=policy(chance))
    house.town.groups |= {name: set(people) for name, people in GROUPS.items()}
    house.town.groups |= {"@on-call": {"otto", "rita", "sid"}, "@governors": {"gina", "otto"}}
    house.world.items = [{"name": f"n{one}", "by": one + 1} for one in range(AT_ONCE)]
    return house


@dataclass
class History:
    """A log that grows by chance, and the heads of it that people keep outside."""

    house: Working
    trail: Trail
    home: Path
    chance: random.Random
    runs: list[RunId] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)

    def grow(self) -> None:
        """Let something happen; what the engine refuses leaves the log as it was."""
        what = self.chance.choices(list(HAPPENINGS), [one for one, _ in HAPPENINGS.values()])[0]
        try:
            HAPPENINGS[what][1](self)
            self.house.settle()
        except InterlockError:
            what = f"{what}, refused"
        self.happened[what] += 1

    @property
    def office(self) -> KeyOffice:
        """Return who changes the keys of this log."""
        return KeyOffice(self.trail.database, self.trail.journal, person=OPERATOR)

    def somebody(self) -> str:
        """Return one of the people."""
        return self.chance.choice(PEOPLE)

    def one_of(self, people: Iterable[Ref]) -> str:
        """Return one of these people, or who stands in for one; now and then whoever comes by."""
        store = self.house.store
        # By who they are: pseudonyms are others each time, and a seed is to give one history.
        persons = sorted(str(store.person(one) or "") for one in people)
        if not persons or self.chance.random() > LIKELY:
            return self.somebody()
        person = PersonId(self.chance.choice(persons))
        word = store.delegation_by(person, at=self.house.clock()) if person else None
        acting = store.person(word.stand_in) if word and word.stand_in else person
        return next((name for name in PEOPLE if id_of(name) == acting), self.somebody())

    def open_runs(self) -> list[RunId]:
        """Return the runs that have not ended."""
        return [run for run in self.runs if self.house.kinds(run)[-1] not in ENDS]

    def open_requests(self) -> list[ApprovalRequest]:
        """Return what one run asks of people, of one that asks."""
        asked = [found for run in self.open_runs() if (found := open_ones(self.house, run))]
        return self.chance.choice(asked) if asked else []


def start(history: History) -> None:
    """Begin a run; now and then its effect goes wrong."""
    troubles = (lambda _place: None, failing("before", UNREACHABLE), failing("after", LOST))
    history.house.world.trouble = history.chance.choices(troubles, [8, 1, 1])[0]
    history.house.world.can_probe = history.chance.choice([True, False])
    workflow = history.chance.choice(["change-it", "change-it", "pay-all", "rests", "asks"])
    history.runs.append(history.house.start(workflow))


def decide(history: History) -> None:
    """Approve or deny what a run asks, some of it or all, as somebody who may or who may not."""
    asked = history.open_requests()
    chosen = history.chance.sample(asked, k=history.chance.randint(min(1, len(asked)), len(asked)))
    verdict = history.chance.choices([Verdict.APPROVE, Verdict.DENY], [3, 1])[0]
    say(history.house, chosen, verdict, by=history.one_of(people_of(chosen)))


def take_back(history: History) -> None:
    """Reject what one has approved, before anything came of it."""
    for one in history.open_requests():
        with history.house.store.begin() as unit:
            given = unit.decisions(one.id)
        by = history.one_of(said.approver for said in given)
        say(history.house, [one], Verdict.DENY, by=by)


def edit(history: History) -> None:
    """Change what is asked."""
    for one in history.open_requests()[:1]:
        inputs = {"by": history.chance.randint(1, 9)}
        history.house.engine.edit(Edit(request=one.id, person=id_of("rita"), inputs=inputs))


def move(history: History) -> None:
    """Have people agree to another version, and a run that waits go by it."""
    more, house = history.chance.randint(1, 3), history.house
    text = history.chance.choice([one for one in definitions() if one is not RESTS])
    text = text.replace("${{ inputs.by }}", f"${{{{ inputs.by + {more} }}}}")
    house.activate(f"{text}  - {{id: later, wait: {more}h}}\n")
    workflow = definition_in(text).workflow
    runs = [one for one in history.open_runs() if house.store.run(one).workflow == workflow]
    for run in history.chance.sample(runs, k=min(1, len(runs))):
        by = history.chance.choices(["omar", "sam", "rita"], [4, 4, 1])[0]
        wanted = Moving(run=run, person=id_of(by), reason="it does more")
        history.happened["run moved"] += house.engine.move(wanted).changed


def break_glass(history: History) -> None:
    """Decide alone what is asked of others."""
    for one in history.open_requests()[:1]:
        person = id_of(history.chance.choice(["otto", "sid", "ana"]))
        order = Breaking(request=one.id, person=person, reason="it is down")
        history.house.engine.break_glass(order)


def review_glass(history: History) -> None:
    """Say what one thinks of a use of the glass."""
    told = [one for run in history.runs for one in history.house.entries(run)]
    used = [one.id for one in told if one.kind == "break_glass.used"]
    for one in used[-1:]:
        person = id_of(history.chance.choice(["gina", "otto"]))
        history.house.engine.review_glass(Review(use=one, person=person, finding=Finding.RIGHT))


def go_away(history: History) -> None:
    """Have somebody else decide for a while, or nobody; or be back early."""
    giver, now = history.one_of(people_of(history.open_requests())), history.house.clock()
    word = history.house.store.delegation_by(id_of(giver), at=now)
    if word is not None and history.chance.choice([True, False]):
        history.house.engine.come_back(id_of(giver), entry=word.entry)
        return
    stand_in = history.chance.choice([id_of(history.somebody()), id_of(history.somebody()), None])
    until = now + timedelta(hours=history.chance.choice([2, 50]))
    history.house.engine.delegate(NewDelegation(giver=id_of(giver), stand_in=stand_in, until=until))


def cancel(history: History) -> None:
    """Stop a run that has not ended."""
    runs = history.open_runs()
    for run in history.chance.sample(runs, k=min(1, len(runs))):
        history.house.engine.cancel(run, person=id_of("rita"), reason="enough")


def wait(history: History) -> None:
    """Let hours pass, in which things come due and requests expire."""
    history.house.clock.forward(timedelta(hours=history.chance.choice([1, 3, 30])))


def keep_outside(history: History) -> None:
    """Give the newest head to somebody outside, and record it."""
    with history.house.store.begin() as unit:
        shown = show_head(unit.transaction)
    note = shown.note
    evidence = Evidence(type="mail", ref="m", content=note.encode(), at=history.house.clock())
    with history.house.store.begin() as unit:
        keep_anchor(unit.transaction, shown.size, evidence)
        unit.append(anchored(shown.size, evidence, actor=INTERLOCK))
    history.notes.append(note)


def rotate_writer(history: History) -> None:
    """Give the machine another writer key."""
    history.office.rotate(history.home, holder="bench", pause=lambda: None)


def rotate_log(history: History) -> None:
    """Sign heads with another key, and end the old one."""
    old = read_vkey(history.trail.journal.sequencer.signers[0].vkey).id
    history.office.rotate_log(history.home)
    history.office.retire(old)


def forget(history: History) -> None:
    """Ask to erase a person, and have everybody agree who may."""
    asked = history.house.start("erase-person", {"person": id_of(history.somebody())}, by="dora")
    history.runs.append(asked)
    history.house.settle()
    for name in PEOPLE:
        if not open_ones(history.house, asked):
            return
        with suppress(InterlockError):
            history.house.approve(asked, by=name)
            history.house.settle()


def tidy(history: History) -> None:
    """Sweep what is older than some hours and held back by nobody."""
    old = timedelta(hours=history.chance.choice([1, 6, 48]))
    terms = {one: old * history.chance.choice([1, 1, 3]) for one in PartClass}
    now = history.house.clock()
    swept(history.house.store, policy=history.house.policy.digest, terms=terms, now=now)


def hold(history: History) -> None:
    """Hold payloads back: of a run, a workflow, a person or a day; or let go of what is held."""
    store = history.house.store
    with store.database.read() as connection:
        held = holds_in(connection)
    if held and history.chance.choice([True, False]):
        lift_hold(store, history.chance.choice(held).id, reason="settled", actor=INTERLOCK)
        return
    day = history.house.clock().date()
    with store.begin() as unit:
        person = unit.ref(id_of(history.somebody()))
    some = [
        Selector(Kind.WORKFLOW, history.chance.choice(["change-it", "pay-all", "erase-person"])),
        Selector(Kind.PERSON, person),
        Selector(Kind.PERIOD, f"{day - timedelta(days=1)}/{day + timedelta(days=1)}"),
        *(Selector(Kind.RUN, run) for run in history.runs[-1:]),
    ]
    set_hold(store, history.chance.choice(some), reason="a lawsuit", actor=INTERLOCK)


def people_of(requests: Sequence[ApprovalRequest]) -> set[Ref]:
    """Return everybody who was asked."""
    return {who for one in requests for stage in one.stages for who in stage.everybody}


Happening = Callable[[History], None]
# What may happen, and how often beside the others.
HAPPENINGS: dict[str, tuple[int, Happening]] = {
    "start": (6, start),
    "decide": (16, decide),
    "take back": (1, take_back),
    "edit": (1, edit),
    "move": (2, move),
    "break glass": (2, break_glass),
    "review glass": (1, review_glass),
    "go away": (4, go_away),
    "wait": (3, wait),
    "cancel": (1, cancel),
    "keep outside": (2, keep_outside),
    "rotate writer": (1, rotate_writer),
    "rotate log key": (1, rotate_log),
    "forget": (1, forget),
    "tidy": (1, tidy),
    "hold": (1, hold),
}
