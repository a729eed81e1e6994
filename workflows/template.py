"""Values with `${{ … }}` in them: the arguments of a step, the name of a lock.

A value that is one lone expression keeps that expression's type; expressions among other
text become text.
"""

import json
from collections.abc import Iterator
from typing import TypeAlias

from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression import Environment, Scope
from workflows.fault import Place

OPENING, CLOSING = "${{", "}}"
LONGEST_TEXT = 1024 * 1024

Piece: TypeAlias = tuple[bool, str]  # Whether it is an expression, and its text.


def pieces(text: str) -> list[Piece]:
    """Return the parts of `text` in order.

    Raises:
        ExpressionError: an expression is not closed, or empty.
    """
    found: list[Piece] = []
    rest = text
    while OPENING in rest:
        before, after = rest.split(OPENING, maxsplit=1)
        end = _closing(after)
        if end is None or not after[:end].strip():
            raise ExpressionError(f"{text!r} has an expression that is empty or not closed.")
        found += [(False, before)] if before else []
        found.append((True, after[:end].strip()))
        rest = after[end + len(CLOSING) :]
    return [*found, (False, rest)] if rest else found


def _closing(text: str) -> int | None:
    """Return where the closing braces stand, ignoring those in strings and in maps."""
    depth, quote = 0, ""
    place = 0
    while place < len(text):
        one = text[place]
        if quote:
            place += 1 if one == "\\" else 0
            quote = "" if one == quote else quote
        elif one in "'\"":
            quote = one
        elif one == "{":
            depth += 1
        elif one == "}" and depth == 0:
            return place if text.startswith(CLOSING, place) else None
        elif one == "}":
            depth -= 1
        place += 1
    return None


def has_expression(value: Json) -> bool:
    """Say whether an expression stands anywhere in `value`."""
    return any(OPENING in text for _, text in texts(value))


def texts(value: Json, path: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield every text in `value` with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from texts(one, (*path, index))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from texts(one, (*path, name))


def resolve(template: Json, scope: Scope, environment: Environment) -> Json:
    """Return `template` with every expression replaced by its value.

    Raises:
        ExpressionError: one cannot be evaluated, or cannot stand among text.
    """
    if isinstance(template, list):
        return [resolve(one, scope, environment) for one in template]
    if isinstance(template, dict):
        return {name: resolve(one, scope, environment) for name, one in template.items()}
    if not isinstance(template, str) or OPENING not in template:
        return template
    parts = pieces(template)
    if len(parts) == 1:
        return environment.value(parts[0][1], scope)
    return _joined(parts, scope, environment)


def resolve_text(template: str, scope: Scope, environment: Environment) -> str:
    """Return `template` with every expression replaced, as text even where one stands alone.

    Raises:
        ExpressionError: one cannot be evaluated, or cannot stand among text.
    """
    return _joined(pieces(template), scope, environment)


def _joined(parts: list[Piece], scope: Scope, environment: Environment) -> str:
    done = [
        _as_text(environment.value(text, scope), text) if is_expression else text
        for is_expression, text in parts
    ]
    whole = "".join(done)
    if len(whole) > LONGEST_TEXT:
        raise ExpressionError(f"A text with expressions grew to {len(whole)} characters.")
    return whole


def _as_text(value: Json, expression: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    kind = "null" if value is None else "a list or an object"
    raise ExpressionError(f"{expression!r} gives {kind}, which cannot stand in a text.")


def references(template: Json, environment: Environment) -> frozenset[str]:
    """Return the paths that the expressions in `template` rest on.

    Raises:
        ExpressionError: one of them does not compile.
    """
    expressions = [text for _, whole in texts(template) for is_one, text in pieces(whole) if is_one]
    return frozenset().union(*(environment.references(one) for one in expressions))
