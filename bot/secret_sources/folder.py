"""Secrets from a folder, one file for each, as orchestrators mount them.

`INTERLOCK_SECRETS_DIR` names the folder; its file `shop_token` is the secret of that name. A
file is read anew for each use, so one that was replaced counts at once.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from bot.secret_sources.port import LONGEST, checked
from workflows.errors import SecretError, SecretUnreadableError
from workflows.secret_book import Found, plain

OTHERS = 0o007  # Its group may read it: an orchestrator gives mounted files to a group.
MOST_BYTES = 4 * LONGEST  # No character takes more in UTF-8.


class FolderSource:
    """One folder of secrets."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> Found | None:
        path = self._files().get(plain(name))
        if path is None:
            return None
        where = f"The secret file {path.name}"
        value = _content(path, where).removesuffix("\n").removesuffix("\r")
        return Found(value=checked(value, where))

    def names(self) -> Iterable[str]:
        return self._files()

    def _files(self) -> dict[str, Path]:
        """Return the files by plain name; hidden ones are the orchestrator's own."""
        try:
            listed = sorted(one for one in self._folder.iterdir() if not one.name.startswith("."))
        except OSError as error:
            raise SecretUnreadableError(
                f"The folder of secrets cannot be read: {error.strerror}.",
                hint="Correct INTERLOCK_SECRETS_DIR or its permissions.",
            ) from error
        found: dict[str, Path] = {}
        for path in listed:
            if (other := found.setdefault(plain(path.name), path)) is not path:
                raise SecretError(
                    f"{other.name} and {path.name} in the folder of secrets are one name.",
                    hint="Remove one of them.",
                )
        return found


def _content(path: Path, where: str) -> str:
    try:
        # What was looked at is what is read: a name may lead elsewhere a moment later.
        with open(path, "rb") as file:  # noqa: PTH123  its descriptor is wanted
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_mode & OTHERS:
                raise SecretError(
                    f"{where} is no plain file that others cannot read.",
                    hint=f"chmod 600 {path.name}; if somebody may have read it, replace the value.",
                )
            return file.read(MOST_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"{where} cannot be read.", hint="Correct its permissions.") from error
