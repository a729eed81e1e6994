"""A thousand ways to use four workflows, decided by a seed: odd words, edges, slow targets."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from bench.trial.home import Home

# Words that have broken programs before: other scripts, other directions, marks, quotes, controls.
WORDS = (
    "Zoë Müller-Lüdenscheidt",
    "Ж 中文 日本語 한국어",
    "مرحبا בעולם",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "e\u0301 a\u0308 \u200b\u2060zero width",
    "quotes ' \" ` and $(rm -rf /) ; -- ${{ inputs.order }} <!channel> &amp;",
    "line\nbreaks\ttabs",
    "\\u0000 %s {0} NaN null -0 1e999",
)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Europe/Berlin")
OFFSETS = (14, -12, 5.75, -9.5, 0)
DELIVERED = ("after", "after_500", "garbage", "slow")
NOT_DELIVERED = ("before", "cut_before")
DENIED = 0.04
LONGEST = 3000
HUGE = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakCase:
    """One run of the soak, what is odd about it, and what has to come of it."""

    subject: str
    workflow: str
    cause: str  # What is odd about it; "plain" for nothing.
    inputs: Mapping[str, object]
    expected: str = "done"  # How the run ends; "refused" where it must not even start.
    verdict: str = "approve"
    clicks: int = 1
    starts: int = 1
    is_cancelled: bool = False
    effects: tuple[str, ...] = ()
    accounts: tuple[int, int] = (0, 0)  # Of a purge: how many free ones and held ones.
    ends_at: datetime | None = field(default=None, compare=False)  # Of a grant.

    def prepare(self, home: Home) -> None:
        """Put what the run acts upon in its place."""
        if self.workflow == "purge" and self.expected != "refused":
            free, held = self.accounts
            home.put_accounts(str(self.inputs["subject"]), free=free, held=held)


def soak_cases(chance: random.Random, runs: int) -> Iterator[SoakCase]:
    """Yield that many cases, the same ones for the same seed."""
    makers: tuple[Callable[[str, random.Random], SoakCase], ...] = (
        _refund,
        _grant,
        _purge,
        _record,
    )
    for number in range(runs):
        yield makers[number % len(makers)](f"case-{number:05d}", chance)


def _refund(subject: str, chance: random.Random) -> SoakCase:
    order, amount, note = f"ord-{subject}", chance.randrange(1, 90_000), ""
    cause, trouble, expected, clicks = "plain", "", "done", 1
    match chance.randrange(10):
        case 0:
            cause, amount, expected = "zero", 0, "refused"
        case 1:
            cause, amount = "huge", chance.choice((HUGE, HUGE + 1, 10**18))
            expected = "done" if amount == HUGE else "refused"
        case 2:
            cause, note = "odd words", chance.choice(WORDS)
        case 3:
            cause, note = "long", chance.choice("xé") * LONGEST
        case 4:
            cause, order = "flaky reads", f"{order}-flaky"
        case 5:
            cause, order = "same order again", f"ord-shared-{chance.randrange(12)}"
        case 6:
            cause, clicks = "double clicks", 3
        case 7 | 8:
            cause, trouble = _trouble(chance)
    case = SoakCase(
        subject=subject,
        workflow="refund",
        cause=cause,
        inputs={
            "subject": subject,
            "order": order,
            "amount": amount,
            "note": note,
            "trouble": trouble,
        },
        expected=expected,
        clicks=clicks,
        starts=2 if cause == "double clicks" else 1,
        effects=(order,),
    )
    return _denied(case, chance)


def _grant(subject: str, chance: random.Random) -> SoakCase:
    ends_at = datetime.now(UTC) + timedelta(seconds=chance.uniform(0, 20))
    role, cause, trouble, expected = "reader", "plain", "", "done"
    until = ends_at.isoformat()
    match chance.randrange(8):
        case 0 | 1:
            cause = "time zones"
            until = ends_at.astimezone(_zone(chance)).isoformat()
        case 2:
            cause, ends_at = "past", ends_at - timedelta(days=400)
            until = ends_at.isoformat()
        case 3:
            cause, role = "odd words", chance.choice(WORDS)
        case 4:
            cause, role = "long", "r" * LONGEST
        case 5 | 6:
            cause, trouble = _trouble(chance)
    case = SoakCase(
        subject=subject,
        workflow="grant-access",
        cause=cause,
        inputs={"subject": subject, "role": role, "until": until, "trouble": trouble},
        expected=expected,
        effects=(subject,),
        ends_at=ends_at,
    )
    return _denied(case, chance)


def _zone(chance: random.Random) -> timezone | ZoneInfo:
    if chance.random() < 0.5:  # noqa: PLR2004  half of them
        return timezone(timedelta(hours=chance.choice(OFFSETS)))
    return ZoneInfo(chance.choice(ZONES))


def _purge(subject: str, chance: random.Random) -> SoakCase:
    cause, batch, accounts = "plain", subject, (chance.randrange(1, 20), chance.randrange(4))
    match chance.randrange(6):
        case 0:
            cause, accounts = "nothing to do", (0, chance.randrange(3))
        case 1:
            cause, accounts = "huge", (chance.randrange(800, 1500), 7)
        case 2:
            cause, batch = "odd words", f"{subject} {chance.choice(WORDS)}"
        case 3:
            cause, batch = "long", f"{subject} " + "b" * (LONGEST - len(subject) - 1)
        case 4:
            cause, batch = "one too long", f"{subject} " + "b" * LONGEST
    case = SoakCase(
        subject=batch,
        workflow="purge",
        cause=cause,
        inputs={"subject": batch},
        expected="refused" if cause == "one too long" else "done",
        accounts=accounts,
    )
    return case if cause == "nothing to do" else _denied(case, chance)


def _record(subject: str, chance: random.Random) -> SoakCase:
    name, value = f"{subject}-rec", f"192.0.2.{chance.randrange(256)}"
    cause, trouble, is_refused = "plain", "", False
    match chance.randrange(8):
        case 0:
            cause, value = "odd words", chance.choice(WORDS)
        case 1:
            cause, value = "long", "v" * LONGEST
        case 2:
            cause, name = "flaky reads", f"{subject}-flaky"
        case 3 | 4:
            cause, is_refused = "taken back", True
        case 5 | 6:
            cause, trouble = _trouble(chance)
    case = SoakCase(
        subject=name,
        workflow="change-record",
        cause=cause,
        inputs={"subject": name, "value": value, "is_refused": is_refused, "trouble": trouble},
        expected="aborted" if is_refused else "done",
        effects=(name,),
    )
    return _denied(case, chance)


def _trouble(chance: random.Random) -> tuple[str, str]:
    """Return a cause and the target's trouble: it acts and we do not hear of it, or it does not."""
    if chance.random() < 0.7:  # noqa: PLR2004  a share
        trouble = chance.choice(DELIVERED)
        return ("slow target" if trouble == "slow" else "lost reply"), trouble
    return "failed before", chance.choice(NOT_DELIVERED)


def _denied(case: SoakCase, chance: random.Random) -> SoakCase:
    """Return the case, which somebody rejects now and then."""
    if case.workflow != "refund" and any("\n" in str(one) for one in case.inputs.values()):
        return replace(case, expected="refused")  # Only the refund's note may have several lines.
    # Two runs for one order decide among themselves which of them asks.
    if case.expected == "refused" or case.cause == "same order again" or chance.random() > DENIED:
        return case
    return replace(case, cause="denied", verdict="deny", expected="denied")
