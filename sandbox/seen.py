"""What a person sees, as values that do not change any more: messages, modals, Home."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.errors import NotPossibleError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.records import Ephemeral, Message, View
from sandbox.rules.blocks import words_of
from sandbox.screens import elements_of
from sandbox.words import readable


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMessage:
    """A message at the moment somebody looked; `words` is all its text as a person reads it."""

    channel: str
    ts: str
    user: str
    author: str
    text: str
    words: str
    blocks: tuple[Json, ...] = ()
    thread_ts: str | None = None
    metadata: Json | None = None
    ephemeral: bool = False
    edited: bool = False
    files: tuple[str, ...] = ()
    reactions: tuple[str, ...] = ()

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons."""
        return [one["text"]["text"] for one in _elements(self.blocks) if one["type"] == "button"]

    def button(self, what: str) -> Json:
        """Return the button of that label or action id."""
        return find_element(self.blocks, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenView:
    """A modal or Home at the moment somebody looked."""

    id: str
    hash: str
    title: str
    callback_id: str
    private_metadata: str
    words: str
    blocks: tuple[Json, ...]
    values: dict[str, dict[str, Json]]
    errors: dict[str, str]
    trouble: str | None = None

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons, the submit button not counted."""
        return [one["text"]["text"] for one in _elements(self.blocks) if one["type"] == "button"]

    @property
    def fields(self) -> list[str]:
        """The labels of its inputs."""
        return [one["label"]["text"] for one in self.blocks if one["type"] == "input"]

    @property
    def hints(self) -> dict[str, str]:
        """What stands beside which field, by the field's label."""
        labels = {one["block_id"]: one["label"]["text"] for one in self.blocks if "label" in one}
        return {labels.get(block_id, block_id): hint for block_id, hint in self.errors.items()}


def _elements(blocks: tuple[Json, ...]) -> Iterator[Json]:
    for block in blocks:
        yield from elements_of(block)


def find_element(blocks: tuple[Json, ...], what: str, block_id: str | None = None) -> Json:
    """Return the one clickable element of that label or action id.

    Raises:
        NotPossibleError: there is none, or several and no `block_id` to tell them apart.
    """
    found = [
        one
        for one in _elements(blocks)
        if what in {one.get("action_id"), (one.get("text") or {}).get("text")}
        and block_id in {None, one["block_id"]}
    ]
    if len(found) == 1:
        return found[0]
    shown = [(one.get("text") or {}).get("text", one.get("action_id")) for one in _elements(blocks)]
    raise NotPossibleError(f"{len(found)} things called {what!r} to click; there are {shown}")


def seen_message(hub: Hub, message: Message | Ephemeral) -> SeenMessage:
    """Copy a message as it looks now."""
    state = hub.state
    whispered = isinstance(message, Ephemeral)
    user = message.author if isinstance(message, Ephemeral) else message.user
    words = [message.text, *words_of(message.blocks)]
    author = state.users.get(user)
    kept = None if isinstance(message, Ephemeral) else message
    return SeenMessage(
        channel=message.channel,
        ts=message.ts,
        user=user,
        author=author.name if author else user,
        text=message.text,
        words="\n".join(readable(state, one) for one in words),
        blocks=tuple(message.blocks),
        thread_ts=message.thread_ts,
        metadata=kept.metadata if kept else None,
        ephemeral=whispered,
        edited=bool(kept and kept.change),
        files=tuple(kept.files) if kept else (),
        reactions=tuple(kept.reactions) if kept else (),
    )


def seen_view(hub: Hub, view: View) -> SeenView:
    """Copy a modal or Home as it looks now."""
    blocks = view.content["blocks"]
    labels = [one["label"]["text"] for one in blocks if one["type"] == "input"]
    title = view.content.get("title", {}).get("text", "")
    words = [title, *words_of(blocks), *labels]
    return SeenView(
        id=view.id,
        hash=view.hash,
        title=title,
        callback_id=view.content.get("callback_id", ""),
        private_metadata=view.content.get("private_metadata", ""),
        words="\n".join(readable(hub.state, one) for one in words),
        blocks=tuple(blocks),
        values={block: dict(actions) for block, actions in view.values.items()},
        errors=dict(view.errors),
        trouble=view.trouble,
    )
