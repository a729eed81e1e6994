"""Facts of a run for the tests of `storage`, each with only what matters to the test."""

from datetime import UTC, datetime, timedelta

from workflows.entry import INTERLOCK, Actor, ActorKind, Draft, Json, Part, RunId
from workflows.store import NewRun

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VERSION = "60892d85c61da95a16f4b2217f373eb76b5d9ef74d81f2a5983f3218cb1a70b5"
BINDING = "1f0a9c3e" + "0" * 56


class HandClock:
    """A clock that goes on only when a test says so."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


def user(ref: str) -> Actor:
    return Actor(kind=ActorKind.USER, ref=ref)


RITA = user("s:" + "a" * 32)
ANA = user("s:" + "b" * 32)
BEN = user("s:" + "c" * 32)


def new_run(
    name: str = "r1",
    *,
    workflow: str = "refund-customer",
    start_key: str | None = None,
    lock_key: str | None = None,
    channel: str = "C0OPS",
) -> NewRun:
    return NewRun(
        id=RunId(name),
        workflow=workflow,
        version=VERSION,
        channel=channel,
        start_key=start_key,
        lock_key=lock_key,
    )


def fact(kind: str, run: str = "r1", *, actor: Actor = INTERLOCK, **data: Json) -> Draft:
    return Draft(kind=kind, actor=actor, data=data, run=RunId(run))


def started(run: str = "r1", *, workflow: str = "refund-customer", actor: Actor = RITA) -> Draft:
    return Draft(
        kind="run.started",
        actor=actor,
        data={"workflow": workflow, "version": VERSION, "trigger": "slash"},
        parts={"input": Part(value=b'{"order":"ord_8841"}')},
        run=RunId(run),
    )


def requested(
    run: str = "r1",
    *,
    request: str = "q1",
    step: str = "refund",
    approve: int = 1,
    people: tuple[str, ...] = (ANA.ref, BEN.ref),
    expires: datetime = NOON + timedelta(hours=24),
    batch: str = "",
) -> Draft:
    return Draft(
        kind="approval.requested",
        actor=INTERLOCK,
        data={
            "request": request,
            "step": step,
            "binding": BINDING,
            "policy": "p" * 64,
            "stages": [
                {"from": ["@finance"], "approve": approve, "deny": 1, "people": list(people)}
            ],
            "excluded": [RITA.ref],
            "expires": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "attempt": 1,
            "rules": ["big refunds"],
            "reason": "optional",
            **({"batch": batch} if batch else {}),
        },
        parts={
            "args": Part(value=b"{}"),
            "preview": Part(value=b'{"title":"Refund a customer","lines":["order: ord_8841"]}'),
        },
        run=RunId(run),
    )


def verdict(
    kind: str,
    run: str = "r1",
    *,
    request: str = "q1",
    by: Actor = ANA,
    have: int = 1,
    settles: bool = True,
) -> Draft:
    return fact(
        f"approval.{kind}",
        run,
        actor=by,
        request=request,
        binding=BINDING,
        stage=0,
        decision="approved" if kind == "granted" else "denied",
        have=have,
        need=1,
        via="slack",
        step_up=False,
        slack=None,
        settles=settles,
    )


def intended(
    run: str = "r1", *, step: str = "refund", attempt: int = 1, request: str | None = "q1"
) -> Draft:
    return fact(
        "action.intended",
        run,
        step=step,
        attempt=attempt,
        action="http.request",
        effect="destructive",
        target="shop",
        idem=f"{run}/{step}",
        binding=BINDING,
        request=request,
    )


def executed(run: str = "r1", *, step: str = "refund", attempt: int = 1) -> Draft:
    return fact("action.executed", run, step=step, attempt=attempt, idem=f"{run}/{step}", ms=12)


def failed(
    run: str = "r1", *, step: str = "refund", attempt: int = 1, performed: str = "no"
) -> Draft:
    return fact(
        "action.failed",
        run,
        step=step,
        attempt=attempt,
        idem=f"{run}/{step}",
        error_class="not_performed",
        performed=performed,
    )


def finished(run: str = "r1", *, outcome: str = "done") -> Draft:
    return fact("run.finished", run, outcome=outcome)
