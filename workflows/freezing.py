"""Whether the policy's freeze calendar holds an effect back just now, and until when. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.conditions import applies
from workflows.policy import Policy
from workflows.policy_facts import Facts
from workflows.policy_freezes import frozen_by, thaw

FREEZE = "freeze"  # The rule by which an effect is held back.


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A freeze that holds an effect back. Freezes that follow each other count as one."""

    name: str
    until: datetime
    zone: str

    @property
    def words(self) -> str:
        """Return it for people."""
        until = self.until.astimezone(ZoneInfo(self.zone))
        return f"the freeze “{self.name}”, until {until:%Y-%m-%d %H:%M} ({self.zone})"


def may_be_frozen(policy: Policy, now: datetime) -> bool:
    """Say whether any freeze is on, whatever it is about."""
    return bool(frozen_by(policy.freezes or (), now, policy.timezone))


def frozen(policy: Policy, facts: Facts) -> Frozen | None:
    """Return what holds an effect back, None if nothing does.

    A freeze whose condition cannot be evaluated counts as one that is about it.
    """
    told = policy.told(facts)
    meant = [one for one in policy.freezes or () if applies(one.when, told, unsure=True)]
    on = frozen_by(meant, facts.at, policy.timezone)
    if not on:
        return None
    until = thaw(meant, facts.at, policy.timezone)
    return Frozen(name=on[0].name, until=until, zone=policy.timezone)
