"""What a look needs from outside: the time, the disk, the environment. Tests bring their own."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.settings import Settings
from storage.journal import utc_now


def free_bytes(folder: Path) -> int:
    """Return how much room there is on the disk of a folder."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The settings that are looked at, and what surrounds the process."""

    settings: Settings
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: Callable[[], datetime] = utc_now
    ticks: Callable[[], float] = time.monotonic
    free: Callable[[Path], int] = free_bytes
