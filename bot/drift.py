"""What is active compared with what is here: the files, the code of actions, the stored texts.

Values only; `bot.drift_watch` tells people, and screens mark what has drifted.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from bot.library import POLICY, Actions, actions_digest
from bot.stored_texts import is_genuine
from storage.catalog_history import code_of_versions, told_active
from storage.published import active_policy, active_version, active_versions, canonical_of
from storage.transaction import Database
from workflows.alike import same_work
from workflows.catalog import Catalog
from workflows.definition import Definition
from workflows.errors import DefinitionError
from workflows.own_workflows import ACCESS_REVIEW, is_own
from workflows.policy import Policy
from workflows.roles import Sight

ANOTHER = "another workflow"


class What(StrEnum):
    """What has drifted."""

    FILE = "file"  # The file says something else than what is active.
    NEW = "new_file"  # A file that nobody has agreed to yet.
    GONE = "no_file"  # It is active, and no file holds it any more.
    CODE = "code"  # An action that it uses is not the code it was published with.
    TEXT = "text"  # Its stored text was changed by hand.
    ROW = "row"  # Which version is active was changed by hand.
    COPY = "copy"  # Another workflow asks for and does the same, under another name.
    POLICY = "policy"  # The policy file says something else than what is in force.
    USE = "use"  # Its runs did what those of another workflow do.
    ONE_OFF = "one_off"  # It takes whatever is typed, and the same is asked for again and again.


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One thing that is not as people agreed to it; `here` is what was found instead.

    `runs` says of what was found in use which runs showed it.
    """

    what: What
    workflow: str
    active: str | None
    here: str
    runs: str = ""

    @property
    def words(self) -> str:
        """Say what was found, and what to do."""
        now = "nothing" if self.active is None else self.active[:8]
        return {
            What.FILE: f"the file says {self.here[:8]}, and {now} is active:"
            " `interlock publish` puts it to people",
            What.NEW: f"its file ({self.here[:8]}) was never agreed to:"
            " `interlock publish` puts it to people",
            What.GONE: f"{now} is active, and no file holds it:"
            " `interlock publish --retire` takes it away",
            What.CODE: f"the actions of {now} are not the code that it was published with:"
            " `interlock publish` puts it to people again",
            What.TEXT: f"the stored text of {now} was changed by hand, and nothing runs from it:"
            " `interlock publish` restores it from the right file",
            What.ROW: f"by the log {now} is active, and the table says"
            f" {self.here[:8] or 'nothing'}: it was changed by hand, and nothing starts from it;"
            " `interlock publish` of the right version puts it right",
            What.COPY: f"it asks for and does what {self.here} does, under another name:"
            " `interlock publish --retire` takes one of them away",
            What.USE: f"{self.runs} asked for and did what runs of {self.here} do, under another"
            " name: have one of the two done for both",
            What.ONE_OFF: f"{self.runs} asked for the same, each as if for the first time:"
            " `interlock new` makes a workflow of it",
            What.POLICY: f"the file says {self.here[:8] or 'nothing'}, and {now} is in force:"
            " `interlock publish --policy` puts it to those who govern",
        }[self.what]

    def shown_to(self, sight: Sight) -> "Drift":
        """Return it for somebody who sees these workflows: no other one is named to them."""
        is_named = self.what in {What.COPY, What.USE}
        return replace(self, here=ANOTHER) if is_named and self.here not in sight else self

    @property
    def key(self) -> str:
        """Return the same for the same finding, whoever finds it."""
        return f"{self.what.value}/{self.workflow}/{(self.active or '')[:16]}/{self.here[:16]}"

    @property
    def data(self) -> dict[str, str | None]:
        """Return it as data."""
        return {
            "what": self.what.value,
            "workflow": self.workflow,
            "active": self.active,
            "here": self.here,
            "words": self.words,
        }


def policy_drift(database: Database, read_file: Callable[[], Policy]) -> list[Drift]:
    """Return that the policy file has drifted, if it has; one that cannot be used says nothing."""
    active = active_policy(database, POLICY)
    try:
        here = read_file().digest
    except DefinitionError:
        here = ""
    if active in (None, here):
        return []
    return [Drift(what=What.POLICY, workflow=POLICY, active=active, here=here)]


Read: TypeAlias = Callable[[str, str], Definition]


def from_text(_version: str, stored: str) -> Definition:
    """Return the definition of a stored text.

    Raises:
        DefinitionError: this release cannot read it.
    """
    return Definition.from_canonical(stored.encode())


def drifts(
    database: Database, actions: Actions, files: Catalog | None, *, read: Read = from_text
) -> list[Drift]:
    """Return all that has drifted, by workflow; without `files` nothing is said of files.

    `read` gives the definition of a version whose text is the right one.
    """
    active = {
        name: version for name, version in active_versions(database).items() if not is_own(name)
    }
    found = [*_rows(active, database), *_texts_and_code(database, actions, active, read)]
    if files is not None:
        found += _files(active, files)
    return sorted(found, key=lambda one: (one.workflow, one.what))


def _rows(active: Mapping[str, str], database: Database) -> Iterator[Drift]:
    told = {name: one for name, one in told_active(database).items() if not is_own(name)}
    for name in sorted(told.keys() | active.keys()):
        if told.get(name) != active.get(name) == active_version(database, name):  # And stays so.
            here = active.get(name) or ""
            yield Drift(what=What.ROW, workflow=name, active=told.get(name), here=here)


def _files(active: Mapping[str, str], files: Catalog) -> Iterator[Drift]:
    here = {one.workflow: one.version for one in files.definitions() if not is_own(one.workflow)}
    for name, version in here.items():
        if name not in active:
            yield Drift(what=What.NEW, workflow=name, active=None, here=version)
        elif active[name] != version:
            yield Drift(what=What.FILE, workflow=name, active=active[name], here=version)
    # A file that cannot be read may hold any of them.
    if all(fault.is_warning for fault in files.faults):
        for name in active.keys() - {*here, ACCESS_REVIEW}:  # That one comes from the policy.
            yield Drift(what=What.GONE, workflow=name, active=active[name], here="")


def _texts_and_code(
    database: Database, actions: Actions, active: Mapping[str, str], read: Read
) -> Iterator[Drift]:
    code = code_of_versions(database)
    sound: list[Definition] = []
    for name, version in active.items():
        stored = canonical_of(database, version) or ""
        if not is_genuine(stored, version):
            yield Drift(what=What.TEXT, workflow=name, active=version, here="")
            continue
        try:
            sound.append(read(version, stored))
        except DefinitionError:
            continue  # Only a newer release can read it, and judge it.
        digest = actions_digest(sound[-1], actions)
        if code.get(version, digest) != digest:
            yield Drift(what=What.CODE, workflow=name, active=version, here=digest)
    for one, other in same_work(sound, actions):
        yield Drift(what=What.COPY, workflow=one.workflow, active=one.version, here=other.workflow)
