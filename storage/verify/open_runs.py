"""What the check of meaning holds while it reads: what each open run told, who decides for whom."""

from dataclasses import dataclass, field

from storage.verify.asked import Asked
from storage.verify.effects import Effects


@dataclass(frozen=True, slots=True)
class Word:
    """Who decides for somebody who is away, and until when."""

    to: str | None
    until: str

    def names(self, person: str, *, at: str) -> bool:
        """Say whether it is this person, at that moment; both write moments in one form."""
        return self.to == person and at < self.until


@dataclass(slots=True)
class Told:
    """What an open run has told so far."""

    requester: str | None
    version: str | None = None  # None where the run began before what is seen.
    workflow: str = ""
    is_shadow: bool = False
    requests: dict[str, Asked] = field(default_factory=dict)
    effects: Effects = field(default_factory=Effects)
    broken_glass: set[str] = field(default_factory=set)
    editors: set[str] = field(default_factory=set)  # Who changed it; they decide nothing.
