"""Knows a credential by its form alone, whoever it belongs to: what nobody may write to the bot.

Only forms that nothing else has. An AWS key id (`AKIA…`) is a name that its secret goes with, and
honest work speaks of it; a secret that looks like any long word cannot be told from one.
"""

import re
from typing import Final

from workflows.errors import SecretError

MARK: Final = "[credential removed]"
# The first line alone is an example. JSON and command lines write line breaks in many ways.
_PRIVATE_KEY: Final = (
    r"-----BEGIN [0-9A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?s:.{0,300}?)[0-9A-Za-z+/]{40}"
    r"(?s:.{0,20000}?-----END [0-9A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|[0-9A-Za-z+/=\s]*)"
)
_KINDS: Final = (
    ("a Slack token", r"xox[a-z](?:\.xox[a-z])?-\d[0-9A-Za-z-]{20,}|xapp-\d-A[0-9A-Za-z-]{30,}"),
    ("a GitHub token", r"gh[opsur]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{60,}"),
    ("a GitLab token", r"glpat-[0-9A-Za-z_-]{20,}"),
    ("a Stripe key", r"[rs]k_live_[0-9A-Za-z]{24,}"),
    ("an age identity", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    ("a token of this bot", r"ilk_[0-9A-Za-z]{49}(?![0-9A-Za-z])"),
    ("a private key", _PRIVATE_KEY),
)
_NAMED: Final = [f"(?P<k{at}>{form})" for at, (_, form) in enumerate(_KINDS)]
_FORM: Final = re.compile(
    rf"(?:(?<![0-9A-Za-z])|(?<=\\[nrt]))(?:{'|'.join(_NAMED)})"  # JSON writes a break as letters.
)


def credential_in(text: str) -> str | None:
    """Return what kind of credential stands in `text`, None where none is known by its form."""
    found = _FORM.search(text)
    return None if found is None else _KINDS[int(str(found.lastgroup)[1:])][0]


def refuse_credential(text: str) -> None:
    """Return if no credential that is known by its form stands in `text`.

    Raises:
        SecretError: one does; it says of what kind, and nothing more of it.
    """
    kind = credential_in(text)
    if kind is not None:
        raise SecretError(
            f"Something that looks like {kind} stands in this; nothing was done and nothing kept.",
            hint="Never write secrets here. Revoke it, since others may have seen it. One that a"
            " workflow needs is kept with `interlock secret set` and named in the policy.",
        )


def without_credentials(text: str) -> str:
    """Return `text` with `MARK` in place of each credential that is known by its form."""
    return _FORM.sub(MARK, text)
