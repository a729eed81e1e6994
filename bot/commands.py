"""Answers what is typed after the slash command, privately.

What was meant is for `command_text`, starting runs for `starting`, and what lists hold for
`reports`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.arrival import refuse_late
from bot.command_text import (
    Approvals,
    Away,
    Cancel,
    Command,
    Delegations,
    Digest,
    Find,
    Misread,
    Run,
    Runs,
    Schedule,
    Show,
    Totp,
    Workflows,
    parse,
)
from bot.delegating import Delegating
from bot.desk import Desk
from bot.payloads import Caller, Interaction, Typed
from bot.reports import Reports
from bot.scheduling import Scheduling
from bot.starting import Starting
from bot.stepping_up import SteppingUp
from bot.views.digest import without_charts
from bot.views.lists import help_page
from bot.views.notice import notice
from bot.views.paging import read_page_value
from bot.views.pieces import Rendered
from bot.wording import code
from workflows.entry import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The listeners' part in the slash command."""

    desk: Desk

    def reply(self, typed: Typed, context: Mapping[str, Any]) -> Rendered | None:
        """Do what was typed; return what to say to whoever typed it, if anything.

        Raises:
            InterlockError: it was refused.
        """
        wanted = self._meant(parse(typed.text))
        if isinstance(wanted, Run):
            refuse_late(context)
            return Starting(desk=self.desk).by_command(typed, wanted)
        if isinstance(wanted, Schedule) and wanted.workflow:
            return Scheduling(desk=self.desk).by_command(typed, wanted, context)
        if isinstance(wanted, Away):
            return Delegating(desk=self.desk).by_command(typed, wanted)
        if isinstance(wanted, Totp):
            return SteppingUp(desk=self.desk).by_command(typed, wanted)
        if isinstance(wanted, Cancel):
            return self._cancel(typed.caller, wanted)
        return self._shown(wanted, typed.caller, page=1)

    def page(self, click: Interaction) -> Rendered:
        """Return another page of a list that was asked for before."""
        typed, page = read_page_value(click.press.said)
        return self._shown(parse(typed), click.caller, page=page)

    def _meant(self, wanted: Command) -> Command:
        """Return `wanted`, or the start of a workflow whose name was typed alone."""
        if isinstance(wanted, Misread) and wanted.word:
            names = {one.workflow for one in self.desk.library.definitions()}
            if wanted.word.casefold() in names:
                return Run(workflow=wanted.word.casefold())
        return wanted

    def _cancel(self, caller: Caller, wanted: Cancel) -> Rendered:
        run = RunId(wanted.run)
        if self.desk.engine.cancel(run, person=caller.person, reason=wanted.reason):
            return notice(f"🚫 The run {code(run)} is cancelled.")
        return notice(
            f"🚫 The run {code(run)} is being cancelled: an effect is under way or in doubt, and"
            " it ends once that is certain. Follow its thread."
        )

    def _shown(self, wanted: Command, caller: Caller, *, page: int) -> Rendered:
        reports = Reports(desk=self.desk, reader=caller)
        match wanted:
            case Runs():
                return reports.runs(wanted, page=page)
            case Show(run=run):
                return reports.run(RunId(run), page=page)
            case Approvals():
                return reports.approvals(page=page)
            case Workflows():
                return reports.workflows(page=page)
            case Schedule():
                return Scheduling(desk=self.desk).listed(caller, page=page)
            case Delegations():
                return Delegating(desk=self.desk).listed(caller, page=page)
            case Find(words=words):
                return reports.found(words, page=page)
            case _:
                return self._told(wanted)

    def _told(self, wanted: Command) -> Rendered:
        if isinstance(wanted, Misread):
            return help_page(name=self.desk.command, problem=wanted.problem, usage=wanted.usage)
        if isinstance(wanted, Digest):
            # Only they see it, and a private answer that Slack refuses is lost: no chart.
            return without_charts(self.desk.digests.look().shown)
        return help_page(name=self.desk.command)
