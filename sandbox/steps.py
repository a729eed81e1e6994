"""What a step for Workflow Builder takes and gives, as version 2 of Slack's manifest says it.

That version names the parameters under `properties` and lists those that must be there under
`required`; `is_required` beside a parameter is version 1, which Slack takes only without it.
"""

from collections.abc import Mapping
from typing import Any

SIDES = ("input_parameters", "output_parameters")


def declared(step: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    """Return the parameters of one side of a step, by name."""
    found: Mapping[str, Any] = step[side]["properties"]
    return found


def needed(step: Mapping[str, Any], side: str) -> frozenset[str]:
    """Return the names of those that must be there."""
    return frozenset(step[side].get("required", ()))


def faults_of(steps: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what Slack holds against the steps of a manifest, as it words it."""
    found: list[str] = []
    for name, step in steps.items():
        missing = {"title", "description", *SIDES} - step.keys()
        found += [f"/functions/{name}: must have required property {one}" for one in missing]
        for side in SIDES:
            if side in step and "properties" not in step[side]:
                found.append(f"/functions/{name}/{side}: must have required property properties")
    return sorted(found)
