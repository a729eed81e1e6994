"""What a loss of power would leave of files: only what was flushed, and whose name was."""

import os
import stat
from pathlib import Path

import pytest


class Flushes:
    """Notes what this process has on the disk: the sizes of files, the names in folders."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sizes: dict[int, int] = {}
        self._names: dict[int, dict[str, int]] = {}
        self._first = os.fsync
        monkeypatch.setattr(os, "fsync", self._flush)

    def has_name(self, path: Path, *, below: Path) -> bool:
        """Say whether a file would still be found where it stands, from the folder `below` on."""
        while path != below:
            names = self._names.get(path.parent.stat().st_ino, {})
            if names.get(path.name) != path.stat().st_ino:
                return False
            path = path.parent
        return True

    def has(self, path: Path, *, below: Path) -> bool:
        """Say whether a file, or a folder with all that is in it, would be there as it is now."""
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        return bool(files) and all(
            self._sizes.get(one.stat().st_ino) == one.stat().st_size
            and self.has_name(one, below=below)
            for one in files
        )

    def _flush(self, file: int) -> None:
        self._first(file)
        about = os.fstat(file)
        if stat.S_ISDIR(about.st_mode):
            with os.scandir(file) as found:
                self._names[about.st_ino] = {one.name: one.inode() for one in found}
        else:
            self._sizes[about.st_ino] = about.st_size
