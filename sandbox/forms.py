"""Filling in forms as a Slack client does: find the field, take the value, hold back mistakes."""

from collections.abc import Callable, Mapping
from datetime import date

from sandbox import limits
from sandbox.errors import NotPossibleError
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.records import File, View
from sandbox.rules.shapes import units
from sandbox.rules.texts import every_option
from sandbox.screens import elements_of, empty_value
from sandbox.wire import file_object
from sandbox.words import find_channel, find_user

REQUIRED = "Please complete this required field."


def find_field(blocks: list[Json], name: str) -> tuple[Json, Json]:
    """Return block and element of the field with this block id, else label, else action id.

    Raises:
        NotPossibleError: no such field, or more than one.
    """
    fields = [
        (block, element)
        for block in blocks
        for element in elements_of(block)
        if element["type"] != "button"
    ]
    found = (
        [one for one in fields if one[0].get("block_id") == name]
        or [one for one in fields if _label(*one) == name]
        or [one for one in fields if one[1].get("action_id") == name]
    )
    if len(found) != 1:
        shown = [_label(*one) for one in fields]
        raise NotPossibleError(f"{len(found)} fields called {name!r}; there are {shown}")
    return found[0]


def _label(block: Json, element: Json) -> str:
    if block["type"] == "input":
        return str(block["label"]["text"])
    words = element.get("placeholder") or block.get("text") or {}
    return str(words.get("text", element.get("action_id")))


def value_for(hub: Hub, element: Json, value: Unchecked, *, user: str) -> Json:
    """Return the state an element has once `user` chose or typed `value`.

    A file is `{"name", "content"}`, or the name alone; several are a list.

    Raises:
        NotPossibleError: the client offers no such choice.
    """
    kind = element["type"]
    made: Json = {"type": kind} | empty_value(kind)
    if value is None or value == "":
        return made
    name = next(iter(empty_value(kind)))
    if name in {"selected_option", "selected_options"}:
        made[name] = _options(element, value, several=name.endswith("s"))
    elif kind.startswith("multi_"):
        made[name] = [_named(hub, kind, str(one)) for one in value]
    elif kind in {"users_select", "conversations_select", "channels_select"}:
        made[name] = _named(hub, kind, str(value))
    elif kind == "datetimepicker":
        made[name] = int(value)
    elif kind == "file_input":
        made[name] = [_uploaded(hub, user, one) for one in _several(value)]
    else:
        made[name] = str(value)
    return made


def _several(value: Unchecked) -> list[Unchecked]:
    return value if isinstance(value, list) else [value]


def _uploaded(hub: Hub, user: str, given: Unchecked) -> Json:
    """Upload a file as the client does, the moment it is chosen."""
    wanted = given if isinstance(given, dict) else {"name": str(given)}
    content = str(wanted.get("content", "a file\n")).encode()
    if len(content) > limits.FILE_BYTES:
        raise NotPossibleError("a form takes files of at most 10 MB")
    file = File(
        id=hub.state.next_id("F"),
        team=hub.settings.team,
        user=user,
        name=str(wanted["name"]),
        size=len(content),
        token=hub.state.next_id("", 32),
        content=content,
        completed=True,
        in_form=True,
    )
    hub.state.files[file.id] = file
    return file_object(hub.state, file)


def _options(element: Json, value: Unchecked, *, several: bool) -> Unchecked:
    wanted = value if several else [value]
    chosen = [_option(element, one) for one in wanted]
    return chosen if several else chosen[0]


def _option(element: Json, wanted: Unchecked) -> Json:
    if isinstance(wanted, dict):
        return wanted  # A choice that came from a search, as the app offered it.
    for option in every_option(element):
        if str(wanted) in {option["value"], option["text"]["text"]}:
            return {
                name: option[name] for name in ("text", "value", "description") if name in option
            }
    offered = [option["text"]["text"] for option in every_option(element)]
    raise NotPossibleError(f"no choice {wanted!r}; there are {offered}")


def _named(hub: Hub, kind: str, name: str) -> str:
    user = find_user(hub.state, name) if "channels" not in kind else None
    found = user or (find_channel(hub.state, name) if "users" not in kind else None)
    if found is None:
        raise NotPossibleError(f"nobody and nothing is called {name!r}")
    return found.id


def mistakes(view: View) -> dict[str, str]:
    """Return what a client says beside each field before it lets a form go."""
    found: dict[str, str] = {}
    for block in view.content["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = view.values.get(block["block_id"], {}).get(element["action_id"], {})
        if hint := _mistake(element, state, optional=bool(block.get("optional"))):
            found[block["block_id"]] = hint
    return found


def _mistake(element: Json, state: Mapping[str, Unchecked], *, optional: bool) -> str | None:
    value = next((item for name, item in state.items() if name != "type"), None)
    if value in (None, "", []):
        return None if optional else REQUIRED
    look = _LOOKS.get(element["type"], _too_many)
    return look(element, value)


def _length(element: Json, value: str) -> str | None:
    least, most = element.get("min_length", 0), element.get("max_length", 3_000)
    if units(value) < least:
        return f"Please enter at least {least} characters."
    if units(value) > most:
        return f"Please enter at most {most} characters."
    return None


def _number(element: Json, value: str) -> str | None:
    try:
        number = float(value) if element["is_decimal_allowed"] else int(value)
    except ValueError:
        return "Please enter a valid number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return None


def _date(_element: Json, value: str) -> str | None:
    try:
        date.fromisoformat(value)
    except ValueError:
        return "Please enter a valid date."
    return None


def _too_many(element: Json, value: Unchecked) -> str | None:
    most = element.get("max_selected_items")
    if most and isinstance(value, list) and len(value) > most:
        return f"Please choose at most {most}."
    return None


def _files(element: Json, value: list[Json]) -> str | None:
    if len(value) > element.get("max_files", limits.FILES):
        return "Too many files."
    types = element.get("filetypes")
    if types and any(one["filetype"] not in types for one in value):
        return f"Please choose a file of type {', '.join(types)}."
    return None


def _email(_element: Json, value: str) -> str | None:
    return None if "@" in value else "Please enter a valid email address."


def _url(_element: Json, value: str) -> str | None:
    return None if "://" in value else "Please enter a valid URL."


_LOOKS: dict[str, Callable[[Json, Unchecked], str | None]] = {
    "plain_text_input": _length,
    "number_input": _number,
    "email_text_input": _email,
    "url_text_input": _url,
    "datepicker": _date,
    "file_input": _files,
}
