"""What Slack asks of a modal and of a Home."""

import json
from typing import Any

from sandbox import limits
from sandbox.errors import SlackError
from sandbox.loose import Unchecked
from sandbox.rules import texts
from sandbox.rules.blocks import check_view_blocks
from sandbox.rules.elements import Surface
from sandbox.rules.shapes import (
    Faults,
    Pointer,
    anything,
    boolean,
    by_type,
    one_of,
    shape,
    string,
)

_title = texts.plain(limits.VIEW_TITLE)
_common = {
    "private_metadata": string(limits.PRIVATE_METADATA, least=0),
    "callback_id": string(limits.IDENTIFIER, least=0),
    "external_id": string(limits.IDENTIFIER, least=0),
}


def _submit_with_inputs(value: Unchecked, at: Pointer, faults: Faults) -> None:
    blocks = value.get("blocks")
    kinds = [one.get("type") for one in blocks if isinstance(one, dict)] if blocks else []
    if "input" in kinds and "submit" not in value:
        faults.add("missing required field: submit (a modal with inputs needs it)", at)


_view = by_type(
    {
        "modal": shape(
            {"type": one_of("modal"), "title": _title, "blocks": anything},
            _submit_with_inputs,
            **_common,
            submit=_title,
            close=_title,
            clear_on_close=boolean,
            notify_on_close=boolean,
        ),
        "home": shape({"type": one_of("home"), "blocks": anything}, **_common),
    }
)


def check_view(view: Unchecked, *, kind: str) -> dict[str, Any]:
    """Return the view when Slack would take it as a `kind`.

    Raises:
        SlackError: `invalid_arguments` with JSON pointers, or `view_too_large`.
    """
    if not isinstance(view, dict):
        raise SlackError(
            "invalid_arguments", ["[ERROR] must provide an object [json-pointer:/view]"]
        )
    if len(json.dumps(view).encode()) > limits.VIEW_BYTES:
        raise SlackError("view_too_large")
    faults = Faults()
    _view(view, "/view", faults)
    check_view_blocks(view.get("blocks", []), Surface(kind), faults)
    if view.get("type") != kind:
        faults.add(f"must be a {kind}", "/view/type")
    if faults.messages:
        raise SlackError("invalid_arguments", faults.messages)
    return view
