"""What the expressions of an input's options may name.

Arguments speak of what was `typed`, the list of the `result`, value and label of an `item`.
"""

from functools import lru_cache

from workflows.definition_options import Options
from workflows.expression import Environment
from workflows.shapes import ANY, STRING, Shape


@lru_cache(maxsize=1)
def argument_scope() -> Environment:
    """Return what the arguments may name, the same for all options."""
    return Environment({"typed": STRING})


def list_scope(result: Shape) -> Environment:
    """Return what the list of choices may name, for an answer that looks like `result`."""
    return Environment({"result": result})


def choice_scope(options: Options, result: Shape) -> Environment:
    """Return what value and label of one choice may name, as far as the list is declared."""
    found = list_scope(result).shape_at(options.items.strip())
    return Environment({"item": (found.item if found is not None else None) or ANY})
