"""Fields in which somebody chooses: words, people, groups, channels, one of them or several.

Up to a hundred words stand in the menu itself. More of them, user groups, and what a service
offers are asked for while somebody types (`SEARCH`); answering is for `suggesting`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ConversationFilter,
    ConversationMultiSelectElement,
    ConversationSelectElement,
    ExternalDataMultiSelectElement,
    ExternalDataSelectElement,
    InputInteractiveElement,
    Option,
    StaticMultiSelectElement,
    StaticSelectElement,
    UserMultiSelectElement,
    UserSelectElement,
)

from bot import limits
from bot.views.pieces import plain
from bot.wording import length, one_line
from workflows.definition_inputs import (
    ChannelInput,
    EnumInput,
    GroupInput,
    Input,
    ListInput,
    TextInput,
    UserInput,
)
from workflows.input_names import channel_in, user_in

FIELD = "value"  # The action id of the one field in each block.
SEARCH = "form.options"  # That of a field whose choices are asked for.
_WORDS = {
    UserInput: "Choose a person",
    GroupInput: "Search a user group",
    ChannelInput: "Choose a channel",
}


def is_searched(spec: Input) -> bool:
    """Say whether the choices of a field are asked for while somebody types."""
    if isinstance(spec, EnumInput):
        return len(spec.choices) > limits.OPTIONS
    return isinstance(spec, GroupInput) or (isinstance(spec, TextInput) and bool(spec.options))


def is_chosen(spec: Input) -> bool:
    """Say whether a value is chosen rather than written."""
    return isinstance(spec, EnumInput | UserInput | ChannelInput) or is_searched(spec)


def one_choice(spec: Input, start: str) -> InputInteractiveElement:
    """Return the menu for one value, on `start` where it can show that."""
    starts = [start] if start else []
    if is_searched(spec):
        return ExternalDataSelectElement(
            action_id=SEARCH,
            min_query_length=0,
            placeholder=_placeholder(spec),
            initial_option=next(iter(_options(spec, starts)), None),
        )
    if isinstance(spec, EnumInput):
        return StaticSelectElement(
            action_id=FIELD,
            options=every_option(spec),
            initial_option=next(iter(_options(spec, starts)), None),
            placeholder=_placeholder(spec),
        )
    return _ONE[type(spec)](_ids(spec, starts), _placeholder(spec))


def several_choices(spec: ListInput, starts: Sequence[str]) -> InputInteractiveElement:
    """Return the menu for several values, on `starts` where it can show them all."""
    inner, most = spec.of, spec.most
    if is_searched(inner):
        return ExternalDataMultiSelectElement(
            action_id=SEARCH,
            min_query_length=0,
            placeholder=_placeholder(inner),
            initial_options=_options(inner, starts) or None,
            max_selected_items=most,
        )
    if isinstance(inner, EnumInput):
        return StaticMultiSelectElement(
            action_id=FIELD,
            options=every_option(inner),
            initial_options=_options(inner, starts) or None,
            placeholder=_placeholder(inner),
            max_selected_items=most,
        )
    return _SEVERAL[type(inner)](_ids(inner, starts), _placeholder(inner), most)


def _placeholder(spec: Input) -> Any:  # noqa: ANN401 - the SDK's own text object.
    if isinstance(spec, TextInput):
        return plain("Search", limits.PLACEHOLDER)
    return plain(_WORDS.get(type(spec), "Choose"), limits.PLACEHOLDER)


def _options(spec: Input, starts: Sequence[str]) -> list[Option]:
    """Return the choices on which a menu begins; all of them, or none where one cannot stand."""
    found = [_option(spec, one) for one in starts]
    return [one for one in found if one is not None] if None not in found else []


def _option(spec: Input, value: str) -> Option | None:
    if isinstance(spec, EnumInput):
        return option_of(spec, value) if value in spec.choices else None
    return choice(value, value)


def every_option(spec: EnumInput) -> list[Option]:
    """Return all words that can be chosen."""
    return [_at_place(spec, index) for index in range(len(spec.choices))]


def option_of(spec: EnumInput, word: str) -> Option:
    """Return one of the words that can be chosen."""
    return _at_place(spec, spec.choices.index(word))


def _at_place(spec: EnumInput, index: int) -> Option:
    words = plain(one_line(spec.choices[index]), limits.OPTION)
    return Option(value=_option_value(spec, index), text=words)


def _option_value(spec: EnumInput, index: int) -> str:
    """Return the choice itself, or its place where one of the choices is too long for Slack."""
    fits = all(length(choice) <= limits.OPTION_VALUE for choice in spec.choices)
    return spec.choices[index] if fits else f"#{index}"


def choice_of(spec: Input, value: str) -> str:
    """Return the value that an option stands for; an unknown one as it is."""
    if not isinstance(spec, EnumInput):
        return value
    places = {_option_value(spec, at): choice for at, choice in enumerate(spec.choices)}
    return places.get(value, value)


def choice(value: str, label: str) -> Option | None:
    """Return a choice that was read from somewhere, None where Slack could not carry it."""
    if not value or length(value) > limits.OPTION_VALUE:
        return None
    return Option(value=value, text=plain(one_line(label), limits.OPTION))


def _ids(spec: Input, starts: Sequence[str]) -> list[str]:
    """Return Slack's ids of what a menu begins with; none where one is known by name only."""
    read = user_in if isinstance(spec, UserInput) else channel_in
    try:
        found = [read(one) for one in starts]
    except ValueError:
        return []
    return [] if any(one.startswith(("@", "#")) for one in found) else found


_IN_CHANNELS = ConversationFilter(include=["public", "private"])
_ONE: Mapping[type, Callable[[list[str], Any], InputInteractiveElement]] = {
    UserInput: lambda ids, words: UserSelectElement(
        action_id=FIELD, initial_user=next(iter(ids), None), placeholder=words
    ),
    ChannelInput: lambda ids, words: ConversationSelectElement(
        action_id=FIELD,
        initial_conversation=next(iter(ids), None),
        filter=_IN_CHANNELS,
        placeholder=words,
    ),
}
_SEVERAL: Mapping[type, Callable[[list[str], Any, int], InputInteractiveElement]] = {
    UserInput: lambda ids, words, most: UserMultiSelectElement(
        action_id=FIELD, initial_users=ids or None, placeholder=words, max_selected_items=most
    ),
    ChannelInput: lambda ids, words, most: ConversationMultiSelectElement(
        action_id=FIELD,
        initial_conversations=ids or None,
        filter=_IN_CHANNELS,
        placeholder=words,
        max_selected_items=most,
    ),
}
