"""The workflows that Interlock brings for its own changes: each has one gated step.

They belong to the governors that the policy names, and no file can take their names.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from workflows.definition import Definition
from workflows.entry import Json

OWN: Final = "interlock-"  # How their names begin.
PUBLISH: Final = "interlock-publish"
RETIRE: Final = "interlock-retire"
POLICY: Final = "interlock-policy"
ACCESS_REVIEW: Final = "access-review"  # Made by `access_review`.

# The line of a plan after which everything is told that was told in short before.
IN_FULL: Final = "In full:"
# Titles of inputs that the plan of a proposal tells too.
TOLD_BY_PLAN: Final = frozenset({"Workflow", "Replaces", "Checks"})

_DIGEST = {"type": "string", "max_length": 64}
_WORDS = {"type": "string", "required": False, "max_length": 3000, "multiline": True}
_REPLACES = {**_DIGEST, "required": False, "title": "Replaces"}
_AUTHOR = {"type": "string", "required": False, "title": "Written by", "max_length": 81}
_ORIGIN = {"type": "string", "required": False, "title": "From", "max_length": 700}
_NAME = {"type": "string", "title": "Workflow", "max_length": 64}


def own_workflows(governors: Sequence[str]) -> tuple[Definition, ...]:
    """Return them, as those who govern answer for them."""
    people = {"owner": governors[0], "deputy": governors[-1], "run_by": list(governors)}
    return (_publish(people), _retire(people), _policy(people))


def is_own(name: str) -> bool:
    """Say whether a name is kept for these."""
    return name.startswith(OWN)


def is_ours(name: str) -> bool:
    """Say whether a workflow guards others: one of these, or the review of access."""
    return is_own(name) or name == ACCESS_REVIEW


def run_title(definition: Definition, inputs: Mapping[str, Json]) -> str:
    """Return what a run is called in front of people: one of these by what it proposes."""
    if not is_own(definition.workflow) or not inputs:  # They may be erased.
        return definition.title
    workflow, replaces = str(inputs.get("workflow")), inputs.get("replaces")
    if definition.workflow == PUBLISH:
        before = None if replaces is None else str(replaces)
        return publication_title(workflow, str(inputs.get("version")), before)
    if definition.workflow == RETIRE:
        return f"Retire {workflow}"
    return f"{definition.title} to {str(inputs.get('policy'))[:8]}"


def publication_title(workflow: str, version: str, replaces: str | None) -> str:
    """Name a proposed version, and the one that it would replace."""
    if replaces is None:
        return f"Publish {workflow}: version {version[:8]}"
    if replaces == version:
        return f"Change {workflow}: version {version[:8]} with other code"
    return f"Change {workflow}: version {version[:8]} in place of {replaces[:8]}"


def _publish(people: Mapping[str, object]) -> Definition:
    inputs = {
        "workflow": _NAME,
        "version": {**_DIGEST, "title": "Version"},
        "replaces": _REPLACES,
        "reason": {**_WORDS, "title": "Why"},
        "author": _AUTHOR,
        "origin": _ORIGIN,
        "notes": {**_WORDS, "title": "Checks"},
    }
    given = ("workflow", "version", "replaces", "author", "origin", "notes")
    return _definition(PUBLISH, "Publish a workflow", people, inputs, given)


def _retire(people: Mapping[str, object]) -> Definition:
    inputs = {
        "workflow": _NAME,
        "version": {**_DIGEST, "title": "Version"},
        "reason": {**_WORDS, "title": "Why", "required": True},
    }
    return _definition(RETIRE, "Retire a workflow", people, inputs, ("workflow", "version"))


def _policy(people: Mapping[str, object]) -> Definition:
    inputs = {
        "policy": {**_DIGEST, "title": "Policy"},
        "replaces": {**_DIGEST, "title": "Replaces"},
        "reason": {**_WORDS, "title": "Why"},
        "author": _AUTHOR,
        "origin": _ORIGIN,
    }
    given = ("policy", "replaces", "author")
    return _definition(POLICY, "Change the policy", people, inputs, given)


def _definition(
    name: str,
    title: str,
    people: Mapping[str, object],
    inputs: dict[str, dict[str, object]],
    given: Sequence[str],
) -> Definition:
    action = name.removeprefix(OWN)
    step = {
        "id": action,
        "uses": f"interlock.{action}",
        "with": {one: "${{ inputs.%s }}" % one for one in given},  # noqa: UP031 - braces.
        "undo": "none",
    }
    said = {"workflow": name, "title": title, **people, "inputs": inputs, "steps": [step]}
    return Definition.model_validate_json(json.dumps(said))
