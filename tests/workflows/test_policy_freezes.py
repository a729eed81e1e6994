"""When the freeze calendar is on, and until when, by the clocks of the policy's own zone."""

from datetime import UTC, datetime

import pytest

from workflows.loading import load_policy, read_policy
from workflows.policy_freezes import frozen_by, thaw

BERLIN = "Europe/Berlin"
POLICY = """
defaults: {{expires: 24h}}
timezone: Europe/Berlin
rules:
  - {{name: any, when: effect == "destructive", stages: [{{from: ["@leads"]}}]}}
freezes:
{freezes}"""
CHRISTMAS = '  - {name: Christmas, from: "2026-12-20T18:00", until: 2026-12-27}\n'
WEEKEND = "  - {name: weekend, weekly: {weekdays: [6, 7]}}\n"
NIGHTS = "  - {name: nights, weekly: {weekdays: [1, 2, 3, 4, 5], from: '22:00', to: '06:00'}}\n"
EARLY = "  - {{name: early, weekly: {{weekdays: [7], from: '{}', to: '{}'}}}}\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def over(freezes: str, moment: str) -> str | None:
    """Return when it thaws, as UTC without a zone; None where nothing is frozen."""
    known = load_policy(POLICY.format(freezes=freezes)).freezes or ()
    now = at(moment)
    if not frozen_by(known, now, BERLIN):
        return None
    return f"{thaw(known, now, BERLIN).astimezone(UTC):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("freezes", "moment", "until"),
    [
        (CHRISTMAS, "2026-12-20T16:59", None),
        (CHRISTMAS, "2026-12-20T17:00", "2026-12-26T23:00"),
        (CHRISTMAS, "2026-12-26T22:59", "2026-12-26T23:00"),
        (CHRISTMAS, "2026-12-26T23:00", None),
        (WEEKEND, "2026-06-05T21:59", None),  # A Friday in summer, one minute to midnight.
        (WEEKEND, "2026-06-05T22:00", "2026-06-07T22:00"),
        (WEEKEND, "2026-06-07T21:59", "2026-06-07T22:00"),
        (NIGHTS, "2026-06-05T20:00", "2026-06-06T04:00"),  # Friday night belongs to Friday.
        (NIGHTS, "2026-06-06T20:00", None),
        (NIGHTS, "2026-06-07T23:00", None),  # The night to Monday begins on a Sunday.
        (WEEKEND + NIGHTS, "2026-06-05T20:30", "2026-06-07T22:00"),
        # Clocks go forward on 2026-03-29 at 2:00, and back on 2026-10-25 at 3:00.
        (WEEKEND, "2026-03-29T21:59", "2026-03-29T22:00"),
        (WEEKEND, "2026-03-28T12:00", "2026-03-29T22:00"),
        (WEEKEND, "2026-10-24T12:00", "2026-10-25T23:00"),
        (
            "  - {name: x, from: '2026-10-25T02:30', until: '2026-10-26'}\n",
            "2026-10-25T00:29",
            None,
        ),
        (
            "  - {name: x, from: '2026-10-25T02:30', until: '2026-10-26'}\n",
            "2026-10-25T00:30",
            "2026-10-25T23:00",
        ),
        # 2:30 comes twice, and the freeze lasts until the second time.
        (
            "  - {name: x, from: '2026-10-24', until: '2026-10-25T02:30'}\n",
            "2026-10-25T01:00",
            "2026-10-25T01:30",
        ),
        # 2:30 never comes, and the freeze lasts until what would have been 2:30.
        (
            "  - {name: x, from: '2026-03-28', until: '2026-03-29T02:30'}\n",
            "2026-03-29T01:15",
            "2026-03-29T01:30",
        ),
        # What is said for each week is read in the same way, be it where it begins or ends.
        (EARLY.format("01:00", "02:30"), "2026-10-25T00:45", "2026-10-25T01:30"),
        (EARLY.format("02:30", "04:00"), "2026-10-25T01:15", "2026-10-25T03:00"),
        (EARLY.format("01:00", "02:30"), "2026-03-29T01:15", "2026-03-29T01:30"),
    ],
)
def test_a_freeze_is_on_by_the_clocks_of_the_policys_zone(
    freezes: str, moment: str, until: str | None
) -> None:
    assert over(freezes, moment) == until


def test_freezes_that_follow_each_other_end_together() -> None:
    following = "  - {name: audit, from: 2026-12-27, until: '2026-12-28T09:00'}\n"

    assert over(CHRISTMAS + following, "2026-12-24T12:00") == "2026-12-28T08:00"


@pytest.mark.parametrize(
    ("freezes", "fault"),
    [
        ("  - {name: x, from: 2026-12-20}\n", "is no time, write from and until, or weekly"),
        ("  - {name: x}\n", "is no time, write from and until, or weekly"),
        (
            "  - {name: x, from: 2026-12-20, until: 2026-12-21, weekly: {weekdays: [1]}}\n",
            "is no time",
        ),
        ("  - {name: x, from: 2026-12-21, until: 2026-12-20}\n", "ends before it begins"),
        ("  - {name: x, from: '2026-12-20T10:00:01', until: 2026-12-21}\n", "without a zone"),
        ("  - {name: x, from: '2026-12-20T10:00Z', until: 2026-12-21}\n", "without a zone"),
        ("  - {name: x, from: soon, until: 2026-12-21}\n", "write a day or a minute"),
        ("  - {name: x, weekly: {weekdays: [1,2,3,4,5,6,7]}}\n", "it never ends"),
        ("  - {name: x, weekly: {weekdays: [8]}}\n", "out of range"),
        ("  - {name: x, weekly: {weekdays: [sat]}}\n", "write a whole number without quotes"),
        ("  - {name: x, weekly: {weekdays: [1], from: '9:00'}}\n", "has to match"),
        ("  - {name: x, weekly: {weekdays: [1]}, when: hours > 1}\n", "nothing is called hours"),
        (WEEKEND + WEEKEND, "another freeze has this name"),
    ],
)
def test_a_freeze_that_means_nothing_is_refused(freezes: str, fault: str) -> None:
    found = [str(one) for one in read_policy(POLICY.format(freezes=freezes), "p").faults]

    assert any(fault in one for one in found), found
