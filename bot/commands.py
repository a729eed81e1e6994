"""Answers what is typed after the slash command, privately.

What was meant is for `command_text`, starting runs for `starting`, and what lists hold for
`reports`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.arrival import refuse_late
from bot.changing import Changing
from bot.command_text import parse
from bot.command_values import (
    Approvals,
    Audit,
    Away,
    Cancel,
    Change,
    Command,
    Delegations,
    Diff,
    Digest,
    Find,
    Health,
    History,
    Misread,
    MoveRun,
    Ready,
    Run,
    Runs,
    Schedule,
    Show,
    Totp,
    Workflows,
)
from bot.delegating import Delegating
from bot.desk import Desk
from bot.health_shown import HealthDesk
from bot.nearby import corrected
from bot.payloads import Caller, Interaction, Typed
from bot.permitted import names_for, permitted
from bot.reports import Reports
from bot.scheduling import Scheduling
from bot.secret_words import refuse_secret
from bot.starting import Starting
from bot.stepping_up import SteppingUp
from bot.viewers import admit_viewer, unseen
from bot.views.digest import without_charts
from bot.views.help_page import Startable, help_page, misread_page
from bot.views.notice import notice
from bot.views.paging import read_page_value
from bot.views.pieces import Rendered
from bot.wording import clip, code
from workflows.entry import RunId
from workflows.examples import example_of
from workflows.people import PersonId
from workflows.policy_roles import EVERYWHERE

_ECHO = 60
LOOKS = (
    Approvals,
    Audit,
    Diff,
    Digest,
    Find,
    Health,
    History,
    Ready,
    Runs,
    Schedule,
    Show,
    Workflows,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The listeners' part in the slash command."""

    desk: Desk

    def reply(self, typed: Typed, context: Mapping[str, Any]) -> Rendered | None:
        """Do what was typed; return what to say to whoever typed it, if anything.

        Raises:
            InterlockError: it was refused.
        """
        refuse_secret(self.desk.holds_secret, typed.text)
        names = {one.workflow for one in self.desk.library.definitions()}
        wanted = _meant(parse(typed.text), names)
        if _is_unknown(wanted, names):
            known = names_for(self.desk.roles, self.desk.library, typed.caller.person)
            if (near := _nearby(wanted, typed.text, known)) is not None:
                return near.shown(self.desk.command)
        if isinstance(wanted, Run):
            refuse_late(context)
            return Starting(desk=self.desk).by_command(typed, wanted)
        if isinstance(wanted, Schedule) and wanted.workflow:
            return Scheduling(desk=self.desk).by_command(typed, wanted, context)
        if isinstance(wanted, Change):
            run = RunId(wanted.run)
            with unseen(self.desk, run, typed.caller.person):
                Changing(desk=self.desk).by_command(typed.caller, run)
            return None
        if isinstance(wanted, Away):
            return Delegating(desk=self.desk).by_command(typed, wanted)
        if isinstance(wanted, Totp):
            return SteppingUp(desk=self.desk).by_command(typed, wanted)
        if isinstance(wanted, Cancel | MoveRun):
            with unseen(self.desk, RunId(wanted.run), typed.caller.person):
                return self._done(typed.caller, wanted)
        return self._shown(wanted, typed.caller, page=1)

    def meant(self, click: Interaction, context: Mapping[str, Any]) -> Rendered:
        """Do what a button says, as if it had been typed; return what to say in its place.

        Raises:
            InterlockError: it was refused.
        """
        caller = click.caller
        typed = Typed(
            command=self.desk.command,
            text=click.press.said,
            team_id=caller.team,
            user_id=caller.user,
            channel_id=caller.channel,
            trigger_id=caller.trigger,
            response_url=caller.response_url,
        )
        return self.reply(typed, context) or notice("Fill in the form.")

    def page(self, click: Interaction) -> Rendered:
        """Return another page of a list that was asked for before."""
        typed, page = read_page_value(click.press.said)
        return self._shown(parse(typed), click.caller, page=page)

    def _done(self, caller: Caller, wanted: Cancel | MoveRun) -> Rendered:
        if isinstance(wanted, MoveRun):
            return self._move_run(caller, wanted)
        return self._cancel(caller, wanted)

    def _cancel(self, caller: Caller, wanted: Cancel) -> Rendered:
        run = RunId(wanted.run)
        if self.desk.engine.cancel(run, person=caller.person, reason=wanted.reason):
            return notice(
                f"🚫 The run {code(run)} is cancelled. What it has done stays done; its thread"
                " says so."
            )
        return notice(
            f"🚫 The run {code(run)} is being cancelled: an effect is under way or in doubt, and"
            " it ends once that is certain. Follow its thread."
        )

    def _move_run(self, caller: Caller, wanted: MoveRun) -> Rendered:
        from bot.moving_runs import move_run, told  # noqa: PLC0415 - seldom asked for.

        moved = move_run(
            self.desk.engine,
            self.desk.store,
            RunId(wanted.run),
            person=caller.person,
            reason=wanted.reason,
            to=wanted.version,
        )
        return notice(f"🔀 {told(moved)}")

    def _shown(self, wanted: Command, caller: Caller, *, page: int) -> Rendered:
        if isinstance(wanted, LOOKS):
            admit_viewer(self.desk, caller.person, _about(wanted))
        reports = Reports(desk=self.desk, reader=caller)
        match wanted:
            case Runs():
                return reports.runs(wanted, page=page)
            case Show(run=run) | Audit(run=run):
                tell = reports.audit if isinstance(wanted, Audit) else reports.run
                return tell(RunId(run), page=page)
            case Approvals():
                return reports.approvals(page=page)
            case Workflows() | History() | Diff():
                return self._catalog(wanted, reports, page=page)
            case Schedule() | Delegations():
                part = Scheduling if isinstance(wanted, Schedule) else Delegating
                return part(desk=self.desk).listed(caller, page=page)
            case Find(words=words):
                return reports.found(words, page=page)
            case Health():
                return HealthDesk(desk=self.desk, reader=caller).page(wanted, page=page)
            case _:
                return self._told(wanted, caller)

    def _catalog(
        self, wanted: Workflows | History | Diff, reports: Reports, *, page: int
    ) -> Rendered:
        from bot.catalog_pages import diff_page, history_page  # noqa: PLC0415 - seldom asked for.

        match wanted:
            case Workflows():
                return reports.workflows(page=page)
            case History(workflow=workflow):
                return history_page(self.desk, workflow, page=page)
            case Diff(workflow=workflow, versions=versions):
                return diff_page(self.desk, workflow, versions, page=page)

    def _told(self, wanted: Command, caller: Caller) -> Rendered:
        if isinstance(wanted, Misread):
            return misread_page(wanted.problem, name=self.desk.command, usage=wanted.usage)
        if isinstance(wanted, Digest):
            # Only they see it, and a private answer that Slack refuses is lost: no chart.
            since = self.desk.now() - wanted.period
            return without_charts(self.desk.digests.look(since=since).shown)
        if isinstance(wanted, Ready):
            return Reports(desk=self.desk, reader=caller).readiness(wanted.workflow)
        return help_for(self.desk, caller.person)


def help_for(desk: Desk, person: PersonId) -> Rendered:
    """Return the help for one person: what can be typed, and what they may start."""
    mine = permitted(desk, person)
    startable = [
        Startable(name=one.workflow, title=one.title, example=example_of(one))
        for one in mine.definitions
    ]
    return help_page(name=desk.command, startable=startable, is_certain=mine.is_certain)


def _about(wanted: Command) -> str | None:
    """Return the workflow whose runs are asked about, `*` for those of all.

    None where lists are made of what the reader may see, or the run is yet to be found.
    """
    match wanted:
        case Digest() | Health():
            return EVERYWHERE
        case Runs(workflow=name) | Ready(workflow=name) | History(workflow=name):
            return name or None
        case Diff(workflow=name):
            return name
    return None


def _meant(wanted: Command, names: Collection[str]) -> Command:
    """Return `wanted`, or the start of a workflow whose name was typed alone."""
    if isinstance(wanted, Misread) and wanted.word.casefold() in names:
        return Run(workflow=wanted.word.casefold())
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nearby:
    """A name that nothing is called, and the whole command put right, if one is near."""

    problem: str
    usage: str
    meant: str

    def shown(self, command: str) -> Rendered:
        return misread_page(self.problem, name=command, usage=self.usage, meant=self.meant)


def _is_unknown(wanted: Command, names: Collection[str]) -> bool:
    """Say whether what was typed names nothing there is."""
    if isinstance(wanted, Run | Schedule | Ready):
        return wanted.workflow != "" and wanted.workflow not in names
    return isinstance(wanted, Misread) and wanted.word != ""


def _nearby(wanted: Command, typed: str, names: Collection[str]) -> _Nearby | None:
    """Return which of `names` was probably meant, or which command."""
    if isinstance(wanted, Misread):
        meant = corrected(typed, names)
        problem = f"There is no “{_short(wanted.word)}”."
        told = f"{problem} Did you mean “{_put_right(meant, typed)}”?" if meant else wanted.problem
        return _Nearby(problem=told, usage=wanted.usage, meant=meant)
    if isinstance(wanted, Run | Schedule | Ready):
        meant = corrected(typed, names)
        problem = f"There is no workflow called “{_short(wanted.workflow)}”."
        told = f"{problem} Did you mean “{_workflow_of(meant)}”?"
        return _Nearby(problem=told, usage="run", meant=meant) if meant else None
    return None


def _put_right(meant: str, typed: str) -> str:
    """Return the name that stands in place of the first word: a command's, or a workflow's."""
    workflow = _workflow_of(meant)
    is_typed = workflow in typed.casefold().split()
    return meant.partition(" ")[0] if is_typed or not workflow else workflow


def _workflow_of(meant: str) -> str:
    command = parse(meant)
    return command.workflow if isinstance(command, Run | Schedule | Ready) else ""


def _short(word: str) -> str:
    return clip(word, _ECHO)
