"""The composition root: settings in, a bot out whose parts are ready to be started.

Tests build the same bot with other `Means` and start only the parts they are about.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, cast

from slack_bolt import App
from slack_bolt.error import BoltError
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.addresses import Addresses
from bot.anchors.parts import anchoring_of
from bot.builder_answers import BuilderAnswers
from bot.builder_steps import BuilderSteps
from bot.clock_parts import (
    catalog_watch_of,
    clock_of,
    mailing_of,
    pushing_of,
    retelling_of,
    self_check_of,
    sequencing_of,
    watching_of,
)
from bot.core import Core, Means, build_core
from bot.delivery import Courier
from bot.desk import Desk
from bot.digest_drawing import draw_digest, readers_of
from bot.directory import Directory
from bot.doors import api_of, receiver_of
from bot.drift import Drift
from bot.following import PolicyWatch
from bot.head_watch import HeadWatch
from bot.holder import Holder
from bot.home_address import home_address
from bot.home_parts import homes_of
from bot.hurried import SECONDS, Hurried
from bot.later import Later
from bot.listeners import register_listeners
from bot.one_identity import unify_people
from bot.opening import Memory
from bot.outbox import Outbox, Post
from bot.pacing import Pacer
from bot.references import references_of
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.running import Part
from bot.secret_watch import SecretWatch
from bot.segments import Segments
from bot.slack_client import SlackClient
from bot.story_reading import StoryReading
from bot.tls import tls_for
from bot.token_trouble import TokenTrouble, complain
from bot.undelivered import Aftermath
from bot.watching import Watching
from bot.workspace import Workspace, out_of_reach
from storage.outbox_values import MessagePlace
from storage.step_tokens import StepTokens
from workflows.entry import Json
from workflows.people import PersonId
from workflows.redaction import Redactor

if TYPE_CHECKING:
    from bot.http import HttpServer
    from bot.orders import AnyOrder
    from bot.socket_mode import Sockets
    from bot.thread_summaries import ThreadSummaries

LAZY_THREADS = 32
OPENING_SECONDS = 10  # Nobody's click waits at the start, or while a connection is asked for.

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
    watched: "HttpServer | None" = None  # Where those have one who watch.
    watching: Watching | None = None
    watch: HeadWatch | None = None
    policy: PolicyWatch | None = None  # Only where another one may come into force meanwhile.

    @property
    def parts(self) -> list[Part]:
        """Return what to start, in order: people are listened to once all else works."""
        segments = [] if self.segments is None else [self.segments]
        doors = [one for one in (self.watched, self.api, self.receiver) if one is not None]
        return [self.outbox, *segments, *self.others, *doors]

    def use_token(self, token: str) -> None:
        """Speak with Slack under another token from now on."""
        self.slack.use(token)
        self.hurried.use(token)

    def unconnected(self) -> str | None:
        """Return why nothing that people do in Slack reaches it just now, if so."""
        return None if self.receiver is None else self.receiver.unconnected()

    def problem(self) -> str | None:
        """Return why the process had better be started again, if so."""
        memory = self.core.memory
        watched = (
            self.watch,
            self.receiver,
            self.segments,
            memory.database,
            memory.journal,
            self.api,
            self.watched,
            self.policy,
        )
        found = (one.problem() for one in watched if one is not None)
        return next((one for one in found if one is not None), None)


def build_bot(
    workspace: Workspace,
    memory: Memory,
    means: Means,
    *,
    watch: HeadWatch | None = None,
    continues_runs: bool = True,
    receives: bool = True,
    awaits_invitation: Callable[[], bool] = lambda: False,
    redact: Redactor | None = None,
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
        references=references_of(workspace.client, directory, ticks=means.ticks),
        redact=redact,
    )
    directory.admit(core.policy.connect or ())
    app = bolt_app(workspace)
    unify_people(app, directory)
    tokens = StepTokens(core.memory.database, core.vault)
    summaries = _summaries(core, workspace, directory)
    compare = catalog_watch_of(core, directory)
    desk = _desk(core, workspace, directory, summaries, lambda: compare.found)
    register_listeners(app, desk, BuilderSteps(desk=desk, tokens=tokens), new_id=means.new_id)
    homes = homes_of(core, workspace.client, desk)
    core.store.on_news(homes.nudge)
    courier = _courier(core, workspace, awaits_invitation)
    outbox = _outbox(core, workspace, directory, courier, desk=desk, tokens=tokens)
    core.store.on_sent(outbox.nudge)
    check = self_check_of(core)
    clock = clock_of(core, directory, check, compare)
    core.store.on_due(clock.due_at)
    watching = Watching(core, head=watch)
    watching.of_slack(workspace.client)
    holder = Holder(settings.home, partial(_carry_out, core))
    return Bot(
        core=core,
        app=app,
        slack=workspace.client,
        hurried=desk.hurried,
        outbox=outbox,
        segments=Segments(core) if continues_runs else None,
        receiver=receiver_of(app, core, _web_client(workspace, OPENING_SECONDS), watching)
        if receives
        else None,
        others=[
            homes,
            check,
            compare,
            clock,
            holder,
            SecretWatch(core.secrets),
            StoryReading(core.memory.database),
            *sequencing_of(core),
            *watching_of(core, watch),
            *anchoring_of(core),
            *pushing_of(core),
            *mailing_of(core),
            *retelling_of(core),
        ],
        watch=watch,
        policy=None if core.policy.publish is None else PolicyWatch(core.policy, memory.database),
        api=api_of(core, watching) if receives else None,
        watching=watching,
        watched=watching.server(beside=(settings.http, settings.api)) if receives else None,
    )


def bolt_app(workspace: Workspace) -> App:
    """Return Bolt's app. A listener runs where it was received and acks last."""
    secret = workspace.settings.signing_secret
    # Bolt asks Slack who it is, for which nobody waits; its listeners ask with this client, too.
    client = _web_client(workspace, OPENING_SECONDS)
    try:
        app = App(
            name="interlock",
            # Bolt gives a logger of its own the root's level, and then tells every frame.
            logger=logging.getLogger("slack_bolt"),
            client=client,
            signing_secret=secret.get_secret_value() if secret else "",
            process_before_response=True,
            listener_executor=ThreadPoolExecutor(LAZY_THREADS, "lazy"),
        )
    except (BoltError, SlackClientError, HTTPException, OSError) as error:
        raise out_of_reach(workspace.settings, "no_answer") from error
    client.timeout = SECONDS
    return app


def _web_client(workspace: Workspace, seconds: int) -> WebClient:
    return WebClient(
        token=workspace.token,
        base_url=workspace.settings.slack_api_url,
        timeout=seconds,
        ssl=tls_for(workspace.settings.slack_api_url),
        retry_handlers=[],
    )


def _summaries(core: Core, workspace: Workspace, directory: Directory) -> "ThreadSummaries":
    """Return what sums up conversations; the first to ask for that imports what it takes."""

    def made() -> "ThreadSummaries":
        from bot.model_summaries import ModelSummaries  # noqa: PLC0415 - as said.
        from bot.thread_reading import ThreadReader  # noqa: PLC0415 - as said.
        from bot.thread_summaries import ThreadSummaries  # noqa: PLC0415 - as said.

        return ThreadSummaries(
            ThreadReader(workspace.client, directory),
            core.store,
            core.library,
            workspace_url=workspace.url,
            redact=core.redact,
            models=ModelSummaries(desk=core.desk, store=core.store),
        )

    return cast("ThreadSummaries", Later(made))


def _desk(
    core: Core,
    workspace: Workspace,
    directory: Directory,
    summaries: "ThreadSummaries",
    drifted: Callable[[], Sequence[Drift]],
) -> Desk:
    return Desk(
        engine=core.engine,
        store=core.store,
        library=core.library,
        digests=core.digests,
        directory=directory,
        hurried=Hurried(workspace.token, base_url=workspace.settings.slack_api_url),
        summaries=summaries,
        redact=core.redact,
        holds_secret=core.redact.holds,
        now=core.means.clock,
        new_id=core.means.new_id,
        random=core.means.random,
        drifted=drifted,
        command=workspace.settings.command,
        channel=workspace.settings.channel,
        roles=core.roles,
        readers=readers_of(core),
        workspace_url=workspace.url,
    )


def _outbox(
    core: Core,
    workspace: Workspace,
    directory: Directory,
    courier: Courier,
    *,
    desk: Desk,
    tokens: StepTokens,
) -> Outbox:
    store = core.store
    reader = RunReader(store, core.library, directory, workspace_url=workspace.url)
    return Outbox(
        Post(
            rows=store.outbox,
            courier=courier,
            renderer=Rendering(
                store,
                reader,
                digest=partial(draw_digest, core.digests, reader, readers_of(core)),
                files=core.digests.file_letter,
                summary=desk.summaries.letter,
                now=core.means.clock,
                home=_home_of(workspace),
            ),
            consequences=Aftermath(
                store=store,
                engine=core.engine,
                definitions=core.library,
                directory=directory,
                digests=core.digests,
                heads=core.heads,
                redact=core.redact,
                team=workspace.team,
                command=workspace.settings.command,
                answered=partial(_take_up_answers, desk, workspace.team),
            ),
            answers=BuilderAnswers(
                reader,
                workspace.client,
                tokens,
                Pacer(core.means.ticks),
                workspace_url=workspace.url,
            ),
            name=core.name,
            live_seconds=core.means.live_seconds,
            now=core.means.clock,
        )
    )


def _take_up_answers(
    desk: Desk, team: str, place: MessagePlace, messages: Sequence[Mapping[str, Any]]
) -> None:
    from bot.digest_replies import DigestReplies  # noqa: PLC0415 - after a lost answer alone.

    DigestReplies(desk=desk).take_up_missed(place, messages, team=team)


def _home_of(workspace: Workspace) -> str:
    return home_address(workspace.settings, team=workspace.team, workspace_url=workspace.url)


def _carry_out(core: Core, order: "AnyOrder", person: PersonId) -> Mapping[str, Json]:
    """Carry out what a command hands over; the first one imports what orders take."""
    from bot.orders import carry_out  # noqa: PLC0415 - as said.

    return carry_out(core, order, person=person)


def _courier(core: Core, workspace: Workspace, awaits_invitation: Callable[[], bool]) -> Courier:
    pacer = Pacer(core.means.ticks)
    return Courier(
        workspace.client,
        pacer,
        Addresses(workspace.client, pacer),
        log=core.memory.log_id,
        awaits_invitation=awaits_invitation,
    )
