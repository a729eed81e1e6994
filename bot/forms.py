"""A definition's inputs as a form: blocks to fill in, the values that come back, field errors.

Values are passed on as they were typed; `workflows.input_values` reads them strictly, on the
server, by the same rules for forms, commands and triggers. Block ids carry the definition's
version, so that an answer to an older form is not taken for one to the present form.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from slack_sdk.models.blocks import Block, InputBlock

from bot import limits
from bot.form_choices import FIELD, SEARCH, choice_of
from bot.form_fields import field_for, start_of
from bot.form_hints import hint_for, is_left_to_default
from bot.views.pieces import plain, section
from bot.wording import bold, clip, escape, length, one_line
from workflows.definition import Definition
from workflows.definition_inputs import Input, ListInput
from workflows.errors import InputsError
from workflows.moments import second

_PREFILL = 40_000  # Characters filled in beforehand; a modal holds 250 KB in all.
_ERRORS_SHOWN = 20


class Asks(Protocol):
    """Whatever asks for values: a definition, or a question of a run."""

    @property
    def inputs(self) -> Mapping[str, Input]:
        """The fields by their names."""

    @property
    def version(self) -> str:
        """What tells its fields from those of another version, or another question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """What a form remembers of how it was opened. It comes back through the client."""

    workflow: str
    version: str
    channel: str = ""
    revision: int = 0
    source: str = ""  # The message that a shortcut was used on, by its address.

    @property
    def metadata(self) -> str:
        """Return it as `private_metadata`."""
        told = [self.workflow, self.version, self.channel, self.revision]
        return json.dumps([*told, self.source] if self.source else told)

    @classmethod
    def read(cls, metadata: str) -> Self:
        """Return what `metadata` wrote.

        Raises:
            ValueError: it was not written by us.
        """
        parts = json.loads(metadata)
        kinds = [type(one) for one in parts] if isinstance(parts, list) else []
        if kinds not in ([str, str, str, int], [str, str, str, int, str]):
            raise ValueError("this is no form of ours")
        workflow, version, channel, revision, *more = parts
        return cls(
            workflow=workflow,
            version=version,
            channel=channel,
            revision=revision,
            source=next(iter(more), ""),
        )


def state_of(
    definition: Definition, *, channel: str = "", revision: int = 0, source: str = ""
) -> FormState:
    """Return the state of a form for `definition`."""
    return FormState(
        workflow=definition.workflow,
        version=definition.version,
        channel=channel,
        revision=revision,
        source=source,
    )


def block_id(asks: Asks, name: str, *, revision: int = 0) -> str:
    """Return the id of an input's block; each drawing of a form has its own."""
    return f"{name}.{asks.version[:8]}.{revision}"


def blocks_for(
    asks: Asks,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, object] | None = None,
    *,
    revision: int = 0,
) -> list[Block]:
    """Return one block for each input, filled with `values`, what is wrong with them on top."""
    given, room = dict(values or {}), _PREFILL
    blocks: list[Block] = list(_faults(asks, errors or {}))
    for name, spec in asks.inputs.items():
        start = start_of(spec, given.get(name))
        room -= length(start)
        blocks.append(
            InputBlock(
                block_id=block_id(asks, name, revision=revision),
                label=plain(one_line(spec.title or name), limits.LABEL),
                hint=plain(hint_for(spec), limits.HINT) if hint_for(spec) else None,
                optional=not spec.required or is_left_to_default(spec),
                element=field_for(spec, start if room >= 0 else ""),
            )
        )
    return blocks


def _faults(asks: Asks, errors: Mapping[str, str]) -> Iterator[Block]:
    lines = [
        f"• {bold(_title(asks, name), 100)} {escape(one_line(why), 300)}"
        for name, why in list(errors.items())[:_ERRORS_SHOWN]
    ]
    half = _ERRORS_SHOWN // 4
    for start in range(0, len(lines), half):
        first = "⚠️ These do not fit:\n" if start == 0 else ""
        yield section(first + "\n".join(lines[start : start + half]))
    if len(errors) > len(lines):
        yield section(f"… and {len(errors) - len(lines)} more")


def _title(asks: Asks, name: str) -> str:
    spec = asks.inputs.get(name)
    return (spec.title if spec is not None else None) or name


def values_from(state: Mapping[str, Any], asks: Asks) -> dict[str, object]:
    """Return what was filled in, by input; `state` is the `state` of a submitted view.

    Fields left open are missing. Nothing is checked here but that the fields are ours.
    """
    found: dict[str, object] = {}
    for block, fields in (state.get("values") or {}).items():
        name = str(block).partition(".")[0]
        spec, field = asks.inputs.get(name), fields.get(FIELD) or fields.get(SEARCH) or {}
        value = _filled(spec, field) if spec is not None else None
        if value is not None:
            found[name] = value
    return found


def _filled(spec: Input, field: Mapping[str, Any]) -> object:
    """Return what a field holds, None where it was left open."""
    if isinstance(spec, ListInput):
        return _several(spec, field) or None
    at = field.get("selected_date_time")
    if at is not None:
        return second(datetime.fromtimestamp(int(at), UTC))
    chosen = (field.get("selected_option") or {}).get("value")
    files = [one.get("id") for one in field.get("files") or ()]
    value = chosen or next(iter(files), None) or next(filter(None, map(field.get, _HELD)), None)
    return choice_of(spec, str(value)) if value not in (None, "") else None


_HELD = ("value", "selected_date", "selected_user", "selected_conversation")


def _several(spec: ListInput, field: Mapping[str, Any]) -> list[str]:
    """Return the items of a list: what was chosen, or each line that was written."""
    chosen = [str(one.get("value")) for one in field.get("selected_options") or ()]
    named = field.get("selected_users") or field.get("selected_conversations") or ()
    lines = str(field.get("value") or "").splitlines()
    written = [line.strip() for line in lines if line.strip()]
    return [choice_of(spec.of, one) for one in [*chosen, *map(str, named), *written]]


def field_errors(error: InputsError, asks: Asks, *, revision: int = 0) -> dict[str, str]:
    """Return a hint for each block at fault, for `ack(response_action="errors")`.

    A fault that belongs to no field stands at the first one, since Slack knows no other place.
    """
    names = list(asks.inputs)
    hints: dict[str, str] = {}
    for name, why in error.fields.items():
        is_field = name in asks.inputs
        at = block_id(asks, name if is_field else (names or [name])[0], revision=revision)
        told = one_line(why if is_field else f"{name}: {why}")
        hints[at] = clip("; ".join([hints[at], told] if at in hints else [told]), limits.HINT)
    return hints
