"""A second place for the newest head: a folder that whoever runs the bot cannot easily edit.

One file a log, replaced as a whole. It is read again at each start: a log that is shorter than
the file says, or differs from it, is a restored or changed copy.
"""

import errno
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.anchors.calling import AnchorError
from bot.anchors.outsiders import Vouched
from bot.whole_files import write_whole
from storage.anchors import Evidence
from storage.checkpoint import Checkpoint, MalformedNoteError, read_note
from storage.database import Database
from storage.heads import Head
from storage.outside import OwnPast

SUFFIX = ".checkpoint"
MOST_BYTES = 1 << 16

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The folder, as a keeper of heads of the log `log_id`."""

    path: Path
    log_id: str
    now: Callable[[], datetime]
    name: str = "folder"

    def vouch(self, head: Head) -> Vouched:
        """Put the head there, unless what stands there is larger or of another history."""
        try:
            self._refuse_to_lose(head)
            write_whole(self._file, head.note.encode())
        except OSError as error:
            raise AnchorError(
                f"The folder {self.path} cannot be used: {error.strerror}."
            ) from error
        content = head.note.encode()
        evidence = Evidence(type=self.name, ref=self._file.name, content=content, at=self.now())
        return Vouched(evidence=evidence)

    def _refuse_to_lose(self, head: Head) -> None:
        stands = self._stands()
        if stands is None:
            return
        is_fork = stands.size == head.size and stands.root != head.root
        if stands.origin != head.origin or stands.size > head.size or is_fork:
            raise AnchorError(
                f"{self._file} holds a head of {stands.size} entries of {stands.origin}, which"
                f" this log of {head.size} does not go on from. It is left as it is."
            )

    def _stands(self) -> Checkpoint | None:
        try:
            return read_note(_text_of(self._file)).checkpoint
        except FileNotFoundError:
            return None
        except (MalformedNoteError, UnicodeDecodeError) as error:
            raise AnchorError(f"{self._file} holds no head. It is left as it is.") from error

    @property
    def _file(self) -> Path:
        return self.path / f"{self.log_id}{SUFFIX}"


def compare_folder(path: Path, database: Database, *, log_id: str) -> None:
    """Return if the head in the folder is the log's own past, or if there is none to read.

    Raises:
        UnusableDatabaseError: the log is shorter than that head, or another one.
    """
    file = path / f"{log_id}{SUFFIX}"
    try:
        text = _text_of(file)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        log.warning("the kept head cannot be read", extra={"file": str(file)})
        return
    with database.read() as connection:
        if not OwnPast(connection).require_note(text, where=str(file)):
            log.warning("the kept head is not signed by this log", extra={"file": str(file)})


def _text_of(file: Path) -> str:
    """Return what a file says; whoever may write there keeps no start waiting for it.

    Raises:
        OSError: there is none, it is no plain file, or larger than any head.
        UnicodeDecodeError: it is no text.
    """
    # A pipe would be waited for until somebody writes into it.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as held:
        known = os.fstat(held.fileno())
        if not stat.S_ISREG(known.st_mode) or known.st_size > MOST_BYTES:
            raise OSError(errno.EINVAL, "It is no file of the size of a head", str(file))
        return held.read(MOST_BYTES).decode()
