"""What can be asked about a message from its menu: the way into threads, where commands fail.

Modals open at once, since their trigger lives three seconds; a conversation is read afterwards.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.arrival import refuse_late
from bot.desk import Desk
from bot.forms import state_of
from bot.hurried import NotShownError
from bot.payloads import Interaction, Shortcut, UnreadablePayloadError
from bot.places import is_place, permalink
from bot.refusals import refusal
from bot.reports import Reports
from bot.said import words_of_message
from bot.secret_words import refuse_secret
from bot.slack_errors import SlackError
from bot.starting import Answer, Starting
from bot.thread_reading import words_about
from bot.thread_summaries import SharedThread
from bot.viewers import admit_viewer
from bot.views.message_shortcuts import MESSAGE_PICK, About, filled_from
from bot.views.pieces import Rendered
from bot.views.request_modals import loading_modal, refused_modal
from bot.views.run_form import picked, picker, run_form
from bot.views.thread_summary import summary_modal
from storage.listing import listed_run, runs_from
from workflows.entry import RunId
from workflows.errors import InterlockError, NotAllowedError, UnknownRunError

CLOSE: Answer = {"response_action": "clear"}
RUN_IDS = re.compile(r"\b[0-9a-f]{32}\b")
WORDS = re.compile(r"\w[\w-]{2,}")
MOST_WORDS = 12

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcuts:
    """The listeners' part in shortcuts on messages."""

    desk: Desk

    def request(self, used: Shortcut, context: Mapping[str, Any]) -> None:
        """Open the choice of a workflow to ask approval with, for the message.

        Raises:
            InterlockError: nothing was opened.
        """
        refuse_late(context)
        caller = used.caller
        choices = Starting(desk=self.desk).choices(caller.person)
        text = words_of_message(used.message)
        refuse_secret(self.desk.holds_secret, text)
        about = About(link=self._link(used), channel=caller.channel, text=text)
        modal = picker(choices, metadata=about.metadata, callback_id=MESSAGE_PICK)
        self.desk.hurried.open(caller.trigger, modal)

    def by_choice(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Return the form of the workflow that was chosen, filled from the message.

        Raises:
            InterlockError: there is no such workflow or message.
        """
        metadata = sent.sent.private_metadata
        try:
            about = About.read(metadata, workspace=self.desk.workspace_url)
        except ValueError as error:
            raise UnreadablePayloadError("This does not say which message it is about.") from error
        definition = self.desk.library.active(picked({"state": sent.sent.state}))
        state = state_of(definition, channel=about.channel, source=about.link)
        form = run_form(definition, state, values=filled_from(about, definition))
        return {"response_action": "update", "view": form.to_dict()}

    def find_run(self, used: Shortcut, _context: Mapping[str, Any]) -> None:
        """Tell privately of the run that the message belongs to, or of the nearest.

        Raises:
            NotAllowedError: this person may not look at runs.
        """
        admit_viewer(self.desk, used.caller.person)
        self.desk.hurried.answer(
            used.response_url, self._run_of(used), thread=used.thread_to_answer
        )

    def open_summary(self, used: Shortcut) -> str:
        """Open the modal that will hold the summary; return its id.

        Raises:
            NotAllowedError: this person may not look at runs.
            NotShownError: Slack did not open it.
        """
        about = self._workflow_at(used.caller.channel, used.thread)
        admit_viewer(self.desk, used.caller.person, about)
        return self.desk.hurried.open(used.caller.trigger, loading_modal())

    def summarise(self, used: Shortcut, view: str) -> None:
        """Read the conversation and show what it comes to in the modal."""
        channel = used.caller.channel
        try:
            shown = summary_modal(self.desk.summaries.for_reader(channel, used.thread))
        except SlackError as error:
            shown = refused_modal(refusal(words_about(error)))
        except InterlockError as error:
            shown = refused_modal(refusal(error))
        try:
            self.desk.hurried.update(view, "", shown)
        except NotShownError:
            log.info("the summary was closed before it was there")

    def share(self, sent: Interaction, _context: Mapping[str, Any]) -> Answer:
        """Have the summary posted into its thread.

        Raises:
            InterlockError: nothing was queued.
        """
        shared = SharedThread.read(sent.sent.private_metadata)
        caller = sent.caller
        about = self._workflow_at(shared.channel, shared.thread)
        admit_viewer(self.desk, caller.person, about)
        with self.desk.store.begin() as unit:
            if not unit.is_repeat(caller.delivery):
                unit.send(shared.message(caller.person))
        return CLOSE

    def _workflow_at(self, channel: str, thread: str) -> str | None:
        """Return the workflow of the run whose thread this is, None where it is nobody's."""
        run = self.desk.store.outbox.run_at(channel, thread)
        listed = None if run is None else listed_run(self.desk.store.database, run)
        return None if listed is None else listed.workflow

    def _link(self, used: Shortcut) -> str:
        channel = used.caller.channel
        if not is_place(channel, used.ts):
            raise UnreadablePayloadError("Slack did not say which message this is about.")
        return permalink(self.desk.workspace_url, channel, used.ts, thread=used.thread)

    # --- finding a run ----------------------------------------------------------------------

    def _run_of(self, used: Shortcut) -> Rendered:
        reports = Reports(desk=self.desk, reader=used.caller)
        run = self._own_run(used)
        if run is not None:
            return reports.run(run, page=1)
        sight = self.desk.roles.sight(used.caller.person)
        asked = runs_from(self.desk.store.database, self._link(used))
        if seen := [one for one in asked if one.workflow in sight]:
            return reports.those(seen, title="Asked for from this message")
        text = words_of_message(used.message)
        if (named := _first_named(reports, text)) is not None:
            return named
        words = list(dict.fromkeys(WORDS.findall(text)))[:MOST_WORDS]
        return reports.nearest(words)

    def _own_run(self, used: Shortcut) -> RunId | None:
        """Return the run whose thread this is, or that this message of ours is about."""
        outbox, channel = self.desk.store.outbox, used.caller.channel
        found = outbox.run_at(channel, used.thread)
        if found is None:
            row = outbox.at(channel, used.ts)
            found = row.run if row is not None else None
        return found


def _first_named(reports: Reports, text: str) -> Rendered | None:
    """Return the first run that a text names and the reader may see, None where it names none.

    Raises:
        NotAllowedError: it names only such as they may not see.
    """
    lacking: NotAllowedError | None = None
    for ident in RUN_IDS.findall(text):
        try:
            return reports.run(RunId(ident), page=1)
        except UnknownRunError:
            continue
        except NotAllowedError as refused:
            lacking = lacking or refused
    if lacking is not None:
        raise lacking
    return None
