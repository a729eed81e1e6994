import re
from pathlib import Path
from typing import Any, cast

import pytest

from bot import batch_listeners, listeners
from bot.handlers import Handlers
from bot.later import Later

HANDLERS = Handlers(cast(Any, None))
ASKED = sorted(
    {
        (part, method)
        for module in (listeners, batch_listeners)
        for part, method in re.findall(r"\bon\.(\w+)\.(\w+)", Path(module.__file__).read_text())
    }
)


@pytest.mark.parametrize(("part", "method"), ASKED)
def test_a_part_has_what_listeners_ask_of_it(part: str, method: str) -> None:
    found = cast(Later, getattr(HANDLERS, part)).made

    assert callable(getattr(found, method))


def test_a_part_is_made_once() -> None:
    suggesting = cast(Later, HANDLERS.suggesting)

    assert suggesting.made is suggesting.made
