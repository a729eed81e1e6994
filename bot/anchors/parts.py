"""Puts together whoever keeps heads outside, as the settings name them."""

from collections.abc import Iterator

from bot.anchors.outsiders import Outsider
from bot.core import Core
from bot.running import Part


def anchoring_of(core: Core) -> list[Part]:
    """Return what brings heads outside, nothing where no setting names anybody."""
    from bot.anchors.anchoring import Anchoring  # noqa: PLC0415 - many bots have nobody outside.
    from bot.anchors.second_key import SecondKey, second_signer  # noqa: PLC0415 - as above.

    settings, memory, now = core.settings, core.memory, core.means.clock
    outsiders = list(_outsiders(core))
    signer = second_signer(settings, origin=memory.journal.origin, now=now)
    if not outsiders and signer is None:
        return []
    second = None if signer is None else SecondKey(signer=signer, database=memory.database)
    return [Anchoring(core.store, outsiders, second=second, every=settings.anchor_every, now=now)]


def _outsiders(core: Core) -> Iterator[Outsider]:
    """Yield them: those who put lines under a note before those who keep it."""
    settings, memory, now = core.settings, core.memory, core.means.clock
    if settings.anchor_dir is not None:
        from bot.anchors.folder import Folder  # noqa: PLC0415 - only where it is set.

        yield Folder(path=settings.anchor_dir, log_id=memory.log_id, now=now)
