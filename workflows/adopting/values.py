"""Values of a script as expressions of a workflow: what is known stays, the rest is an input."""

import re
from collections.abc import Mapping

from workflows.adopting.secrets import MARK
from workflows.definition_parts import RESERVED

VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*|[0-9@*#?])\}")
_SECRET = re.compile(rf"{MARK}[A-Z0-9_]+")
_LIKE_A_SECRET = re.compile(r"(?i)passw|secret|token|api_?key|credential|private_?key")


def braced(text: str) -> str:
    """Return a text with `$name` written as `${name}`."""
    return re.sub(r"\$([A-Za-z_]\w*|[0-9])", r"${\1}", text)


class Values:
    """What is known of a script's variables; every other becomes an input, secrets never."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self.inputs: dict[str, None] = {}

    def assign(self, name: str, value: str | None) -> None:
        """Take note of an assignment; None for a value that only running it would tell."""
        if value is None or VARIABLE.search(value):
            self._known.pop(name, None)
        else:
            self._known[name] = value

    def constants(self) -> Mapping[str, str]:
        """Return the variables whose values are known."""
        return self._known

    def filled(self, text: str, asked: list[str]) -> str:
        """Return `text` with known values, and inputs for the others; `asked` gets questions."""
        text = text.replace("${{", "$ {{")  # It is no expression of ours.
        found = VARIABLE.sub(lambda one: self._value(one[1], asked), text)
        asked += [
            f"{secret} stands for a secret; have the policy name it for its target"
            for secret in dict.fromkeys(_SECRET.findall(found))
        ]
        return found

    def _value(self, name: str, asked: list[str]) -> str:
        if name in self._known:
            return self._known[name]
        if _LIKE_A_SECRET.search(name):
            return f"{MARK}{name.upper()}"
        if name in "@*#?":
            asked.append(f"${name} has no counterpart; say what is meant")
            return f"TODO_{name}"
        return self.input(name)

    def input(self, name: str) -> str:
        """Return the expression of an input of about that name."""
        plain = re.sub(r"[^a-z0-9_]+", "_", name.casefold()).strip("_")[:60] or "value"
        plain = f"argument_{plain}" if plain.isdigit() else plain
        if not plain[0].isalpha() or plain in RESERVED:
            plain = f"value_{plain}"
        self.inputs[plain] = None
        return f"${{{{ inputs.{plain} }}}}"
