"""Says in words why a field that a program sent, or somebody typed, does not fit."""

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflows.fault import suggestion

_TYPES = {
    "string_type": "must be text",
    "dict_type": "must be a JSON object: names with values",
}


def field_words(error: ValidationError, form: type[BaseModel]) -> dict[str, str]:
    """Return for each field that does not fit, by its place, what it must be."""
    return {"/".join(map(str, one["loc"])): _words(one, form) for one in error.errors()}


def _words(detail: ErrorDetails, form: type[BaseModel]) -> str:
    kind, context, name = detail["type"], detail.get("ctx", {}), str(detail["loc"][-1])
    if kind == "missing" or (kind, context.get("min_length")) == ("string_too_short", 1):
        return "please give a value"
    if kind == "extra_forbidden":
        return f"there is no such field; {suggestion(name, form.model_fields)}"
    if kind == "string_too_short":
        return f"must have at least {context['min_length']} characters"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind == "string_pattern_mismatch" and name in form.model_fields:
        return form.model_fields[name].description or f"must match {context['pattern']}"
    said = detail["msg"].removeprefix("Value error, ")
    return _TYPES.get(kind, said[:1].lower() + said[1:])
