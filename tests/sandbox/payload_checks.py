"""Second opinions on everything the recorder kept: other people's types, not our rules.

The sandbox is ours and could share our mistakes. `complaints_about` runs what the app sent
through Slack's published types and the SDK's models, and what the sandbox delivered through
the types of `slack-events`. A journey ends with `assert complaints_about(recorder) == []`.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from pydantic import ValidationError
from slack_events.validation import payload_type_for, validate_payload
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from sandbox.delivery.envelope import Delivery
from sandbox.recorder import Call, Recorder

Json = dict[str, Any]
SCHEMAS = Path(__file__).parent / "schemas"
# Younger than the types: the sandbox's own rules are the only ones that look at it.
UNTYPED_BLOCKS = frozenset({"data_visualization"})
# Known to Slack's types, but the SDK has no model whose lengths could be asked.
UNMODELLED_BLOCKS = UNTYPED_BLOCKS | {"data_table"}
UNTYPED_DELIVERIES = frozenset({"shortcut", "message_action", "block_suggestion"})


def complaints_about(recorder: Recorder) -> list[str]:
    """Return everything anybody holds against what was sent and delivered."""
    found = [f"{one.where}: {one.what}" for one in recorder.faults]
    for call in recorder.calls(ok=True):
        found += [f"{call.method}: {one}" for one in _of_call(call)]
    for delivery in recorder.deliveries():
        found += [f"{delivery.type}: {one}" for one in _of_delivery(delivery)]
    return found


def _of_call(call: Call) -> list[str]:
    blocks, view = call.arguments.get("blocks"), call.arguments.get("view")
    found = complaints_about_blocks(blocks) if blocks else []
    return found + (complaints_about_view(view) if view else [])


def complaints_about_blocks(blocks: list[Json]) -> list[str]:
    """Return what Slack's types and the SDK's models hold against a message."""
    typed = [one for one in blocks if one["type"] not in UNTYPED_BLOCKS]
    found = [_words(one) for one in _schema("message").iter_errors({"blocks": typed})]
    for block in blocks:
        if block["type"] not in UNMODELLED_BLOCKS:
            found += _lengths(block)
    return found


def _lengths(block: Json) -> list[str]:
    try:
        model = Block.parse(block)
        if model is None:
            return [f"the SDK knows no block {block['type']}"]
        model.to_dict()
    except SlackObjectFormationError as problem:
        return [str(problem)]
    return []


def complaints_about_view(view: Json) -> list[str]:
    """Return what Slack's types and the SDK's models hold against a modal or Home."""
    found = [_words(one) for one in _schema("view").iter_errors(view)]
    try:
        View(**view).to_dict()
    except SlackObjectFormationError as problem:
        found.append(str(problem))
    return found


def _of_delivery(delivery: Delivery) -> list[str]:
    name, subtype, data = delivery.type, None, delivery.payload
    if delivery.kind == "events_api":
        data = delivery.payload["event"]
        subtype = data.get("subtype")
    elif delivery.kind == "slash_commands":
        name = "slash_command"
    if payload_type_for(name, subtype) is None:
        return [] if name in UNTYPED_DELIVERIES else [f"no type for {name} {subtype}"]
    try:
        validate_payload(name, subtype, data)
    except ValidationError as problem:
        return [str(problem)]
    return []


@cache
def _schema(name: str) -> Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    known = {f"#/definitions/{one}": branch for one, branch in schema["definitions"].items()}
    return _Quick(known).of(schema)


class _Quick:
    """Tries, of the many things a block may be, only those that its `type` does not rule out.

    The others would refuse it for its type, each with an error per field that nobody reads.
    """

    def __init__(self, known: Mapping[str, Json]) -> None:
        self._known = known

    def of(self, schema: Json) -> Validator:
        made: Validator = extend(Draft7Validator, {"anyOf": self._any_of})(schema)
        return made

    def _any_of(
        self, validator: Validator, branches: list[Json], instance: object, schema: Json
    ) -> Iterator[Any]:
        if isinstance(instance, dict):
            branches = [one for one in branches if self._may_be(one, instance.get("type"))]
        yield from Draft7Validator.VALIDATORS["anyOf"](validator, branches, instance, schema)

    def _may_be(self, branch: Json, kind: object) -> bool:
        branch = self._known.get(branch.get("$ref", ""), branch)
        if "anyOf" in branch:
            return any(self._may_be(one, kind) for one in branch["anyOf"])
        wanted = branch.get("properties", {}).get("type", {}).get("const")
        return wanted is None or wanted == kind or "type" not in branch["required"]


def _words(problem: Any) -> str:  # noqa: ANN401 - the type jsonschema gives its errors is private.
    return f"{problem.json_path}: {problem.message[:200]}"
