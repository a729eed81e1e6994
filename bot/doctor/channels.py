"""The channels: whether the bot is in each that the settings or a workflow name."""

import time
from collections.abc import Iterable, Mapping

from bot.addresses import Addresses
from bot.doctor.around import Around
from bot.doctor.findings import Finding, fail, ok, unknown, warn
from bot.doctor.slack import AGAIN, NOT_ASKED, Reached
from bot.pacing import PatientPacer
from bot.settings import Settings
from bot.slack_client import SlackClient
from bot.slack_errors import RefusedError, SlackError, says_no
from bot.wording import plural
from workflows.definition import Definition

CHECK = "channels"
PERMIT = "Put right what stands under `scopes` and `bot token`, then look again."


def look_at_channels(
    around: Around, reached: Reached | None, definitions: Iterable[Definition]
) -> Finding:
    """Return whether the bot is where its messages go."""
    if reached is None:
        return unknown(CHECK, NOT_ASKED, do=AGAIN)
    named = _named(around.settings, definitions)
    try:
        missing = _missing(reached.client, named)
    except SlackError as error:
        if says_no(error):
            return unknown(CHECK, f"Slack refuses to say it ({error.code}).", do=PERMIT)
        return unknown(CHECK, f"Slack could not be asked ({error.code}).", do=AGAIN)
    if missing:
        told = "; ".join(
            f"{channel} ({code}), {named[channel]}" for channel, code in missing.items()
        )
        return fail(
            CHECK,
            f"The bot is not in {told}.",
            costs="What is told there reaches nobody, and a card that nobody can see runs nothing.",
            do="Type `/invite @interlock` there, or correct the name.",
        )
    if not around.settings.channel:
        return warn(
            CHECK,
            "INTERLOCK_CHANNEL is not set.",
            costs="There is no weekly digest, and nobody is told when the log does not verify.",
            do="Set it to a channel, and invite the bot to it.",
        )
    return ok(CHECK, f"The bot is in all {plural(len(named), 'channel')} that are named.")


def _named(settings: Settings, definitions: Iterable[Definition]) -> Mapping[str, str]:
    """Return every channel with the first place where it is named."""
    found = {settings.channel: "INTERLOCK_CHANNEL"} if settings.channel else {}
    for one in definitions:
        if one.channel is not None:
            found.setdefault(one.channel, one.workflow)
    return found


def _missing(client: SlackClient, named: Iterable[str]) -> Mapping[str, str]:
    """Return the channels that the bot is not in, with what Slack says of each."""
    addresses = Addresses(client, PatientPacer(time.monotonic))
    found = {channel: _why_not(client, addresses, channel) for channel in named}
    return {channel: why for channel, why in found.items() if why}


def _why_not(client: SlackClient, addresses: Addresses, channel: str) -> str:
    try:
        known = client.channel(addresses.readable(addresses.postable(channel)))
    except RefusedError as error:
        return error.code
    if known.get("is_archived"):
        return "archived"
    # Of a conversation with one person Slack does not say who is in it: the bot opened it.
    return "" if known.get("is_member") or known.get("is_im") else "not_in_channel"
