"""Short stories that entries tell, and the codes under which a verifier finds what is wrong.

Every verifier reads the same ones: ours and that of each pack here, the page as runs of a log.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from storage.entry_builder import Built
from tests.storage.trail import Trail
from workflows.binding import binding
from workflows.entry import Actor, ActorKind, Draft, Part, RunId
from workflows.moments import moment

RITA, ANA, BEN, SUE, DORA = (f"s:{name}" for name in ("rita", "ana", "ben", "sue", "dora"))
OF = {"workflow": "w", "step": "s", "policy": "p", "args": None, "plan": None}
BINDING = binding(version="v", **OF)
NOON, LATER = "2026-03-02T12:00:00.000Z", "2026-03-09T12:00:00.000Z"
Members = dict[str, Any]
PART = {"c": "x", "cls": "personal.content", "len": 5}


def entry(kind: str, data: Members, *, by: str = "interlock", ts: str = NOON) -> Members:
    actor = {"t": "user" if by.startswith("s:") else "bot", "ref": by}
    return {"kind": kind, "data": data, "actor": actor, "ts": ts}


def started(**more: Any) -> Members:  # noqa: ANN401 - any field.
    data = {"workflow": "w", "version": "v", "trigger": "slash", **more}
    return entry("run.started", data, by=RITA)


def all_of(members: Sequence[Members]) -> Sequence[Members]:
    """Return a story with its beginning, which most leave to us."""
    has_begun = bool(members) and members[0]["kind"] == "run.started"
    return members if has_begun else [started(), *members]


def requested(*stages: Members, **more: Any) -> Members:  # noqa: ANN401 - any field.
    data = {
        "request": "q",
        "step": "s",
        "binding": BINDING,
        "policy": "p",
        "stages": list(stages),
        "excluded": [RITA],
        "expires": LATER,
    }
    return entry("approval.requested", {**data, **more})


def stage(*people: str, approve: int = 1, **more: Any) -> Members:  # noqa: ANN401 - any field.
    return {"from": ["@a"], "approve": approve, "deny": 1, "people": list(people), **more}


def granted(by: str, stage: int = 0, *, ts: str = NOON, **more: Any) -> Members:  # noqa: ANN401 - any field.
    return entry("approval.granted", {**_said(stage, "approved"), **more}, by=by, ts=ts)


def denied(by: str, stage: int = 0, **more: Any) -> Members:  # noqa: ANN401 - any field.
    return entry("approval.denied", {**_said(stage, "denied"), **more}, by=by)


def _said(stage: int, decision: str) -> Members:
    names = ["have", "need", "via", "step_up", "slack"]
    data = {"request": "q", "binding": BINDING, "stage": stage, "decision": decision}
    return {**data, **dict.fromkeys(names)}


def edited(by: str) -> Members:
    return entry(
        "approval.edited", {"request": "q", "next": "n", "was": BINDING, "binding": None}, by=by
    )


def void() -> Members:
    data = {"request": "q", "binding": BINDING, "reason": "run_cancelled"}
    return entry("approval.withdrawn", data)


def away(giver: str, stand_in: str | None, *, until: str = LATER) -> Members:
    """Return that somebody is away and who decides for them, said outside of every run."""
    data = {"request": None, "from": giver, "to": stand_in, "until": until}
    return {**entry("approval.delegated", data, by=giver), "run": None}


def escalated(*to: str, **more: Any) -> Members:  # noqa: ANN401 - any field.
    return entry("approval.escalated", {"request": "q", "to": list(to), "n": 1, **more})


def intended(request: str | None = "q", **more: Any) -> Members:  # noqa: ANN401 - any field.
    names = ["action", "effect", "target"]
    told = {**dict.fromkeys(names, "x"), **ATTEMPT, "binding": BINDING, "request": request}
    return entry("action.intended", {**told, **more})


def executed(**more: Any) -> Members:  # noqa: ANN401 - any field.
    return entry("action.executed", {**ATTEMPT, "ms": 1, **more})


def failed(**more: Any) -> Members:  # noqa: ANN401 - any field.
    return entry("action.failed", {**ATTEMPT, "error_class": "x", "performed": "no", **more})


def resolved(happened: str, **more: Any) -> Members:  # noqa: ANN401 - any field.
    return entry("action.resolved", {**ATTEMPT, "happened": happened, "by": "probe", **more})


def policy(digest: str) -> Members:
    data = {"name": "policy", "before": None, "after": digest, "by_run": None}
    return {**entry("policy.changed", data), "run": None}


def erasure(by_run: str | None, **more: Any) -> Members:  # noqa: ANN401 - any field.
    data = {"items": [], "reason": "request", "request": None, "policy": "p", "by_run": by_run}
    return {**entry("erasure", {**data, **more}), "run": None}


def sweep(**more: Any) -> Members:  # noqa: ANN401 - any field.
    data = {"policy": "p", "cls": "business", "before": 0, "n": 0}
    return {**entry("retention.sweep", {**data, **more}), "run": None}


def ended() -> Members:
    return entry("run.finished", {"outcome": "done"})


HOURS = {"weekdays": [1], "from": "09:00", "to": "12:00", "holidays": [], "zone": "Europe/Berlin"}
EARLY, TUESDAY = "2026-03-02T10:30:00.000Z", "2026-03-03T10:00:00.000Z"
ABROAD = {**HOURS, "to": "20:00", "holidays": ["2026-03-02"], "zone": "Asia/Tokyo"}
NEWER, UNHEARD = "a" * 64, "b" * 64
OWN = "r"  # The run that tells the story.
ERASE, UNASKED, ODD_MARKER = "interlock.erase", "erasure-unasked", "kind-malformed"
ATTEMPT = {"step": "s", "attempt": 1, "idem": "r/s"}
AGAIN = {"attempt": 2}
ANEW = {"binding": binding(version=NEWER, **OF)}


def activated() -> Members:
    data = {"workflow": "w", "version": NEWER, "replaces": None, "level": "trial"}
    return {**entry("workflow.activated", data), "run": None}


def moved(to: str = NEWER, *, by: str = SUE, since: str = "v", why: bool = True) -> Members:
    data = {"workflow": "w", "from": since, "to": to}
    return {**entry("run.moved", data, by=by), "parts": {"reason": PART} if why else {}}


def glass_broken(by: str) -> Members:
    data = {"request": "q", "step": "s", "binding": BINDING, "review_by": LATER}
    return {**entry("break_glass.used", data, by=by), "parts": {"reason": PART}}


ODD = binding(version="v", **{**OF, "policy": "odd"})
PARTS = (stage(ANA, turn=0), stage(SUE, turn=0), stage(DORA))
FOR_ANA = {"for": ANA}
TWO_TO_DENY = requested(stage(ANA, BEN, SUE, DORA, approve=2, deny=2))
SPEAKS_FOR_ANA = [requested(stage(ANA, BEN, SUE, approve=3, deny=2)), away(ANA, BEN)]
GLASS = {"from": ["@c"], "people": [SUE], "by": ["@d"], "review": 3600}
BREAKABLE = requested(stage(ANA), glass=GLASS)
OPENED = escalated(DORA, BEN, groups=["@d"], stages=[1])
# Of each: what the entries tell, and the codes of what is wrong with that.
STORIES: dict[str, tuple[list[Members], str]] = {
    "in shadow": (
        [started(shadow=True), entry("question.asked", {"request": "q", "step": "s"})],
        "",
    ),
    "an effect in shadow": ([started(shadow=True), intended(None)], "shadow-effect"),
    "parts in any order": (
        [requested(*PARTS), granted(SUE, 1), granted(ANA), granted(DORA, 2), intended()],
        "",
    ),
    "before its turn": ([requested(*PARTS), granted(ANA), granted(DORA, 2)], "stage-order"),
    "a part is missing": ([requested(*PARTS[:2]), granted(ANA), intended()], "quorum"),
    "one person in two stages": (
        [requested(stage(ANA), stage(ANA)), granted(ANA), granted(ANA, 1)],
        "counted-twice",
    ),
    "let in": (
        [
            *[requested(stage(ANA), stage(SUE)), granted(ANA), OPENED],
            *[granted(DORA, 1), intended()],
        ],
        "",
    ),
    "let in elsewhere": (
        [requested(stage(ANA), stage(SUE)), OPENED, granted(DORA)],
        "ineligible-approver",
    ),
    "let in everywhere": ([requested(stage(ANA)), escalated(DORA), granted(DORA), intended()], ""),
    "not yet let in": (
        [requested(stage(ANA)), granted(DORA), escalated(DORA, stages=[0])],
        "ineligible-approver",
    ),
    "left out, and let in": (
        [
            requested(stage(ANA), excluded=[RITA, DORA], duties=["requester", "editor"]),
            *[escalated(DORA, stages=[0]), granted(DORA)],
        ],
        "excluded-approver",
    ),
    "a stage that does not exist": (
        [requested(stage(ANA)), granted(ANA, 7)],
        "ineligible-approver stage-order",
    ),
    "rejected": ([requested(stage(ANA, BEN)), denied(BEN), granted(ANA), intended()], "quorum"),
    "rejected in a stage that does not exist": (
        [requested(stage(ANA, BEN)), denied(BEN, 7), granted(ANA), intended()],
        "quorum",
    ),
    "one rejection where it takes two": (
        [TWO_TO_DENY, denied(BEN), granted(ANA), granted(SUE), intended()],
        "",
    ),
    "two rejections where it takes two": (
        [TWO_TO_DENY, denied(BEN), denied(DORA), granted(ANA), granted(SUE), intended()],
        "quorum",
    ),
    "rejections of two stages": (
        [
            requested(stage(ANA, BEN, deny=2), stage(SUE, DORA, deny=2)),
            *[denied(BEN), denied(DORA, 1), granted(ANA), granted(SUE, 1), intended()],
        ],
        "",
    ),
    "an approval taken back": (
        [TWO_TO_DENY, granted(ANA), granted(SUE), denied(SUE), intended()],
        "quorum",
    ),
    "the approval of another taken back": (
        [
            *[away(SUE, DORA), TWO_TO_DENY, granted(ANA), granted(DORA, **{"for": SUE})],
            *[denied(SUE), intended()],
        ],
        "quorum",
    ),
    "rejected, then approved": (
        [TWO_TO_DENY, denied(BEN), granted(BEN), granted(ANA), intended()],
        "counted-twice",
    ),
    "within business hours": ([requested(stage(ANA), hours=[HOURS]), granted(ANA, ts=EARLY)], ""),
    "after business hours": ([requested(stage(ANA), hours=[HOURS]), granted(ANA)], "outside-hours"),
    "on another day": (
        [requested(stage(ANA), hours=[HOURS]), granted(ANA, ts=TUESDAY)],
        "outside-hours",
    ),
    "on a holiday elsewhere": (
        [requested(stage(ANA), hours=[HOURS, ABROAD]), granted(ANA, ts=EARLY)],
        "outside-hours",
    ),
    "hours of no zone": (
        [requested(stage(ANA), hours=[{**HOURS, "zone": "Nowhere/At_all"}]), granted(ANA)],
        "hours-unread",
    ),
    "hours that say nothing": ([requested(stage(ANA), hours=[{}]), granted(ANA)], ""),
    "in the place of somebody away": (
        [away(ANA, DORA), requested(stage(ANA)), granted(DORA, **FOR_ANA), intended()],
        "",
    ),
    "in the place of somebody who is there": (
        [requested(stage(ANA)), granted(DORA, **FOR_ANA), intended()],
        "no-delegation",
    ),
    "in the place of somebody who is back": (
        [
            *[away(ANA, DORA), away(ANA, None, until=EARLY)],
            *[requested(stage(ANA)), granted(DORA, **FOR_ANA), intended()],
        ],
        "no-delegation",
    ),
    "after the stand-in's time": (
        [away(ANA, DORA, until=EARLY), requested(stage(ANA)), granted(DORA, **FOR_ANA)],
        "no-delegation",
    ),
    "for somebody who stands in": (
        [away(ANA, BEN), away(BEN, DORA), requested(stage(ANA)), granted(DORA, **FOR_ANA)],
        "no-delegation",
    ),
    "in the place of whoever was not asked": (
        [away(ANA, DORA), requested(stage(SUE)), granted(DORA, **FOR_ANA)],
        "ineligible-approver",
    ),
    "who acts for the requester": (
        [away(RITA, ANA), requested(stage(ANA)), granted(ANA), intended()],
        "acts-for-excluded",
    ),
    "who acts for the requester, whom no list names": (
        [away(RITA, ANA), requested(stage(ANA), excluded=[]), granted(ANA)],
        "acts-for-excluded",
    ),
    "by the requester": (
        [requested(stage(ANA, RITA), excluded=[]), granted(RITA)],
        "self-approval",
    ),
    "by the requester in another's place": (
        [requested(stage(ANA)), away(ANA, RITA), granted(RITA, **FOR_ANA)],
        "self-approval",
    ),
    "in the requester's place": (
        [requested(stage(ANA, RITA), excluded=[]), granted(ANA, **{"for": RITA})],
        "self-approval no-delegation",
    ),
    "in the place of whoever changed it": (
        [
            *[activated(), moved(by=ANA), requested(stage(ANA), **ANEW)],
            *[away(ANA, BEN), granted(BEN, **ANEW, **FOR_ANA)],
        ],
        "self-approval",
    ),
    "by whoever changed it in another's place": (
        [
            *[activated(), moved(by=BEN), requested(stage(ANA), **ANEW)],
            *[away(ANA, BEN), granted(BEN, **ANEW, **FOR_ANA)],
        ],
        "self-approval",
    ),
    "by who is left out": (
        [requested(stage(ANA), excluded=[ANA]), granted(ANA)],
        "excluded-approver",
    ),
    "by who is left out in another's place": (
        [requested(stage(ANA), excluded=[BEN]), away(ANA, BEN), granted(BEN, **FOR_ANA)],
        "excluded-approver",
    ),
    "in the place of who is left out": (
        [requested(stage(ANA), excluded=[ANA]), away(ANA, BEN), granted(BEN, **FOR_ANA)],
        "excluded-approver acts-for-excluded",
    ),
    "after it was taken back": ([requested(stage(ANA)), void(), granted(ANA)], "decision-late"),
    "rejected after it was taken back": (
        [requested(stage(ANA)), void(), denied(ANA)],
        "decision-late",
    ),
    "with the code it needs": (
        [requested(stage(ANA), step_up="totp"), granted(ANA, step_up=True)],
        "",
    ),
    "without the code it needs": (
        [requested(stage(ANA), step_up="totp"), granted(ANA, step_up=False)],
        "step-up",
    ),
    "two in one place": (
        [*SPEAKS_FOR_ANA, granted(BEN, **FOR_ANA), granted(ANA)],
        "counted-twice",
    ),
    "in another's place, and in their own": (
        [*SPEAKS_FOR_ANA, granted(BEN, **FOR_ANA), granted(BEN), granted(SUE)],
        "counted-twice",
    ),
    "rejected in another's place, and approved in their own": (
        [*SPEAKS_FOR_ANA, denied(BEN, **FOR_ANA), granted(BEN)],
        "counted-twice",
    ),
    "changed after it was rejected": (
        [requested(stage(ANA)), denied(ANA), edited(RITA)],
        "edit-late",
    ),
    "changed after one rejection of two": ([TWO_TO_DENY, denied(ANA), edited(RITA)], ""),
    "changed after it was agreed to": (
        [requested(stage(ANA)), granted(ANA), edited(RITA)],
        "edit-late",
    ),
    "changed after it was taken back": ([requested(stage(ANA)), void(), edited(RITA)], "edit-late"),
    "changed, and approved by the same": (
        [
            *[requested(stage(ANA)), edited(BEN)],
            *[requested(stage(BEN), request="n"), granted(BEN, request="n")],
        ],
        "self-approval",
    ),
    "approved after it was changed": (
        [requested(stage(ANA)), edited(RITA), granted(ANA)],
        "decision-late",
    ),
    "one where it takes two": (
        [requested(stage(ANA, BEN, approve=2)), granted(ANA), intended()],
        "quorum",
    ),
    "none where it says that it takes none": (
        [requested(stage(ANA, approve=0)), intended()],
        "quorum",
    ),
    "in a stage too far": (
        [requested(stage(ANA)), granted(ANA, 1)],
        "ineligible-approver stage-order",
    ),
    "rejected in a stage too far": (
        [requested(stage(ANA)), denied(ANA, 1), granted(BEN)],
        "ineligible-approver",
    ),
    "something else than was approved": (
        [requested(stage(ANA)), granted(ANA), intended(binding=UNHEARD)],
        "binding",
    ),
    "on a request that nobody made": ([intended("n")], "intent-unasked"),
    "bound to another plan": (
        [{**requested(stage(ANA)), "parts": {"plan": PART}}, granted(ANA), intended()],
        "binding",
    ),
    "glass broken": ([BREAKABLE, glass_broken(SUE), intended()], ""),
    "glass broken by another": ([BREAKABLE, glass_broken(DORA)], "glass-ineligible"),
    "glass broken by another, and done": (
        [BREAKABLE, glass_broken(DORA), intended()],
        "glass-ineligible quorum",
    ),
    "glass broken without a reason": (
        [BREAKABLE, {**glass_broken(SUE), "parts": {}}],
        "glass-without-reason",
    ),
    "glass broken over what nobody asked": ([glass_broken(SUE)], "glass-unasked"),
    "moved, and asked anew": (
        [
            *[activated(), requested(stage(ANA)), moved()],
            *[requested(stage(ANA), request="n", **ANEW), granted(ANA, request="n", **ANEW)],
            *[intended("n", **ANEW)],
        ],
        "",
    ),
    "moved to what nobody agreed to": ([activated(), moved(UNHEARD)], "moved-to"),
    "moved from where it was not": ([activated(), moved(since=UNHEARD)], "moved-from"),
    "moved by nobody": ([activated(), moved(by="interlock")], "moved-by"),
    "moved without a reason": ([activated(), moved(why=False)], "moved-by"),
    "moved within an effect": (
        [activated(), intended(None), moved()],
        "moved-under-way",
    ),
    "moved after it was approved": (
        [activated(), requested(stage(ANA)), granted(ANA), moved(), intended()],
        "other-version",
    ),
    "moved, and approved by the same": (
        [activated(), moved(by=ANA), requested(stage(ANA), **ANEW), granted(ANA, **ANEW)],
        "self-approval",
    ),
    "moved, and asked as before": ([activated(), moved(), requested(stage(ANA))], "binding"),
    "nobody to ask": ([requested(), intended()], "quorum"),
    "bound to nothing": (
        [
            *[requested(stage(ANA), binding=UNHEARD), granted(ANA, binding=UNHEARD)],
            intended(binding=UNHEARD),
        ],
        "binding",
    ),
    "bound to other arguments": (
        [{**requested(stage(ANA)), "parts": {"args": PART}}, granted(ANA), intended()],
        "binding",
    ),
    "approved what nobody asked": (
        [requested(stage(ANA)), granted(ANA, binding=UNHEARD)],
        "binding",
    ),
    "let in by somebody's word within the run": (
        [
            requested(stage(ANA)),
            entry("approval.delegated", {"request": "q", "from": ANA, "to": BEN, "until": LATER}),
            *[granted(BEN), intended()],
        ],
        "",
    ),
    "of another version than asked": ([started(version=UNHEARD), requested(stage(ANA))], "binding"),
    "the request of another step": (
        [requested(stage(ANA)), granted(ANA), intended(step="t")],
        "binding",
    ),
    "by the policy in force": ([policy("p"), requested(stage(ANA)), granted(ANA), intended()], ""),
    "by a policy nobody agreed to": (
        [policy("p"), requested(stage(ANA), policy="odd", binding=ODD)],
        "policy-unknown",
    ),
    "approved within a minute of its end": (
        [requested(stage(ANA), expires=EARLY), granted(ANA, ts="2026-03-02T10:30:55.000Z")],
        "",
    ),
    "approved after its end": (
        [requested(stage(ANA), expires=EARLY), granted(ANA, ts="2026-03-02T10:31:05.000Z")],
        "decision-late",
    ),
    "taken back after its end": (
        [requested(stage(ANA), expires=EARLY), granted(ANA, ts=EARLY), denied(ANA)],
        "",
    ),
    "an end that is no moment": ([requested(stage(ANA), expires="soon"), granted(ANA)], ""),
    "glass broken after its end": (
        [
            requested(stage(ANA), expires=EARLY, glass={"people": [BEN]}),
            glass_broken(BEN),
        ],
        "decision-late",
    ),
    "glass broken after a freeze": (
        [
            requested(stage(ANA), expires=EARLY, glass={"people": [BEN]}),
            *[granted(ANA, ts=EARLY), glass_broken(BEN), intended()],
        ],
        "",
    ),
    "done, and nobody announced it": (
        [requested(stage(ANA)), granted(ANA), executed()],
        "end-without-intent",
    ),
    "done, and nobody was asked": ([executed()], "end-without-intent"),
    "failed, and nobody announced it": ([failed()], "end-without-intent"),
    "another attempt than announced": ([intended(None), executed(**AGAIN)], "end-without-intent"),
    "in doubt, settled, and told late": (
        [
            *[intended(None), entry("action.in_doubt", {**ATTEMPT, "cause": "crash"})],
            *[resolved("unknown"), executed(), resolved("yes")],
        ],
        "",
    ),
    "tried again on one approval": (
        [requested(stage(ANA)), granted(ANA), intended(), failed(), intended(**AGAIN)],
        "",
    ),
    "tried again after a doubt": (
        [
            *[requested(stage(ANA)), granted(ANA), intended(), resolved("no"), intended(**AGAIN)],
            *[executed(**AGAIN), resolved("yes")],
        ],
        "",
    ),
    "done twice on one approval": (
        [requested(stage(ANA)), granted(ANA), intended(), executed(), intended(**AGAIN)],
        "approval-used",
    ),
    "done again after half of it": (
        [
            *[requested(stage(ANA)), granted(ANA), intended(), failed(performed="partly")],
            intended(**AGAIN),
        ],
        "approval-used",
    ),
    "done again while it is in doubt": (
        [requested(stage(ANA)), granted(ANA), intended(), intended(**AGAIN)],
        "approval-used",
    ),
    "destroyed, and nobody was asked": ([intended(None, effect="destructive")], "intent-unasked"),
    "ended twice": ([ended(), ended()], "after-end"),
    "erased by a run that asked": (
        [requested(stage(ANA)), granted(ANA), intended(action=ERASE), erasure(OWN)],
        "",
    ),
    "erased by a run that asked nobody": ([intended(None, action=ERASE), erasure(OWN)], UNASKED),
    "erased by a run that asked for something else": (
        [requested(stage(ANA)), granted(ANA), intended(), erasure(OWN)],
        UNASKED,
    ),
    "erased by a run that never was": ([erasure("f" * 32)], UNASKED),
    "erased as its term was over": ([erasure(None, reason="retention")], ""),
    "erased, and nobody knows what": ([erasure(None, items="x", reason="retention")], ODD_MARKER),
    "erased, and no payload": ([erasure(None, items=[[1]], reason="retention")], ODD_MARKER),
    "swept up to no entry": ([sweep(before="x")], ODD_MARKER),
    "swept of no class": ([sweep(cls="x")], ODD_MARKER),
    "swept in no number": ([sweep(n=-1)], ODD_MARKER),
    "swept of nothing": ([sweep()], ""),
    "told after its end": ([ended(), requested(stage(ANA)), granted(ANA)], "after-end"),
}


def recorded(trail: Trail, number: int, members: Sequence[Members]) -> list[Built]:
    """Record a story as a run of its own, with people of its own.

    What it leaves under way is done in the end: of each file only so many findings are shown.
    """
    told = []
    for one in (*all_of(members), *_done(members), ended()):
        trail.clock.at = moment(one["ts"])
        actor = Actor(
            kind=ActorKind(one["actor"]["t"]), ref=_named(trail, number, one["actor"]["ref"])
        )
        draft = Draft(
            kind=one["kind"],
            actor=actor,
            data=_own(_named(trail, number, one["data"]), number),
            parts={name: Part(value=b"words") for name in one.get("parts", ())},
            run=one.get("run", RunId(f"story{number}")),
        )
        told += trail.tell(draft)
    return told


def _done(members: Sequence[Members]) -> Iterator[Members]:
    """Yield an end for each intent that has none."""
    under_way: dict[object, Members] = {}
    for one in members:
        attempt = {name: one["data"].get(name) for name in ATTEMPT}
        under_way.pop(attempt["attempt"], None)
        if one["kind"] == "action.intended":
            under_way[attempt["attempt"]] = attempt
    yield from (executed(**attempt) for attempt in under_way.values())


def _own(data: Members, number: int) -> Members:
    return {**data, "by_run": f"story{number}"} if data.get("by_run") == OWN else data


def _named(trail: Trail, number: int, value: Any) -> Any:  # noqa: ANN401 - any JSON.
    if isinstance(value, dict):
        return {name: _named(trail, number, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_named(trail, number, one) for one in value]
    is_person = isinstance(value, str) and value.startswith("s:")
    return trail.person(f"{value[2:]}{number}") if is_person else value
