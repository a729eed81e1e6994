"""What may be asked of the keys of the log: enrol one, end one, replace this machine's own.

Like every order it is carried out here or by the process that serves this home. It needs the
log and the keys, and neither Slack nor the policy.
"""

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from bot.anchors.second_key import second_signer
from bot.opening import Memory
from bot.settings import Settings, SettingsError
from storage.checkpoint import Signer
from storage.enrolment import KnownKey
from storage.key_changes import KeyChange, KeyOffice
from storage.key_request import read_request
from workflows.entry import Json
from workflows.people import PersonId

# Long enough for a process of the same home that has just looked at its key file.
PAUSE = 1.0


class _KeyOrder(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnrolOrder(_KeyOrder):
    """Enrol the writer key that `line` asks for."""

    do: Literal["enrol_key"] = "enrol_key"
    line: str = Field(max_length=1000)


class EndOrder(_KeyOrder):
    """End a key; with `since`, its entries from there on become doubtful."""

    do: Literal["end_key"] = "end_key"
    key: str = Field(max_length=64)
    since: int | None = Field(default=None, ge=0)


class RotateOrder(_KeyOrder):
    """Give this home another writer key, or the log another key for its heads."""

    do: Literal["rotate_key"] = "rotate_key"
    holder: str = Field(default="", max_length=64)
    log: bool = False


class SecondOrder(_KeyOrder):
    """Bring the second key, that of the settings, into the log."""

    do: Literal["second_key"] = "second_key"


KeyOrder: TypeAlias = EnrolOrder | EndOrder | RotateOrder | SecondOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDesk:
    """Where key orders are carried out: the log, and the settings that say where keys are."""

    memory: Memory
    settings: Settings

    def carry_out(self, order: KeyOrder, *, person: PersonId) -> Mapping[str, Json]:
        """Do what `order` says in the name of `person` and return the answer.

        Raises:
            SigningKeyError: it is refused.
            SettingsError: there is no second key.
            AnchorError: the second key cannot be asked.
            StorageError: it could not be recorded.
        """
        office = KeyOffice(self.memory.database, self.memory.journal, person=person)
        changed = self._change(office, order)
        return {"ok": True, "changed": changed.is_new, "key": key_data(changed.key)}

    def _change(self, office: KeyOffice, order: KeyOrder) -> KeyChange:
        if isinstance(order, EnrolOrder):
            return office.enrol(read_request(order.line))
        if isinstance(order, RotateOrder):
            home = self.settings.home
            if order.log:
                return office.rotate_log(home)
            return office.rotate(home, holder=order.holder or this_machine(), pause=self._pause)
        if isinstance(order, SecondOrder):
            return office.add_second(self._second())
        if order.since is None:
            return office.retire(order.key)
        return office.revoke(order.key, since=order.since)

    def _second(self) -> Signer:
        origin = self.memory.journal.origin
        found = second_signer(self.settings, origin=origin, now=self.memory.clock)
        if found is None:
            raise SettingsError(
                "No second key is set.", hint="Set INTERLOCK_KMS_KEY; docs/witnesses says how."
            )
        return found

    def _pause(self) -> None:
        if self.memory.database.dialect != "sqlite":  # There no other process writes.
            time.sleep(PAUSE)


def key_data(key: KnownKey) -> dict[str, Json]:
    """Return what is known of a key, as `--json` prints it."""
    return {
        "id": key.id,
        "role": key.role,
        "holder": key.holder,
        "state": key.state,
        "added_at": key.added_at,
        "ended_at": key.ended_at,
        "revoked_from": key.revoked_from,
        "vkey": key.vkey,
    }


def this_machine() -> str:
    """Return the name under which this machine holds a key, if nobody gives another."""
    return re.sub(r"[^A-Za-z0-9_.@-]", "-", socket.gethostname())[:64] or "machine"
