"""Slack: whether it is reached, how fast, what the tokens may do, what time it is there.

A few calls, none of which changes anything; the bot that serves may go on meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.directory import Directory
from bot.doctor.around import Around
from bot.doctor.findings import Finding, fail, ok, refused, unknown, warn
from bot.head_check import Witness, witness_of
from bot.org_client import slack_of
from bot.settings import Settings, SettingsError, require_bot_token, require_tokens
from bot.slack_client import SlackClient, Standing
from bot.slack_errors import SlackError, says_no
from bot.wording import duration
from bot.workspaces.scopes import SCOPES, SPARED

SLOW = timedelta(seconds=1)
# Requests are signed over the time and refused after five minutes; codes count for thirty seconds.
SKEWED, WRONG = timedelta(seconds=10), timedelta(seconds=60)
AGAIN = "Look again once Slack answers."
NOT_ASKED = "Slack could not be asked under the bot's token."
AFTER_SLACK = ("clock", "scopes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Slack, once it took the token: as a client, and as what it said of itself."""

    client: SlackClient
    standing: Standing
    team: str

    @property
    def directory(self) -> Directory:
        """Return who is who there; it asks anew."""
        return Directory(self.client, team=self.team)

    def witness(self, settings: Settings) -> Witness:
        """Return Slack as far as it remembers the log."""
        return witness_of(self.client, settings, user=str(self.standing.whose.get("user_id", "")))


def reach(around: Around) -> tuple[Reached | None, list[Finding]]:
    """Return Slack if it takes the bot token, with what that showed."""
    settings = around.settings
    try:
        require_bot_token(settings)
    except SettingsError as missing:
        return None, [refused("bot token", missing, costs="The bot does not start.")]
    client = slack_of(settings)
    before = around.ticks()
    try:
        standing = client.standing()
    except SlackError as error:
        return None, [_not_taken(error) if says_no(error) else _not_reached(error, settings)]
    took = timedelta(seconds=around.ticks() - before)
    whose = standing.whose
    team = str(whose.get("enterprise_id") if settings.is_org else whose.get("team_id"))
    found = [_speed(took, settings), ok("bot token", _name(standing))]
    return Reached(client=client, standing=standing, team=team), found


def look_at_slack(around: Around, reached: Reached | None) -> Iterator[Finding]:
    """Yield the clock, the scopes and the other token; what nobody could see is unknown."""
    if reached is None:
        yield from (unknown(one, NOT_ASKED, do=AGAIN) for one in AFTER_SLACK)
    else:
        yield _clock(reached.standing, around.now())
        yield _scopes(reached.standing)
    if not around.settings.workspace:
        yield _receiving(around.settings)


def _name(standing: Standing) -> str:
    whose = standing.whose
    where = whose.get("team") or whose.get("team_id") or whose.get("enterprise_id")
    return f"It is @{whose.get('user')} of {where}."


def _not_taken(error: SlackError) -> Finding:
    return fail(
        "bot token",
        f"Slack does not take SLACK_BOT_TOKEN: {error.code}.",
        costs="The bot does not start, or its messages wait.",
        do="Copy the token again from *OAuth & Permissions*; install the app again if it was"
        " taken back.",
    )


def _not_reached(error: SlackError, settings: Settings) -> Finding:
    return fail(
        "slack",
        f"Slack cannot be reached at {settings.slack_host} ({error.code}).",
        costs="Nobody is asked or told, so nothing runs that needs an approval.",
        do="Check the network, the proxy (HTTPS_PROXY, NO_PROXY) and SLACK_API_URL.",
    )


def _speed(took: timedelta, settings: Settings) -> Finding:
    saw = f"{settings.slack_host} answered in {duration(took)}."
    if took < SLOW:
        return ok("slack", saw)
    return warn(
        "slack",
        saw,
        costs="People are told of an error when an answer takes three seconds.",
        do="Look for a slow proxy or network between this machine and Slack.",
    )


def _clock(standing: Standing, now: datetime) -> Finding:
    if standing.date is None:
        return unknown("clock", "Slack did not say what time it is.", do=AGAIN)
    # Slack says whole seconds, and the answer was on its way for a moment.
    apart = now - parsedate_to_datetime(standing.date) - timedelta(milliseconds=500)
    direction = "behind" if apart < timedelta(0) else "ahead of"
    saw = f"This machine's clock is {duration(abs(apart))} {direction} Slack's."
    do = "Have the machine's clock set by NTP (`timedatectl set-ntp true`)."
    if abs(apart) > WRONG:
        costs = "One-time codes and signed requests are refused, and entries bear wrong times."
        return fail("clock", saw, costs=costs, do=do)
    if abs(apart) > SKEWED:
        return warn("clock", saw, costs="One-time codes may be refused.", do=do)
    return ok("clock", saw)


def _scopes(standing: Standing) -> Finding:
    if standing.scopes is None:
        return unknown("scopes", "Slack did not list what the token may do.", do=AGAIN)
    granted = {one.strip() for one in standing.scopes.split(",")}
    missing = [name for name in SCOPES if name not in granted]
    if missing:
        named = ", ".join(f"{name} ({SCOPES[name]})" for name in missing)
        remark = warn if SPARED.issuperset(missing) else fail
        return remark(
            "scopes",
            f"The token lacks {named}.",
            costs="What is in brackets does not work.",
            do="Paste what `interlock init --manifest` prints under *App Manifest*, then install"
            " the app again.",
        )
    more = sorted(granted - {*SCOPES})
    if more:
        return warn(
            "scopes",
            f"The token also has {', '.join(more)}, which the bot never uses.",
            costs="Whoever steals the token can do more with it than the bot does.",
            do="Remove what is not in the manifest, then install the app again.",
        )
    return ok("scopes", f"All {len(SCOPES)} that the bot needs, and no more.")


def _receiving(settings: Settings) -> Finding:
    name = "signing secret" if settings.http else "app token"
    try:
        require_tokens(settings)
    except SettingsError as missing:
        return refused(name, missing, costs="What people type and click does not arrive.")
    if settings.http:
        return ok(name, "It is set; the first delivery shows whether it is the right one.")
    token = settings.app_token.get_secret_value() if settings.app_token else ""
    try:
        SlackClient(token, base_url=settings.slack_api_url).open_socket()
    except SlackError as error:
        if not says_no(error):
            return unknown(name, f"Slack could not be asked ({error.code}).", do=AGAIN)
        return fail(
            name,
            f"Slack does not take SLACK_APP_TOKEN: {error.code}.",
            costs="What people type and click does not arrive.",
            do="Make one under *Basic Information*, *App-Level Tokens*, with the scope"
            " connections:write.",
        )
    return ok(name, "Slack takes it, and gives an address for Socket Mode.")
