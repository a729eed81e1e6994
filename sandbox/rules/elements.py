"""Interactive elements: buttons, menus, pickers and inputs, and where each may stand."""

import re
from collections.abc import Mapping
from enum import StrEnum

from sandbox import limits
from sandbox.loose import Unchecked
from sandbox.rules import texts
from sandbox.rules.shapes import (
    Faults,
    Kind,
    Pointer,
    Shape,
    boolean,
    by_type,
    integer,
    list_of,
    nullable,
    one_of,
    shape,
    string,
    units,
    url,
)


class Surface(StrEnum):
    """Where blocks are shown."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


# Where Slack draws what it does not draw everywhere.
_ONLY_ON: Mapping[str, frozenset[Surface]] = {
    "datetimepicker": frozenset({Surface.MESSAGE, Surface.MODAL}),
    "email_text_input": frozenset({Surface.MODAL}),
    "file_input": frozenset({Surface.MODAL}),
    "number_input": frozenset({Surface.MODAL}),
    "url_text_input": frozenset({Surface.MODAL}),
}
_COMMON: dict[str, Kind] = {
    "action_id": texts.identifier,
    "confirm": texts.confirm,
    "focus_on_load": boolean,
}
_PLACEHOLDER: dict[str, Kind] = {"placeholder": texts.plain(limits.PLACEHOLDER)}
_DISPATCH: dict[str, Kind] = {
    "dispatch_action_config": shape(
        {},
        trigger_actions_on=list_of(one_of("on_enter_pressed", "on_character_entered"), most=2),
    )
}


def _matches(pattern: str, what: str) -> Kind:
    compiled = re.compile(pattern)

    def look(value: Unchecked, at: Pointer, faults: Faults) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            faults.add(f"must be a {what}", at)

    return look


_date = _matches(r"\d{4}-\d{2}-\d{2}", "date as YYYY-MM-DD")
_time = _matches(r"([01]\d|2[0-3]):[0-5]\d", "time as HH:mm")


def _lengths_in_order(value: Unchecked, at: Pointer, faults: Faults) -> None:
    least, most = value.get("min_length"), value.get("max_length")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        faults.add("min_length must not be greater than max_length", at)


def _typed_rule(value: Unchecked, at: Pointer, faults: Faults) -> None:
    _lengths_in_order(value, at, faults)
    initial, most = value.get("initial_value"), value.get("max_length")
    if isinstance(initial, str) and isinstance(most, int) and units(initial) > most:
        faults.add(f"must be less than {most + 1} characters", f"{at}/initial_value")


def _number_rule(value: Unchecked, at: Pointer, faults: Faults) -> None:
    numbers = {}
    for name in ("initial_value", "min_value", "max_value"):
        try:
            numbers[name] = float(value[name])
        except KeyError:
            continue
        except (TypeError, ValueError):
            faults.add("must be a number in a string", f"{at}/{name}")
    least, most = numbers.get("min_value"), numbers.get("max_value")
    if least is not None and most is not None and least > most:
        faults.add("min_value must not be greater than max_value", at)


def _menu(kind: str, rule: Kind = lambda *_: None, **own: Kind) -> Shape:
    return shape({"type": one_of(kind)}, rule, **_COMMON, **_PLACEHOLDER, **own)


def _typed(kind: str, rule: Kind = lambda *_: None, **own: Kind) -> Shape:
    return shape({"type": one_of(kind)}, rule, **_COMMON, **_PLACEHOLDER, **_DISPATCH, **own)


button = shape(
    {"type": one_of("button"), "text": texts.plain(limits.BUTTON_TEXT)},
    action_id=texts.identifier,
    confirm=texts.confirm,
    value=string(limits.BUTTON_VALUE),
    url=url,
    style=one_of("primary", "danger"),
    accessibility_label=string(limits.BUTTON_TEXT),
)
_several: dict[str, Kind] = {"max_selected_items": integer(1, 1_000)}
_ids = list_of(string(limits.IDENTIFIER), most=limits.OPTIONS)


def _narrows(value: Unchecked, at: Pointer, faults: Faults) -> None:
    if not value:
        faults.add("must provide at least one property", at)


_filter = shape(
    {},
    _narrows,
    include=list_of(one_of("im", "mpim", "private", "public"), most=4),
    exclude_external_shared_channels=boolean,
    exclude_bot_users=boolean,
)
_conversations: dict[str, Kind] = {
    "default_to_current_conversation": boolean,
    "filter": _filter,
}
_choices: dict[str, Kind] = {
    "options": texts.options,
    "option_groups": texts.option_groups,
}
_initials = list_of(texts.menu_option, most=limits.OPTIONS)


def _several_rule(value: Unchecked, at: Pointer, faults: Faults) -> None:
    texts.options_or_groups(value, at, faults)
    texts.initials_among_options(value, at, faults)


MENUS: dict[str, Kind] = {
    "static_select": _menu(
        "static_select",
        texts.initial_among_options,
        **_choices,
        initial_option=texts.menu_option,
    ),
    "multi_static_select": _menu(
        "multi_static_select", _several_rule, **_choices, **_several, initial_options=_initials
    ),
    "external_select": _menu(
        "external_select",
        min_query_length=integer(0, 100),
        initial_option=texts.menu_option,
    ),
    "multi_external_select": _menu(
        "multi_external_select",
        min_query_length=integer(0, 100),
        initial_options=_initials,
        **_several,
    ),
    "users_select": _menu("users_select", initial_user=string(limits.IDENTIFIER)),
    "multi_users_select": _menu("multi_users_select", initial_users=_ids, **_several),
    "conversations_select": _menu(
        "conversations_select",
        **_conversations,
        initial_conversation=string(limits.IDENTIFIER),
    ),
    "multi_conversations_select": _menu(
        "multi_conversations_select", **_conversations, **_several, initial_conversations=_ids
    ),
    "channels_select": _menu("channels_select", initial_channel=string(limits.IDENTIFIER)),
    "multi_channels_select": _menu("multi_channels_select", initial_channels=_ids, **_several),
}
# The app may answer where the menu of a form leads; nowhere else is there such a field.
_ANSWERED: dict[str, Kind] = {
    "conversations_select": _menu(
        "conversations_select",
        **_conversations,
        initial_conversation=string(limits.IDENTIFIER),
        response_url_enabled=boolean,
    ),
    "channels_select": _menu(
        "channels_select",
        initial_channel=string(limits.IDENTIFIER),
        response_url_enabled=boolean,
    ),
}
PICKERS: dict[str, Kind] = {
    "datepicker": _menu("datepicker", initial_date=_date),
    "timepicker": _menu("timepicker", initial_time=_time, timezone=string(limits.IDENTIFIER)),
    "checkboxes": shape(
        {
            "type": one_of("checkboxes"),
            "options": list_of(texts.checked_option, most=limits.CHECKED_OPTIONS),
        },
        texts.initials_among_options,
        **_COMMON,
        initial_options=list_of(texts.checked_option, most=limits.CHECKED_OPTIONS),
    ),
    "radio_buttons": shape(
        {
            "type": one_of("radio_buttons"),
            "options": list_of(texts.checked_option, most=limits.CHECKED_OPTIONS),
        },
        texts.initial_among_options,
        **_COMMON,
        initial_option=texts.checked_option,
    ),
}
# Fits beside no text: an actions or an input block alone takes it.
_MOMENT: dict[str, Kind] = {
    "datetimepicker": shape(
        {"type": one_of("datetimepicker")},
        **_COMMON,
        initial_date_time=integer(1_000_000_000, 9_999_999_999),
    )
}
_length: dict[str, Kind] = {
    "min_length": integer(0, limits.INPUT_LENGTH),
    "max_length": integer(1, limits.INPUT_LENGTH),
}
INPUTS: dict[str, Kind] = {
    "plain_text_input": _typed(
        "plain_text_input",
        _typed_rule,
        multiline=boolean,
        initial_value=nullable(string(limits.INPUT_LENGTH, least=0)),
        **_length,
    ),
    "number_input": shape(
        {"type": one_of("number_input"), "is_decimal_allowed": boolean},
        _number_rule,
        **_COMMON,
        **_PLACEHOLDER,
        **_DISPATCH,
        initial_value=string(limits.INPUT_LENGTH),
        min_value=string(limits.INPUT_LENGTH),
        max_value=string(limits.INPUT_LENGTH),
    ),
    "file_input": shape(
        {"type": one_of("file_input")},
        action_id=texts.identifier,
        filetypes=list_of(string(limits.FILE_TYPE), most=limits.FILE_TYPES),
        max_files=integer(1, limits.FILES),
    ),
    "email_text_input": _typed("email_text_input", initial_value=string(limits.INPUT_LENGTH)),
    "url_text_input": _typed("url_text_input", initial_value=string(limits.INPUT_LENGTH)),
}
OVERFLOW: dict[str, Kind] = {
    "overflow": shape(
        {
            "type": one_of("overflow"),
            "options": list_of(texts.overflow_option, most=limits.OVERFLOW_OPTIONS),
        },
        action_id=texts.identifier,
        confirm=texts.confirm,
    )
}


def _one_picture(value: Unchecked, at: Pointer, faults: Faults) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        faults.add("must provide either image_url or slack_file", at)


def _one_name(value: Unchecked, at: Pointer, faults: Faults) -> None:
    if ("id" in value) == ("url" in value):
        faults.add("must provide either id or url", at)


slack_file = shape({}, _one_name, id=string(limits.IDENTIFIER), url=url)
image_element = shape(
    {"type": one_of("image"), "alt_text": string(limits.ALT_TEXT)},
    _one_picture,
    image_url=url,
    slack_file=slack_file,
)
BUTTON: dict[str, Kind] = {"button": button}
in_section = by_type({**BUTTON, **MENUS, **PICKERS, **OVERFLOW, "image": image_element})


def in_actions(surface: Surface) -> Kind:
    """Accept what an actions block may hold there."""
    return _shown_on(surface, {**BUTTON, **MENUS, **PICKERS, **_MOMENT, **OVERFLOW})


def in_input(surface: Surface) -> Kind:
    """Accept what an input block may hold there."""
    menus = {**MENUS, **_ANSWERED} if surface is Surface.MODAL else MENUS
    return _shown_on(surface, {**menus, **PICKERS, **_MOMENT, **INPUTS})


def _shown_on(surface: Surface, kinds: Mapping[str, Kind]) -> Kind:
    return by_type(
        {name: kind for name, kind in kinds.items() if surface in _ONLY_ON.get(name, Surface)}
    )
