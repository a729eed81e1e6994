"""The composition root: settings in, a bot out whose parts are ready to be started.

Tests build the same bot with other `Means` and start only the parts they are about.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slack_bolt import App
from slack_sdk import WebClient

from bot.addresses import Addresses
from bot.clock_parts import clock_of, sequencing_of, watching_of
from bot.core import Core, Means, build_core
from bot.delivery import Courier
from bot.desk import Desk
from bot.directory import Directory
from bot.head_check import Witness
from bot.head_watch import HeadWatch
from bot.holder import Holder
from bot.hurried import SECONDS, Hurried
from bot.listeners import register_listeners
from bot.one_identity import unify_people
from bot.opening import Memory
from bot.orders import carry_out
from bot.org_client import slack_of
from bot.outbox import Outbox, Post
from bot.pacing import Pacer
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.running import Part
from bot.segments import Segments
from bot.settings import Settings, SettingsError
from bot.slack_client import Answer, SlackClient, tls_for
from bot.slack_errors import SlackError, says_no
from bot.socket_mode import Sockets
from bot.token_trouble import TokenTrouble, complain
from bot.undelivered import Aftermath

if TYPE_CHECKING:
    from bot.http import HttpServer
    from bot.http_routes import Programs

LAZY_THREADS = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A bot, put together. `receiver` is Socket Mode or HTTP, whichever the settings choose.

    One of many workspaces has none: what is for it comes in through its host.
    """

    core: Core
    app: App
    slack: SlackClient
    hurried: Hurried
    outbox: Outbox
    segments: Segments | None  # None: other processes continue the runs.
    receiver: "Sockets | HttpServer | None"
    others: Sequence[Part]
    api: "HttpServer | None" = None  # Where programs have an address of their own.
    watch: HeadWatch | None = None

    @property
    def parts(self) -> list[Part]:
        """Return what to start, in order: people are listened to once all else works."""
        segments = [] if self.segments is None else [self.segments]
        doors = [one for one in (self.api, self.receiver) if one is not None]
        return [self.outbox, *segments, *self.others, *doors]

    def use_token(self, token: str) -> None:
        """Speak with Slack under another token from now on."""
        self.slack.use(token)
        self.hurried.use(token)

    def problem(self) -> str | None:
        """Return why the process had better be started again, if so."""
        journal = self.core.memory.journal
        watched = (self.watch, self.receiver, self.segments, journal, self.api)
        found = (one.problem() for one in watched if one is not None)
        return next((one for one in found if one is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Slack under one bot token, and whose token it is."""

    client: SlackClient
    team: str
    user: str  # The bot's own.
    url: str
    settings: Settings

    @property
    def token(self) -> str:
        """Return the bot token."""
        return self.settings.bot_token.get_secret_value() if self.settings.bot_token else ""

    @property
    def witness(self) -> Witness:
        """Return Slack as far as it remembers the log."""
        return Witness(
            client=self.client,
            addresses=Addresses(self.client, Pacer(time.monotonic)),
            bot=self.user,
            channel=self.settings.channel,
        )


def enter_workspace(settings: Settings) -> Workspace:
    """Ask Slack whose token this is.

    Raises:
        SettingsError: Slack does not take the token, cannot be reached, or says that the token
            is for another workspace than the settings.
    """
    client = slack_of(settings)
    identity = _identity(client, settings)
    whose = identity.get("enterprise_id") if settings.is_org else identity["team_id"]
    if settings.workspace and whose != settings.workspace:
        raise SettingsError(
            f"The token that is stored for {settings.workspace} is that of {whose}.",
            hint="Install the app there again.",
        )
    return Workspace(
        client=client,
        team=str(whose),
        user=str(identity.get("user_id", "")),
        url=str(identity.get("url", "")),
        settings=settings,
    )


def _identity(client: SlackClient, settings: Settings) -> Answer:
    try:
        return client.identity()
    except SlackError as error:
        if says_no(error):
            raise SettingsError(
                f"Slack does not take SLACK_BOT_TOKEN: {error.code}.",
                hint="Check the token, and SLACK_API_URL if you set it.",
            ) from error
        raise SettingsError(
            f"Slack cannot be reached at {settings.slack_host} ({error.code}).",
            hint="Nothing was started. Start it again when Slack answers.",
        ) from error


def build_bot(
    workspace: Workspace,
    memory: Memory,
    means: Means,
    *,
    watch: HeadWatch | None = None,
    continues_runs: bool = True,
    receives: bool = True,
    awaits_invitation: Callable[[], bool] = lambda: False,
) -> Bot:
    """Put a bot together; nothing works until its parts are started.

    With `watch`, effects wait until it has compared the log with what Slack shows. One that
    does not continue runs leaves that to the workers on its database, and one that does not
    receive is handed what comes by others. While it `awaits_invitation`, messages for channels
    that it is not in wait for somebody to invite it.

    Raises:
        InterlockError: the policy, a secret or the database cannot be used.
    """
    settings = workspace.settings
    workspace.client.on_refused(TokenTrouble(complain))
    directory = Directory(workspace.client, team=workspace.team)
    core = build_core(
        settings,
        memory,
        people=directory,
        means=means,
        effects_wait=watch.effects_wait if watch is not None else lambda: None,
    )
    directory.admit(core.policy.connect or ())
    app, desk = bolt_app(workspace), _desk(core, workspace, directory)
    if settings.is_org:
        unify_people(app, directory)
    register_listeners(app, desk, new_id=means.new_id)
    courier = _courier(core, workspace, awaits_invitation)
    outbox = _outbox(core, workspace, directory, courier)
    core.store.on_sent(outbox.nudge)
    clock = clock_of(core, directory)
    core.store.on_due(clock.due_at)
    holder = Holder(
        settings.home,
        lambda order, person: carry_out(core, order, person=person),
    )
    return Bot(
        core=core,
        app=app,
        slack=workspace.client,
        hurried=desk.hurried,
        outbox=outbox,
        segments=Segments(core) if continues_runs else None,
        receiver=_receiver(app, workspace, core) if receives else None,
        others=[clock, holder, *sequencing_of(core), *watching_of(core, watch)],
        watch=watch,
        api=_api(core) if receives else None,
    )


def bolt_app(workspace: Workspace) -> App:
    """Return Bolt's app. A listener runs where it was received and acks last."""
    secret = workspace.settings.signing_secret
    return App(
        name="interlock",
        # Bolt gives a logger of its own the root's level, and then tells every frame.
        logger=logging.getLogger("slack_bolt"),
        client=_web_client(workspace),
        signing_secret=secret.get_secret_value() if secret else "",
        process_before_response=True,
        listener_executor=ThreadPoolExecutor(LAZY_THREADS, "lazy"),
    )


def _web_client(workspace: Workspace) -> WebClient:
    return WebClient(
        token=workspace.token,
        base_url=workspace.settings.slack_api_url,
        timeout=SECONDS,
        ssl=tls_for(workspace.settings.slack_api_url),
        retry_handlers=[],
    )


def _desk(core: Core, workspace: Workspace, directory: Directory) -> Desk:
    return Desk(
        engine=core.engine,
        store=core.store,
        library=core.library,
        digests=core.digests,
        directory=directory,
        hurried=Hurried(workspace.token, base_url=workspace.settings.slack_api_url),
        redact=core.redact,
        now=core.means.clock,
        new_id=core.means.new_id,
        command=workspace.settings.command,
        channel=workspace.settings.channel,
        workspace_url=workspace.url,
    )


def _receiver(app: App, workspace: Workspace, core: Core) -> "Sockets | HttpServer":
    settings = workspace.settings
    if settings.http:
        from bot.http import HttpServer  # noqa: PLC0415 - a server that Socket Mode does not need.

        host, port = settings.http_address
        programs = programs_of(core) if settings.api == settings.http else None
        return HttpServer(app, host=host, port=port, programs=programs)
    token = settings.app_token.get_secret_value() if settings.app_token else ""
    return Sockets(app, app_token=token, web_client=_web_client(workspace))


def _api(core: Core) -> "HttpServer | None":
    settings = core.settings
    if not settings.api and core.policy.webhooks:
        log.warning("INTERLOCK_API is not set, so no webhook is taken")
    if not settings.api or settings.api == settings.http:
        return None
    from bot.http import HttpServer  # noqa: PLC0415 - as above.

    host, port = settings.api_address
    programs = programs_of(core)
    return HttpServer(None, host=host, port=port, programs=programs, setting="INTERLOCK_API")


def programs_of(core: Core) -> "Programs":
    """Return what programs and webhooks reach of a bot."""
    from bot.api import Api  # noqa: PLC0415 - as above.
    from bot.hooks import Hooks  # noqa: PLC0415 - as above.
    from bot.http_routes import Programs  # noqa: PLC0415 - as above.
    from bot.polls import Polls  # noqa: PLC0415 - as above.

    polls = Polls()
    core.store.on_moved(polls.moved)
    return Programs(api=Api(core), hooks=Hooks(core), polls=polls)


def _outbox(core: Core, workspace: Workspace, directory: Directory, courier: Courier) -> Outbox:
    store = core.store
    reader = RunReader(store, core.library, directory, workspace_url=workspace.url)
    return Outbox(
        Post(
            rows=store.outbox,
            courier=courier,
            renderer=Rendering(store, reader, digest=core.digests.letter),
            consequences=Aftermath(
                store=store,
                engine=core.engine,
                definitions=core.library,
                directory=directory,
                digests=core.digests,
                team=workspace.team,
            ),
            name=core.name,
            live_seconds=core.means.live_seconds,
        )
    )


def _courier(core: Core, workspace: Workspace, awaits_invitation: Callable[[], bool]) -> Courier:
    pacer = Pacer(core.means.ticks)
    return Courier(
        workspace.client,
        pacer,
        Addresses(workspace.client, pacer),
        log=core.memory.log_id,
        awaits_invitation=awaits_invitation,
    )
