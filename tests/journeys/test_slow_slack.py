"""Many people type at once while Slack is slow to say who is who: everybody is answered."""

from pathlib import Path

from sandbox import faults as fault
from sandbox.limits import ACK_SECONDS
from tests.journeys.company import in_three_seconds
from tests.journeys.day import PATIENCE, day_at_work
from tests.sandbox.payload_checks import complaints_about

LOOKS = ("usergroups.list", "users.info", "users.list", "conversations.info")
SLOW_SECONDS = 0.9


def test_twelve_commands_at_once_are_all_answered_in_time_by_a_bot_that_knows_nobody_yet(
    tmp_path: Path,
) -> None:
    slowest = twelve_commands(tmp_path / "slow", seconds=SLOW_SECONDS)

    # A machine that computes for long by itself adds that, and as much again by accident. Asked
    # for one after the other, what Slack says of them would take ten seconds more.
    assert slowest < ACK_SECONDS or slowest < ACK_SECONDS + 3 * twelve_commands(
        tmp_path / "quick", seconds=0
    )


def twelve_commands(home: Path, *, seconds: float) -> float:
    """Type them while Slack takes `seconds` to look; return what the slowest answer took."""
    home.mkdir()
    with day_at_work(home) as day, in_three_seconds():
        slack = day.stage.slack
        slack.faults.randomly({one: [fault.slow(seconds)] for one in LOOKS}, rate=1, seed=1)
        rita = slack.workspace.person("rita")
        typed = (
            f"/ops run refund-customer order=ord_{number} amount=500 reason=Broken"
            for number in range(1101, 1113)
        )
        sent = [rita.command(one, wait=False) for one in typed]
        slack.workspace.wait_for(
            lambda: all(one.settled for one in sent) or None, timeout=PATIENCE, what="all answers"
        )

        assert [one.outcome for one in sent] == ["acked"] * 12
        assert complaints_about(slack.recorder) == []
        return max(one.ack_seconds or 0 for one in sent)
