"""Using a one-time code: whether it counts, what is recorded if not, and what the person is told.

A wrong code is counted and recorded although nothing else happens, so whoever asks here commits
first and raises the refusal afterwards.
"""

from dataclasses import dataclass

from workflows.entry import INTERLOCK, Draft, Json, Ref, RequestId
from workflows.errors import NoCodesError, StepUpError, WrongCodeError
from workflows.moments import stamp
from workflows.step_up import MOST_MISSES, PAUSE, Guard, Miss, Vault, judged
from workflows.store import Unit
from workflows.totp import DIGITS, STEP_SECONDS, read_code

HOW = "Set them up with your authenticator app."


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A code that somebody typed: of which enrolment, and for which request, if for one."""

    person: Ref
    enrolment: str
    code: str
    request: RequestId | None = None


def check_approval(
    unit: Unit, vault: Vault, person: Ref, code: str, *, request: RequestId | None
) -> StepUpError | None:
    """Use up the code that goes with an approval, or with lending one's voice for approvals.

    Returns why it does not count, if so.
    """
    guard = unit.codes.hold(person)
    live = unit.codes.live(person)
    confirmed = next((one for one in live if one.is_confirmed), None)
    if confirmed is None:
        return no_codes(is_pending=bool(live))
    attempt = Attempt(person=person, enrolment=confirmed.id, code=code, request=request)
    secret = vault.open_sealed(confirmed.sealed, name=confirmed.name)
    return check(unit, guard, secret, attempt)


def no_codes(*, is_pending: bool) -> NoCodesError:
    """Return the refusal of somebody who has no codes that count."""
    if is_pending:
        return NoCodesError(
            "Your codes wait for a governor to confirm them.",
            hint="Ask one; until then no code of yours counts.",
        )
    return NoCodesError("This needs a one-time code, and you have none yet.", hint=HOW)


def check(unit: Unit, guard: Guard, secret: bytes, attempt: Attempt) -> StepUpError | None:
    """Judge a code by its secret and keep what came of it; return why it does not count, if so."""
    if guard.is_locked(unit.now):
        return _locked(guard)
    code = read_code(attempt.code)
    if code is None:
        return WrongCodeError(f"A code has {DIGITS} digits.", hint="Type the one in your app.")
    after, miss = judged(guard, secret, code, now=unit.now)
    unit.codes.keep(after)
    if miss is None:
        return None
    unit.append(_refused(attempt, miss, after))
    if miss is Miss.USED:
        return WrongCodeError(
            "This code was used already.",
            hint=f"Wait for the next one; it comes within {STEP_SECONDS} seconds.",
        )
    return _locked(after) if after.is_locked(unit.now) else _wrong(after)


def _wrong(guard: Guard) -> WrongCodeError:
    left = MOST_MISSES - len(guard.misses)
    return WrongCodeError(
        "This code is not right.",
        hint=f"Type the one that your app shows now. {left} more of these, and none counts for"
        f" {PAUSE.seconds // 60} minutes.",
    )


def _locked(guard: Guard) -> StepUpError:
    until = "" if guard.locked_until is None else f"{guard.locked_until:%H:%M} UTC"
    return StepUpError(
        f"There were {MOST_MISSES} wrong codes, so none of yours counts until {until}.",
        hint="If they were not yours, tell a governor now.",
    )


def _refused(attempt: Attempt, miss: Miss, guard: Guard) -> Draft:
    data: dict[str, Json] = {
        "person": attempt.person,
        "enrolment": attempt.enrolment,
        "why": miss.value,
        "request": attempt.request,
    }
    if miss is Miss.WRONG and guard.locked_until is not None and not guard.misses:
        data["locked_until"] = stamp(guard.locked_until)
    return Draft(kind="step_up.refused", actor=INTERLOCK, data=data)
