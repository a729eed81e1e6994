"""What expressions of a Python script give, as a workflow writes it.

What is known stands as it is; what only running the script would tell is an input.
"""

import ast
import re
from collections.abc import Mapping, Sequence

from workflows.adopting.values import Values
from workflows.entry import Json

_PERCENT = re.compile(r"%(?:\((\w+)\))?[-+ #0]*\d*(?:\.\d+)?[sdifgeruxXo]")
_STATEMENT = re.compile(r"%(?:\((\w+)\))?[sd]|\?")
# What follows a name (`.id`, `[0]`, `!r`, `:03`) says how it is written, and not which it is.
_BRACES = re.compile(r"(?<!\{)\{(\w*)(?:[.\[!:][^{}]*)?\}(?!\})")


class Texts:
    """Reads expressions as texts and values."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def text(self, node: ast.expr | None, asked: list[str]) -> str:
        """Return a text as a workflow writes it: what is not known is an input."""
        if node is None:
            return ""
        if isinstance(node, ast.Constant):
            return self._values.filled(_plain(node.value), asked)
        if isinstance(node, ast.JoinedStr):
            return "".join(self._part(one, asked) for one in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.text(node.left, asked) + self.text(node.right, asked)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return self._placed(_PERCENT, self.text(node.left, asked), node.right, asked)
        if isinstance(node, ast.Call) and _is_format(node):
            text = self.text(node.func.value, asked)  # type: ignore[attr-defined]  # _is_format looked.
            return self._filled(_BRACES, text, node.args, _named(node.keywords), asked)
        if isinstance(node, ast.Name):
            return self._values.filled(f"${{{node.id}}}", asked)
        return self._values.input(_last_name(node))

    def statement(self, text: str, values: ast.expr, asked: list[str]) -> str:
        """Return a statement with its places taken by `values`."""
        return self._placed(_STATEMENT, text, values, asked)

    def _placed(
        self, places: re.Pattern[str], text: str, values: ast.expr, asked: list[str]
    ) -> str:
        if isinstance(values, ast.Dict):
            named = {
                _key(key): value for key, value in zip(values.keys, values.values, strict=True)
            }
            return self._filled(places, text, (), named, asked)
        given = values.elts if isinstance(values, ast.Tuple | ast.List) else [values]
        return self._filled(places, text, given, {}, asked)

    def _filled(
        self,
        places: re.Pattern[str],
        text: str,
        given: Sequence[ast.expr],
        named: Mapping[str, ast.expr],
        asked: list[str],
    ) -> str:
        """Return `text` with each place taken by the value of its name, number or turn."""
        rest, known = iter(given), {**{str(at): one for at, one in enumerate(given)}, **named}

        def value_of(place: re.Match[str]) -> str:
            name = place[1] or ""
            value = known.get(name) if name else next(rest, None)
            if value is None:
                return self._values.input(name or "value")
            return self.text(value, asked)

        return places.sub(value_of, text)

    def _part(self, node: ast.expr, asked: list[str]) -> str:
        return self.text(node.value if isinstance(node, ast.FormattedValue) else node, asked)

    def json(self, node: ast.expr, asked: list[str]) -> Json:
        """Return a value as a workflow writes it, what is not known as inputs."""
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return {self.text(key, asked): self.json(value, asked) for key, value in pairs if key}
        if isinstance(node, ast.List | ast.Tuple):
            return [self.json(one, asked) for one in node.elts]
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | None):
            return node.value
        return self.text(node, asked)


def _plain(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _named(keywords: Sequence[ast.keyword]) -> Mapping[str, ast.expr]:
    return {one.arg: one.value for one in keywords if one.arg is not None}


def _key(node: ast.expr | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _is_format(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _last_name(node: ast.expr) -> str:
    """Return the word that says most about a value: a key, an attribute, a name."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        place = node.slice.value
        return f"argument_{place}" if isinstance(place, int) else str(place)
    for one in (node, *ast.walk(node)):
        if (
            isinstance(one, ast.Constant)
            and isinstance(one.value, str)
            and one.value.isidentifier()
        ):
            return one.value
        if isinstance(one, ast.Attribute):
            return one.attr
    return next((one.id for one in ast.walk(node) if isinstance(one, ast.Name)), "value")
