"""Values as a run or a question takes them: read strictly, then held against the world.

People, groups, channels and files are looked up, so that what is stored names something that
exists; a choice is asked for once more, so that nobody sends one that was never offered.
"""

from collections.abc import Callable, Iterable, Mapping

from workflows.choosing import unoffered
from workflows.definition_inputs import (
    ChannelInput,
    FileInput,
    GroupInput,
    Input,
    ListInput,
    TextInput,
    UserInput,
)
from workflows.entry import Json
from workflows.errors import (
    ActionError,
    InputsUnreadableError,
    PeopleUnreadableError,
    SecretError,
)
from workflows.house import House
from workflows.input_values import read_inputs

UNREAD = "its choices could not be read just now; try again in a moment"


def read_given(
    house: House, inputs: Mapping[str, Input], raw: Mapping[str, object]
) -> dict[str, Json]:
    """Return a value for every input, checked against what Slack and services know.

    Raises:
        InputsError: some do not fit; it says for each field why.
        InputsUnreadableError: whether they fit could not be found out just now.
    """
    return _read(inputs, raw, lambda spec, value: _chosen(house, spec, _named(house, spec, value)))


def named_inputs(
    house: House, inputs: Mapping[str, Input], raw: Mapping[str, object]
) -> dict[str, Json]:
    """Return a value for every input, as `read_given`, but believe what was chosen.

    Raises:
        InputsError, InputsUnreadableError: as `read_given`.
    """
    return _read(inputs, raw, lambda spec, value: _named(house, spec, value))


def _read(
    inputs: Mapping[str, Input],
    raw: Mapping[str, object],
    look: Callable[[Input, Json], Json],
) -> dict[str, Json]:
    unread: dict[str, str] = {}

    def settle(name: str, spec: Input, value: Json) -> Json:
        try:
            return look(spec, value)
        except PeopleUnreadableError as error:
            unread[name] = error.message
        except (ActionError, SecretError):
            unread[name] = UNREAD
        return None

    found = read_inputs(inputs, raw, settle=settle)
    if unread:
        raise InputsUnreadableError(unread, hint="Nothing was recorded. Try again in a moment.")
    return found


def bare(inputs: Mapping[str, Input], values: Mapping[str, Json]) -> dict[str, Json]:
    """Return values without names that may change: of what Slack names, the id alone."""
    return {name: _bare(inputs.get(name), value) for name, value in values.items()}


def _bare(spec: Input | None, value: Json) -> Json:
    if isinstance(spec, ListInput) and isinstance(value, list):
        return [_bare(spec.of, one) for one in value]
    return value.get("id") if isinstance(value, dict) else value


def _named(house: House, spec: Input, value: Json) -> Json:
    if value is None:
        return None
    if isinstance(spec, ListInput):
        return [_item(house, spec.of, one, at) for at, one in enumerate(_items(value), start=1)]
    known, text = house.references, str(value)
    match spec:
        case UserInput():
            return known.user(text).value
        case GroupInput():
            return known.group(text).value
        case ChannelInput():
            return known.channel(text).value
        case FileInput():
            return _file(house, spec, text)
    return value


def _item(house: House, spec: Input, value: Json, at: int) -> Json:
    try:
        return _named(house, spec, value)
    except ValueError as error:
        raise ValueError(f"item {at}: {error}") from error


def _file(house: House, spec: FileInput, text: str) -> Json:
    found = house.references.file(text)
    if spec.types is not None and found.type not in spec.types:
        raise ValueError(f"must be a file of type {' or '.join(spec.types)}")
    if spec.max_bytes is not None and found.size > spec.max_bytes:
        raise ValueError(f"has {found.size:,} bytes, at most {spec.max_bytes:,}")
    return found.value


def _chosen(house: House, spec: Input, value: Json) -> Json:
    inner = spec.of if isinstance(spec, ListInput) else spec
    options = inner.options if isinstance(inner, TextInput) else None
    if options is None or value is None:
        return value
    chosen = _items(value) if isinstance(spec, ListInput) else [value]
    odd = unoffered(house, options, [str(one) for one in chosen])
    if odd is not None:
        raise ValueError(f"{odd} is not offered any more; choose another")
    return value


def _items(value: Json) -> Iterable[Json]:
    return value if isinstance(value, list) else [value]
