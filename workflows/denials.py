"""Denials that stick: the same thing asked again, by whatever workflow and whomever.

Two effects are the same when their action and all their arguments are. The arguments kept
with the earlier request are read and compared; nothing is stored that values could be guessed
from.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from workflows.conditions import applies
from workflows.demand import Demand, DemandStage
from workflows.entry import Json
from workflows.errors import ActionFailedError
from workflows.gate import Denial
from workflows.moments import stamp
from workflows.policy import Policy
from workflows.policy_facts import Facts
from workflows.ready import Ready, fitting
from workflows.segment import Segment

RULE = "denied before"  # How an earlier denial is named among the rules of a request.


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """The newest denial of the same thing, and how many there were."""

    newest: Denial
    count: int

    def shown(self) -> dict[str, Json]:
        """Return it as a preview holds it."""
        one = self.newest
        return {
            "by": {"id": one.by_id, "name": one.by_name},
            "at": stamp(one.at),
            "reason": one.reason,
            "run": one.run,
            "workflow": one.workflow,
            "count": self.count,
        }


def memory(policy: Policy, facts: Facts) -> timedelta | None:
    """Return for how long a denial of this is remembered: the longest that anything asks for.

    A rule whose condition cannot be evaluated has its say.
    """
    own, rules = policy.defaults.sticky, [one for one in policy.rules if one.sticky is not None]
    told = policy.told(facts) if rules else {}
    lengths = [one.sticky for one in rules if applies(one.when, told, unsure=True)]
    return max((one for one in (own, *lengths) if one is not None), default=None)


def denied_before(segment: Segment, ready: Ready, facts: Facts) -> Denied | None:
    """Return the denial of the very same thing that still sticks, None if there is none."""
    length = memory(segment.house.policy(), facts)
    if length is None:
        return None
    since = facts.at - length
    asked = segment.house.store.denied_arguments(ready.action.name, since=since)
    same = [request for request, args in asked if is_same(ready, args)]
    if not same:
        return None
    return Denied(newest=segment.house.store.denial(same[0]), count=len(same))


def is_same(ready: Ready, args: bytes) -> bool:
    """Say whether arguments mean the same, be a default written out or left out."""
    found = json.loads(args)
    if found == ready.args:
        return True
    try:
        return isinstance(found, Mapping) and fitting(ready.action, found) == ready.arguments
    except ActionFailedError:
        return False


def asked_as_before(denied: Denied, policy: Policy, workflow: str) -> Demand:
    """Return what is demanded of a step that no rule is about, and that was denied before.

    Those who were asked then are asked again.
    """
    return Demand(
        stages=tuple(_stage(one) for one in denied.newest.stages),
        expires=policy.defaults.expires,
        remind=(),
        needs_reason=False,
        rules=(RULE,),
        exclude=policy.auditors(workflow),
    )


def _stage(data: Mapping[str, Json]) -> DemandStage:
    names = data["from"]
    turn = data.get("turn")
    return DemandStage(
        asked=tuple(map(str, names)) if isinstance(names, Sequence) else (),
        approve=_whole(data["approve"]),
        deny=_whole(data["deny"]),
        turn=turn if isinstance(turn, int) else None,
    )


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 1
