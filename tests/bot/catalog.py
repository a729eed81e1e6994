"""A bot without Slack whose policy gates publications: people of the town, a folder of files."""

import json
from contextlib import ExitStack
from pathlib import Path

from bot.core import Core, Means, build_core
from bot.opening import begin_log, open_memory
from bot.proposing import Proposing, Put, Source
from bot.settings import Settings
from storage.history import read_entries, read_run
from storage.outbox_values import OutboxRow
from storage.published import active_version
from tests.world import Clock, Town, id_of
from workflows.entry import Entry, RequestId, RunId
from workflows.gate import Verdict
from workflows.orders import Ballot, Decided
from workflows.people import PersonId
from workflows.store import Subject

POLICY = """
defaults: {expires: 24h}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@deciders"], approve: 1}]
roles: {governors: ["@governors"]}
operators: {rita: "@rita", ben: "@ben", omar: "@omar", dora: "@dora"}
"""
GATED = POLICY + "publish: {}\n"
PLAIN = """
workflow: tidy-up
title: Tidy up
owner: "@owners"
deputy: "@deputies"
channel: "#ops"
inputs: {what: {type: string}}
steps:
  - id: say
    uses: slack.post
    with: {channel: "#ops", text: "Tidied ${{ inputs.what }}"}
    approval: {stages: [{from: ["@deciders"], approve: 2}]}
    undo: none
"""
LOWERED = PLAIN.replace("approve: 2", "approve: 1")


class Office:
    """One bot on a home of its own; people decide, and runs go on when `settle` is called."""

    def __init__(
        self, folder: Path, policy: str = GATED, *, database: str = "", has_one_clock: bool = False
    ) -> None:
        """With `has_one_clock` the log goes by the clock of the bot, as outside of tests."""
        self.folder = folder
        self.clock = Clock()
        self._log_clock = self.clock if has_one_clock else None
        self.town = Town()
        self.town.groups |= {"@owners": {"omar", "olga"}, "@governors": {"gina", "omar"}}
        (folder / "files").mkdir()
        self.settings = Settings.model_validate(
            {
                "home": folder / "home",
                "policy": folder / "policy.yaml",
                "workflows": folder / "files",
                "channel": "ops",
                "database": database,
            }
        )
        begin_log(self.settings, now=self._log_clock).database.close()
        self.write("policy.yaml", policy)
        self.core = self.start()

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(text)
        return file

    def start(self, *, publishes: bool = True) -> Core:
        """Read the files as a bot does when it starts."""
        means = Means(now=self.clock, environment={})
        with ExitStack() as unless_it_starts:
            memory = open_memory(self.settings, now=self._log_clock)
            unless_it_starts.callback(memory.database.close)
            core = build_core(
                self.settings, memory, people=self.town, means=means, publishes=publishes
            )
            unless_it_starts.pop_all()
        return core

    def restart(self) -> None:
        self.core.memory.database.close()
        self.core = self.start()

    def propose(self, text: str, *, by: str = "rita", author: str | None = None) -> Put:
        source = Source(text=text, file="tidy-up.yaml")
        return self.proposing(by).publish(source, author=author, reason="It is time.")

    def proposing(self, account: str) -> Proposing:
        return Proposing(self.core, PersonId(f"os:{account}"))

    def settle(self, run: str | None) -> None:
        assert run is not None
        self.core.engine.advance(RunId(run))

    def vote(self, run: str | None, by: str, verdict: Verdict = Verdict.APPROVE) -> Decided:
        asked = [one for one in self.entries(run) if one.kind == "approval.requested"]
        request = RequestId(str(asked[-1].data["request"]))
        ballot = Ballot(request=request, person=id_of(by), verdict=verdict, comment="seen")
        return self.core.engine.decide(ballot)

    def agree(self, run: str | None, *people: str) -> None:
        """Have people approve a run, and let it go on."""
        self.settle(run)
        for one in people:
            self.vote(run, one)
        self.settle(run)

    def entries(self, run: str | None) -> list[Entry]:
        with self.core.memory.database.read() as connection:
            return read_run(connection, str(run))

    def log(self, *kinds: str) -> list[Entry]:
        with self.core.memory.database.read() as connection:
            return [one for one in read_entries(connection, 0, 10_000) if one.kind in kinds]

    def title(self, run: str | None) -> str:
        """Return what the newest card of a run is called, once it is there."""
        self.settle(run)
        asked = [one for one in self.entries(run) if one.kind == "approval.requested"]
        return str(json.loads(asked[-1].parts["preview"].value or b"")["title"])

    def card(self, run: str | None) -> list[str]:
        """Return the lines of the newest card of a run."""
        asked = [one for one in self.entries(run) if one.kind == "approval.requested"]
        shown = json.loads(asked[-1].parts["preview"].value or b"")
        return [str(one) for one in shown["lines"]]

    def notices(self) -> list[OutboxRow]:
        """Return the notices that wait to be delivered, in the order they were sent."""
        rows = self.core.store.outbox.claim_messages(by="test", limit=100)
        return [one for one in rows if one.subject is Subject.NOTICE]

    def active(self, workflow: str = "tidy-up") -> str | None:
        return active_version(self.core.memory.database, workflow)
