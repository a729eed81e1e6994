"""The shortcuts on messages, and what their modals carry: from which message they were used."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bot import limits
from bot.places import is_ours
from bot.wording import length
from workflows.definition import Definition
from workflows.definition_inputs import TextInput

MESSAGE_REQUEST = "message.request"
MESSAGE_FIND_RUN = "message.find_run"
MESSAGE_PICK = "message.pick"

_ROOM = limits.PRIVATE_METADATA - 100


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A message that something is asked for: its address, its channel, and what it says.

    A text that is too long to travel is left out whole; the address stays.
    """

    link: str
    channel: str
    text: str = ""

    @property
    def metadata(self) -> str:
        """Return it as a modal carries it."""
        whole = self._written(self.text)
        return whole if length(whole) <= _ROOM else self._written("")

    def _written(self, text: str) -> str:
        return json.dumps([self.link, self.channel, text], ensure_ascii=False)

    @classmethod
    def read(cls, metadata: str, *, workspace: str) -> Self:
        """Return what `metadata` wrote.

        Raises:
            ValueError: it was not written by us, or names another workspace's message.
        """
        parts = json.loads(metadata)
        if not isinstance(parts, list) or [type(one) for one in parts] != [str, str, str]:
            raise ValueError("this is no choice of ours")
        link, channel, text = parts
        if not is_ours(workspace, link):
            raise ValueError("this is no message of this workspace")
        return cls(link=link, channel=channel, text=text)


def filled_from(about: About, definition: Definition) -> Mapping[str, str]:
    """Return the message as the value of the first field that takes several lines of any words."""
    for name, spec in definition.inputs.items():
        if isinstance(spec, TextInput) and spec.multiline and spec.pattern is None:
            return _fitting(name, about, most=spec.max_length)
    return {}


def _fitting(name: str, about: About, *, most: int) -> Mapping[str, str]:
    candidates = (f"{about.text}\n\n{about.link}", about.text, about.link)
    wanted = candidates if about.text else (about.link,)
    return next(({name: one} for one in wanted if length(one) <= most), {})
