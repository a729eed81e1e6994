"""Regular expressions over what people type, in RE2, which CEL brings along.

RE2 takes time in proportion to the text. Python's own engine can be made to run for ever by
an innocent pattern and a long answer, and would hold up every other thread meanwhile.
"""

from cel_expr_python import cel  # type: ignore[import-untyped]  # It ships a .pyi without py.typed.

_ENVIRONMENT = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
_MATCHES = _ENVIRONMENT.compile("text.matches(pattern)")


def matches(text: str, pattern: str) -> bool:
    """Say whether `pattern` matches the whole of `text`.

    Raises:
        ValueError: it is no regular expression; look-ahead and back references are none to RE2.
    """
    found = _MATCHES.eval(data={"text": text, "pattern": f"^(?:{pattern})$"})
    if found.type() != cel.Type.BOOL:
        why = str(found.plain_value()).partition("regular expression: ")[2]
        raise ValueError(f"is no regular expression: {why or 'it is too large'}")
    return bool(found.plain_value())
