"""Lets commands beside a serving process hand it what changes something.

On SQLite one process writes. `interlock run` in another terminal sends its order over a
Unix socket in the home folder; whoever the kernel says is at the other end is the actor.
"""

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.logs import attributed
from bot.order_form import OrderError
from bot.unix_socket import connect_to, listen_at, peer_of, read_line
from workflows.entry import Json
from workflows.errors import InputsError, InterlockError
from workflows.people import PersonId

if TYPE_CHECKING:
    from bot.orders import AnyOrder

NAME = "holder.sock"
MOST_BYTES = 1024 * 1024  # Of an order.
MOST_ANSWERED = 64 * 1024 * 1024  # A digest of decades has each of their days.
SECONDS = 30.0
LONG_SECONDS = 4 * 3600.0  # A pack of a large log is written in minutes, on a slow disk in more.

log = logging.getLogger(__name__)

CarryOut: TypeAlias = "Callable[[AnyOrder, PersonId], Mapping[str, Json]]"


class RefusedThereError(InterlockError):
    """The serving process refused an order; `kind` is the class of its refusal."""

    def __init__(self, message: str, *, hint: str = "", kind: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class Holder:
    """Takes orders at the home folder's socket until it is stopped."""

    def __init__(self, home: Path, carry_out: CarryOut) -> None:
        self._path = home / NAME
        self._carry_out = carry_out
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=attributed(self._listen), name="holder", daemon=True)

    def start(self) -> None:
        """Listen. The caller holds the serving lock, so a socket found there is a dead one's."""
        self._listener = listen_at(self._path)
        self._thread.start()

    def stop(self) -> None:
        """Take no more orders."""
        if self._listener is None:
            return
        self._path.unlink(missing_ok=True)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS)

    def _listen(self) -> None:
        while self._listener is not None:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # Closed by `stop`.
                return
            threading.Thread(
                target=attributed(self._serve), args=(connection,), daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(SECONDS)
            try:
                line = read_line(connection, most=MOST_BYTES)
                answer = self._answer(line, peer_of(connection))
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                log.warning("an order's sender went away")

    def _answer(self, line: bytes, person: PersonId) -> Mapping[str, Json]:
        from bot.orders import read_order  # noqa: PLC0415 - 1.7 MB, and orders are few.

        try:
            return self._carry_out(read_order(line), person)
        except InterlockError as refusal:
            return _refusal(refusal)
        except Exception:
            log.exception("an order failed")
            return {"ok": False, "message": "The serving process failed; its log says why."}


def _refusal(refusal: InterlockError) -> dict[str, Json]:
    answer: dict[str, Json] = {
        "ok": False,
        "kind": type(refusal).__name__,
        "message": refusal.message,
        "hint": refusal.hint,
    }
    if isinstance(refusal, InputsError):
        answer["fields"] = dict(refusal.fields)
    return answer


def hand_over(home: Path, order: "AnyOrder") -> Mapping[str, Json] | None:
    """Return the serving process's answer, or None if no process serves here.

    Raises:
        InputsError: the run's inputs do not fit.
        RefusedThereError: the order is refused.
        OrderError: the serving process went away; a run may have been started.
    """
    from bot.export_orders import ExportOrder  # noqa: PLC0415 - for who sends, not who serves.

    patience = LONG_SECONDS if isinstance(order, ExportOrder) else SECONDS
    connection = connect_to(home / NAME, timeout=patience)
    if connection is None:
        return None
    with connection:
        try:
            connection.sendall(order.model_dump_json().encode() + b"\n")
            line = read_line(connection, most=MOST_ANSWERED)
        except OSError as error:
            raise _lost() from error
    if not line.endswith(b"\n"):
        raise _lost()
    return _read_answer(json.loads(line))


def _read_answer(answer: Mapping[str, Json]) -> Mapping[str, Json]:
    if answer.get("ok"):
        return answer
    fields = answer.get("fields")
    if isinstance(fields, dict):
        raise InputsError({name: str(why) for name, why in fields.items()})
    raise RefusedThereError(
        str(answer.get("message", "")),
        hint=str(answer.get("hint", "")),
        kind=str(answer.get("kind", "")),
    )


def _lost() -> OrderError:
    return OrderError(
        "The serving process went away before it answered.",
        hint="Look with `interlock runs` before you try again; under a --key that is safe anyhow.",
    )
