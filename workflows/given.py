"""Values as a run or a question takes them: read strictly, then held against the world.

People, groups, channels and files are looked up, so that what is stored names something that
exists; a choice is asked for once more, so that nobody sends one that was never offered.
"""

from collections.abc import Callable, Iterable, Mapping

from workflows.choosing import is_offered
from workflows.definition_inputs import (
    ChannelInput,
    FileInput,
    GroupInput,
    Input,
    ListInput,
    TextInput,
    UserInput,
)
from workflows.definition_options import Options
from workflows.entry import Json
from workflows.errors import (
    ActionError,
    InputsError,
    InputsUnreadableError,
    PeopleUnreadableError,
    SecretError,
)
from workflows.house import House
from workflows.input_values import read_inputs

UNREAD = "its choices could not be read just now; try again in a moment"

_Settle = Callable[[House, Input, Json], Json]


def read_given(
    house: House, inputs: Mapping[str, Input], raw: Mapping[str, object]
) -> dict[str, Json]:
    """Return a value for every input, checked against what Slack and services know.

    Raises:
        InputsError: some do not fit; it says for each field why.
        InputsUnreadableError: whether they fit could not be found out just now.
    """
    values = _each(house, inputs, read_inputs(inputs, raw), _named)
    return _each(house, inputs, values, _chosen)


def named_inputs(
    house: House, inputs: Mapping[str, Input], raw: Mapping[str, object]
) -> dict[str, Json]:
    """Return a value for every input, as `read_given`, but believe what was chosen.

    Raises:
        InputsError, InputsUnreadableError: as `read_given`.
    """
    return _each(house, inputs, read_inputs(inputs, raw), _named)


def bare(inputs: Mapping[str, Input], values: Mapping[str, Json]) -> dict[str, Json]:
    """Return values without names that may change: of what Slack names, the id alone."""
    return {name: _bare(inputs.get(name), value) for name, value in values.items()}


def _bare(spec: Input | None, value: Json) -> Json:
    if isinstance(spec, ListInput) and isinstance(value, list):
        return [_bare(spec.of, one) for one in value]
    return value.get("id") if isinstance(value, dict) else value


def _each(
    house: House, inputs: Mapping[str, Input], values: Mapping[str, Json], settle: _Settle
) -> dict[str, Json]:
    found: dict[str, Json] = {}
    wrong: dict[str, str] = {}
    unread: dict[str, str] = {}
    for name, spec in inputs.items():
        try:
            found[name] = settle(house, spec, values[name])
        except ValueError as error:
            wrong[name] = str(error)
        except (PeopleUnreadableError, ActionError, SecretError) as error:
            is_people = isinstance(error, PeopleUnreadableError)
            unread[name] = error.message if is_people else UNREAD
    if wrong:
        raise InputsError({**wrong, **unread})
    if unread:
        raise InputsUnreadableError(unread, hint="Nothing was started. Try again in a moment.")
    return found


def _named(house: House, spec: Input, value: Json) -> Json:
    if value is None:
        return None
    if isinstance(spec, ListInput):
        return [_named(house, spec.of, one) for one in _items(value)]
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
    for one in _items(value) if isinstance(spec, ListInput) else [value]:
        _refuse_unoffered(house, options, str(one))
    return value


def _refuse_unoffered(house: House, options: Options, value: str) -> None:
    if not is_offered(house, options, value):
        raise ValueError(f"{value} is not offered any more; choose another")


def _items(value: Json) -> Iterable[Json]:
    return value if isinstance(value, list) else [value]
