"""Lists for one reader: runs, one run, what waits for approval, workflows, what was found.

Everything is read without locks. How it looks is for `views/lists`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.belonging import Belonging
from bot.catalog_lines import UNKNOWN, Standing, standings
from bot.command_values import Runs
from bot.desk import Desk
from bot.entry_words import words_about
from bot.exception_queue import Queued, queued
from bot.hurried import PlacesUnreadableError
from bot.payloads import Caller
from bot.permitted import Permitted, audited_by, permitted, seen_by
from bot.previews import preview_of
from bot.run_lines import link_to, run_line, title_of
from bot.search_text import Asker, read_search
from bot.summary_words import summary_words
from bot.timeline import Known, Moment, actors_in, timeline, who
from bot.version_readiness import read_readiness, readiness_lines
from bot.views.lists import (
    FOUND_PAGE,
    ApprovalLine,
    EntryLine,
    Found,
    FoundPage,
    QueueLine,
    RunShown,
    VersionInUse,
    WorkflowLine,
    approval_list,
    found_list,
    queue_list,
    readiness_page,
    run_list,
    run_shown,
    workflow_list,
)
from bot.views.notice import notice
from bot.views.pieces import Rendered
from bot.views.request_values import Preview
from bot.views.timeline import TimelineLine, TimelineShown, run_timeline
from bot.wording import Who, plural, who_of
from storage.heads import head
from storage.history import read_run
from storage.home_listing import list_awaited
from storage.listing import (
    MOST,
    ListedRequest,
    ListedRun,
    Wanted,
    list_open_requests,
    list_runs,
    listed_run,
    people_of,
    refs_of,
)
from storage.published import known_workflows
from storage.refusals import read_beside
from storage.search import Hit, find
from storage.search_runs import Sought
from storage.summaries import read_summary
from workflows.definition import Definition
from workflows.entry import Actor, ActorKind, Draft, Entry, Part, Ref, RequestId, RunId
from workflows.errors import UnknownRunError, UnknownWorkflowError
from workflows.gate import ApprovalRequest, Outcome

MOST_NAMED = 5
NO_RUN = "No run belongs to this message, and none of those that ended is told in such words."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What `reader` is shown."""

    desk: Desk
    reader: Caller

    def runs(self, wanted: Runs, *, page: int) -> Rendered:
        """Return the newest runs, or those of one sort."""
        database = self.desk.store.database
        which = Wanted(
            requester=self.reader.person if wanted.mine else None,
            workflow=wanted.workflow,
            is_troubled=wanted.exceptions,
            among=seen_by(self.desk, self.reader.person),
        )
        words = ["runs", "mine" * wanted.mine, "--exceptions" * wanted.exceptions, wanted.workflow]
        typed = " ".join(word for word in words if word)
        if wanted.exceptions:
            waiting = queued(database, self.desk.library.version, wanted=which)
            return queue_list([self._queue_line(one) for one in waiting], command=typed, page=page)
        lines = [run_line(self.desk, one) for one in list_runs(database, which)]
        names = {one.workflow for one in self.desk.library.definitions()}
        unknown = "" if lines or wanted.workflow in names else wanted.workflow
        return run_list(
            lines,
            command=typed,
            page=page,
            name=self.desk.command,
            unknown=unknown,
            is_cut=len(lines) == MOST,
        )

    def run(self, run: RunId, *, page: int) -> Rendered:
        """Return the story of one run.

        Raises:
            UnknownRunError: there is none.
            NotAllowedError: the reader may not look at those of its workflow.
        """
        database, listed = self.desk.store.database, self._listed(run)
        with database.read() as connection:
            entries = read_run(connection, run)
            now = head(connection)
            told = read_summary(connection, run, of=entries)
        shown = RunShown(
            line=run_line(self.desk, listed),
            entries=self._entry_lines(entries),
            summary=summary_words(told) if told.told and self._may_read(listed) else "",
            head=f"{now.size}/{now.root.hex()[:8]}",
            newer=self._newer(listed),
        )
        return run_shown(shown, page=page)

    def _newer(self, listed: ListedRun) -> str:
        """Return the version that the reader may have a run go by, nothing where there is none."""
        library, directory = self.desk.library, self.desk.directory
        if listed.status.is_end or not library.is_replaced(listed.workflow, listed.version):
            return ""
        active = library.active(listed.workflow)
        reader = Belonging(directory, directory.person(self.reader.person))
        is_theirs = reader.to_any((active.owner, active.deputy), otherwise=False)
        return active.version if is_theirs else ""

    def audit(self, run: RunId, *, page: int) -> Rendered:
        """Return the timeline of one run, each line with its entry's number.

        Raises:
            UnknownRunError, NotAllowedError: as `run`.
        """
        database, listed = self.desk.store.database, self._listed(run)
        with database.read() as connection:
            entries = read_run(connection, run)
            moments = timeline(entries, read_beside(connection, run, of=entries))
            now = head(connection)
        known = people_of(database, actors_in(moments))
        shown = TimelineShown(
            line=run_line(self.desk, listed),
            moments=[_timeline_line(one, known) for one in moments],
            head=f"{now.size}/{now.root.hex()[:8]}",
        )
        return run_timeline(shown, page=page)

    def _listed(self, run: RunId) -> ListedRun:
        listed = listed_run(self.desk.store.database, run)
        if listed is None:
            raise UnknownRunError(f"There is no run {run[:64]}.")
        self.desk.roles.admit_viewer(self.reader.person, listed.workflow)
        return listed

    def those(self, runs: Sequence[ListedRun], *, title: str) -> Rendered:
        """Return a few runs that were found for the reader, all of which they may see."""
        lines = [run_line(self.desk, one) for one in runs[:MOST_NAMED]]
        return run_list(lines, command="runs", title=title, name=self.desk.command)

    def nearest(self, words: Sequence[str]) -> Rendered:
        """Return the runs whose summaries share most with `words`, a few at most.

        Raises:
            PlacesUnreadableError: which threads the reader may see could not be read.
        """
        asker = self._asker()
        sought = Sought(
            words=" OR ".join(words),
            channels=asker.channels,
            audited=asker.audited,
            among=asker.among,
        )
        hits = find(self.desk.store.database, sought, limit=MOST_NAMED).page
        said = " ".join(words)
        self._note_reading(asker, said, n=len(hits))
        if not hits:
            return notice(NO_RUN)
        shown = FoundPage(found=[self._found(one) for one in hits], total=len(hits))
        return found_list(said, shown)

    def approvals(self, *, page: int) -> Rendered:
        """Return what waits for decisions, the reader's own first."""
        mine = refs_of(self.desk.store.database, self.reader.person)
        among = seen_by(self.desk, self.reader.person)
        now = self.desk.now()
        words = self.desk.store.standing_in(self.reader.person, at=now)
        givers = {one.giver for one in words}
        database, first = self.desk.store.database, set[RequestId]()
        for ref in mine:
            own = list_awaited(database, ref, in_place_of=givers, now=now, skip=0, most=MOST)
            first |= {one.batch or one.id for one in own}
        found = list_open_requests(database, now=now, among=among, first=first)
        lines = [self._approval_line(one, mine, givers) for one in found]
        return approval_list(lines, page=page, is_cut=len(found) == MOST)

    def found(self, words: str, *, page: int) -> Rendered:
        """Return the runs that `words` ask for, of those whose threads the reader may see.

        Raises:
            PlacesUnreadableError: which those are could not be read.
            UnclearSearchError: a condition among the words names nothing.
        """
        database, asker = self.desk.store.database, self._asker()
        sought = read_search(words, database, asker=asker, now=self.desk.now())
        hits = find(database, sought, limit=FOUND_PAGE, offset=(page - 1) * FOUND_PAGE)
        self._note_reading(asker, words, n=len(hits.page))
        shown = FoundPage(
            found=[self._found(one) for one in hits.page],
            total=hits.total,
            page=page,
            is_cut=hits.is_cut,
        )
        return found_list(words, shown, name=self.desk.command)

    def _note_reading(self, asker: Asker, words: str, *, n: int) -> None:
        """Record what an auditor looked for, where they are shown threads that they are not in."""
        if asker.channels is not None and not asker.audited:
            return
        query = Part(value=self.desk.redact(words).encode())
        with self.desk.store.begin() as unit:
            ref = unit.ref(self.reader.person)
            unit.append(
                Draft(
                    kind="access.read",
                    actor=Actor(kind=ActorKind.USER, ref=ref),
                    data={"what": "find", "n": n},
                    parts={"query": query},
                )
            )

    def _may_read(self, listed: ListedRun) -> bool:
        """Say whether the reader is where the run's thread stands; what nobody knows is no."""
        if listed.workflow in audited_by(self.desk, self.reader.person):
            return True
        try:
            channels = self.desk.hurried.channels_of(self.reader.user)
        except PlacesUnreadableError:
            return False
        return listed.place is not None and listed.place.channel in channels

    def _asker(self) -> Asker:
        """Return what the reader may find: where they are, and everywhere what they audit.

        Raises:
            PlacesUnreadableError: where they are could not be read.
        """
        desk, who = self.desk, self.reader.person
        audits, among = audited_by(desk, who), seen_by(desk, who)
        if audits.is_everything:
            return Asker(person=who, among=among)
        known = known_workflows(desk.store.database) if audits.scopes else ()
        audited = frozenset(one for one in known if one in audits)
        channels = desk.hurried.channels_of(self.reader.user)
        return Asker(person=who, channels=channels, audited=audited, among=among)

    def workflows(self, *, page: int) -> Rendered:
        """Return every workflow, and which the reader may start."""
        desk = self.desk
        mine, sight = permitted(desk, self.reader.person), desk.roles.sight(self.reader.person)
        stand = standings(desk.store.database, desk.drifted(), now=desk.now(), sight=sight)
        lines = [
            self._workflow_line(one, mine, stand.get(one.workflow, UNKNOWN))
            for one in desk.library.definitions()
            if one.workflow in sight
        ]
        return workflow_list(lines, page=page)

    def readiness(self, workflow: str) -> Rendered:
        """Return what a workflow has yet to earn before it runs unwatched.

        Raises:
            UnknownWorkflowError: there is none of that name.
        """
        database, policy = self.desk.store.database, self.desk.roles.policy
        definition = self.desk.library.active(workflow)
        found = read_readiness(database, policy, definition, now=self.desk.now())
        return readiness_page(definition.title, list(readiness_lines(found)))

    def _found(self, hit: Hit) -> Found:
        return Found(
            run=hit.run,
            title=self._title_now(hit.workflow),
            status=hit.status,
            snippet=[(one.text, one.is_found) for one in hit.snippet],
            at=hit.written_at,
            thread=link_to(self.desk, hit.place),
        )

    def _title_now(self, workflow: str) -> str:
        try:
            return self.desk.library.active(workflow).title
        except UnknownWorkflowError:  # Retired since; its name is known all the same.
            return workflow

    def _queue_line(self, one: Queued) -> QueueLine:
        trouble = one.trouble
        card = self.desk.store.outbox.place_of(trouble.card.subject, trouble.card.key)
        return QueueLine(
            run=one.run.id,
            title=title_of(self.desk, one.run),
            step=trouble.step,
            is_doubt=trouble.is_doubt,
            error_class=trouble.error_class,
            since=trouble.since,
            asked=tuple(Who(name=name) for name in one.asked),
            so_far=one.so_far.words,
            card=link_to(self.desk, card or one.run.place),
        )

    def _entry_lines(self, entries: list[Entry]) -> list[EntryLine]:
        refs = sorted({one.actor.ref for one in entries if one.actor.is_person})
        known = people_of(self.desk.store.database, refs)
        return [
            EntryLine(
                rseq=one.rseq,
                index=one.index,
                at=one.at,
                kind=one.kind,
                words=words_about(one),
                actor=who_of(*known[one.actor.ref]) if one.actor.ref in known else None,
            )
            for one in entries
        ]

    def _approval_line(
        self, listed: ListedRequest, mine: frozenset[Ref], givers: Collection[Ref]
    ) -> ApprovalLine:
        asked, shown = listed.request, preview_of(self.desk.store, listed.request.id)
        waiting = [asked.stages[index] for index in listed.tally.waiting]
        groups = dict.fromkeys(name for one in waiting for name in one.all_groups)
        return ApprovalLine(
            request=asked.id,
            title=shown.title,
            headline=self._headline(asked, shown),
            requester=shown.asker,
            expires_at=asked.expires_at,
            have=listed.tally.have,
            need=listed.tally.need,
            asked=tuple(Who(name=name) for name in groups),
            card=link_to(self.desk, listed.place),
            is_mine=listed.is_for(mine, givers),
        )

    def _headline(self, asked: ApprovalRequest, shown: Preview) -> str:
        """Return what would run beyond the title; of a batch, the first of what is open."""
        if asked.batch is None:
            return shown.more
        some = [one for one in self.desk.store.batch(asked.batch) if one.outcome is Outcome.OPEN]
        return f"{plural(len(some), 'item')}, {shown.headline} first"

    def _workflow_line(
        self, definition: Definition, mine: Permitted, stands: Standing
    ) -> WorkflowLine:
        return WorkflowLine(
            name=definition.workflow,
            title=definition.title,
            description=definition.description or "",
            version=definition.version,
            owner=definition.owner,
            is_destructive=self.desk.library.is_destructive(definition),
            may_start=definition.workflow in mine.names,
            is_certain=mine.is_certain,
            run_by=definition.may_run,
            is_best_effort=definition.is_best_effort,
            level=stands.level,
            success=stands.went.rate,
            failed_at=stands.went.failed_at,
            drifted=stands.drifted,
            going=[
                VersionInUse(
                    version=one.version, runs=one.runs, asked=one.asked, is_active=one.is_active
                )
                for one in stands.going
            ],
        )


def _timeline_line(moment: Moment, known: Known) -> TimelineLine:
    return TimelineLine(
        index=moment.entry.index,
        at=moment.entry.at,
        did=moment.did,
        words=moment.words,
        actor=who(moment.entry.actor, known),
        agreed=[(who(one.actor, known), one.index) for one in moment.agreed],
        alone=[(who(one.actor, known), one.index) for one in moment.alone],
        notes=moment.notes,
    )
