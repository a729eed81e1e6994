"""Draws a digest for the channel: with whom it asks for an answer, and the one before it."""

from collections.abc import Sequence

from bot.core import Core
from bot.digest import Digests
from bot.letters import Letter
from bot.run_reading import RunReader


def readers_of(core: Core) -> tuple[str, ...]:
    """Return whom digests ask: those of the settings, else the governors of the policy."""
    return core.settings.digest_readers or core.policy.governors


def draw_digest(
    digests: Digests, reader: RunReader, asked: Sequence[str], digest: str
) -> Letter | None:
    """Return the message of a digest, None if it was never made."""
    readers = list(reader.named(asked).values())
    return digests.letter(digest, readers=readers, previous=reader.link(digests.before(digest)))
