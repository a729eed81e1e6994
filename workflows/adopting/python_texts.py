"""What expressions of a Python script give, as a workflow writes it.

What is known stands as it is; what only running the script would tell is an input.
"""

import ast
import re
from collections.abc import Sequence

from workflows.adopting.values import Values
from workflows.entry import Json

_PLACE = re.compile(r"%s|%d|%\([a-z_]+\)s|\?|(?<!\{)\{[a-z0-9_]*\}(?!\})")


class Texts:
    """Reads expressions as texts and values."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def text(self, node: ast.expr | None, asked: list[str]) -> str:
        """Return a text as a workflow writes it: what is not known is an input."""
        if node is None:
            return ""
        if isinstance(node, ast.Constant):
            return self._values.filled(str(node.value), asked)
        if isinstance(node, ast.JoinedStr):
            return "".join(self._part(one, asked) for one in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.text(node.left, asked) + self.text(node.right, asked)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return self.placed(self.text(node.left, asked), items(node.right), asked)
        if isinstance(node, ast.Call) and _is_format(node):
            text = self.text(node.func.value, asked)  # type: ignore[attr-defined]  # _is_format looked.
            return self.placed(text, node.args, asked)
        if isinstance(node, ast.Name):
            return self._values.filled(f"${{{node.id}}}", asked)
        return self._values.input(_last_name(node))

    def placed(self, text: str, values: Sequence[ast.expr], asked: list[str]) -> str:
        """Return `text` with its places taken by `values`, one after the other."""
        rest = iter(values)

        def next_value(_: re.Match[str]) -> str:
            value = next(rest, None)
            return self._values.input("value") if value is None else self.text(value, asked)

        return _PLACE.sub(next_value, text)

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


def items(node: ast.expr) -> Sequence[ast.expr]:
    """Return what stands in a list, or the one expression that there is."""
    return node.elts if isinstance(node, ast.Tuple | ast.List) else [node]


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
