"""How people, groups, channels and files are written where a value is asked for.

Slack's ids, its markup with such an id in it, the names that people use, or an object with an
`id`, which is how an earlier value comes back. What is returned is an id, or a name with its
mark; whether Slack knows it is for `references`.
"""

import re

_USER = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^<>]*)?>|([UW][A-Z0-9]{2,20})")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]{2,20})(?:\|[^<>]*)?>|(S[A-Z0-9]{2,20})")
# Slack's page on commands writes a private channel as `<C…|>`, its clients as `<#C…|>`.
_CHANNEL = re.compile(r"<#?([CG][A-Z0-9]{2,20})(?:\|[^<>]*)?>|([CG][A-Z0-9]{2,20})")
_FILE = re.compile(r"https?://[^/\s]+/files/[^/\s]+/(F[A-Z0-9]{2,20})(?:/\S*)?|(F[A-Z0-9]{2,20})")
_HANDLE = re.compile(r"@[^\s@<>|,]{1,80}")
_PLACE = re.compile(r"#[^\s#<>|,]{1,80}")


def user_in(given: object) -> str:
    """Return the id of a person, or their name with its @.

    Raises:
        ValueError: it names nobody.
    """
    return _named(given, _USER, _HANDLE, "must be a person, such as @rita")


def mentioned(text: str) -> str:
    """Return the id in the mention of a person, "" where the text is none."""
    found = _USER.fullmatch(text)
    return (found[1] or "") if found is not None else ""


def group_in(given: object) -> str:
    """Return the id of a user group, or its handle with its @.

    Raises:
        ValueError: it names none.
    """
    return _named(given, _GROUP, _HANDLE, "must be a user group, such as @support")


def channel_in(given: object) -> str:
    """Return the id of a channel, or its name with its #.

    Raises:
        ValueError: it names none.
    """
    return _named(given, _CHANNEL, _PLACE, "must be a channel, such as #ops")


def file_in(given: object) -> str:
    """Return the id of a file.

    Raises:
        ValueError: it names none.
    """
    hint = "must be a file in Slack: its link, or its id such as F0123ABCD"
    return _named(given, _FILE, None, hint)


def _named(
    given: object, by_id: re.Pattern[str], by_name: re.Pattern[str] | None, hint: str
) -> str:
    text = given.get("id") if isinstance(given, dict) else given
    if not isinstance(text, str):
        raise ValueError(hint)  # noqa: TRY004 - one kind of refusal for every field.
    if found := by_id.fullmatch(text):
        return found[1] or found[2]
    if by_name is not None and by_name.fullmatch(text):
        return text
    raise ValueError(hint)
