"""Text objects, options and confirm dialogs: the pieces blocks are made of."""

from typing import Any

from sandbox import limits
from sandbox.loose import Unchecked
from sandbox.rules.shapes import (
    Faults,
    Kind,
    Pointer,
    boolean,
    by_type,
    list_of,
    one_of,
    shape,
    string,
    url,
)

identifier = string(limits.IDENTIFIER)


def plain(most: int) -> Kind:
    """Accept a `plain_text` object of at most `most` characters."""
    return shape({"type": one_of("plain_text"), "text": string(most)}, emoji=boolean)


def either(most: int) -> Kind:
    """Accept a `plain_text` or an `mrkdwn` object of at most `most` characters."""
    marked = shape({"type": one_of("mrkdwn"), "text": string(most)}, verbatim=boolean)
    return by_type({"plain_text": plain(most), "mrkdwn": marked})


confirm = shape(
    {
        "title": plain(limits.CONFIRM_TITLE),
        "text": either(limits.CONFIRM_TEXT),
        "confirm": plain(limits.CONFIRM_BUTTON),
        "deny": plain(limits.CONFIRM_BUTTON),
    },
    style=one_of("primary", "danger"),
)


def option(words: Kind, **others: Kind) -> Kind:
    """Accept one choice: its text and its description are of the same kind."""
    return shape({"text": words, "value": string(limits.OPTION_VALUE)}, description=words, **others)


menu_option = option(plain(limits.OPTION_TEXT))
checked_option = option(either(limits.OPTION_TEXT))
overflow_option = option(plain(limits.OPTION_TEXT), url=url)
options = list_of(menu_option, most=limits.OPTIONS)
option_groups = list_of(
    shape({"label": plain(limits.OPTION_TEXT), "options": options}), most=limits.OPTION_GROUPS
)


def options_or_groups(value: Unchecked, at: Pointer, faults: Faults) -> None:
    """Ask for exactly one of `options` and `option_groups`."""
    if ("options" in value) == ("option_groups" in value):
        faults.add("must provide either options or option_groups", at)


def initial_among_options(value: Unchecked, at: Pointer, faults: Faults) -> None:
    """Ask that what is chosen at first is one of the choices."""
    options_or_groups(value, at, faults)
    chosen = value.get("initial_option")
    if chosen is not None and chosen not in every_option(value):
        faults.add("initial_option must match one of the options", f"{at}/initial_option")


def initials_among_options(value: Unchecked, at: Pointer, faults: Faults) -> None:
    """Ask that each of those chosen at first is one of the choices."""
    chosen = value.get("initial_options")
    if isinstance(chosen, list) and any(one not in every_option(value) for one in chosen):
        faults.add("initial_options must match the options", f"{at}/initial_options")


def every_option(element: dict[str, Any]) -> list[Any]:
    """Return the choices of an element, those in groups included."""
    direct = element.get("options")
    groups = element.get("option_groups")
    found = list(direct) if isinstance(direct, list) else []
    for group in groups if isinstance(groups, list) else []:
        inside = group.get("options") if isinstance(group, dict) else None
        found.extend(inside if isinstance(inside, list) else [])
    return found
