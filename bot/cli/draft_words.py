"""What a language model says of a draft, and what of it may be taken."""

import os
from dataclasses import dataclass, replace

from bot.beside import have_done
from bot.draft_orders import DraftOrder
from bot.settings import Settings
from workflows.adopting.found import Script
from workflows.adopting.proposed import Proposal, read_proposal, with_proposal
from workflows.adopting.writing import Heading
from workflows.errors import InterlockError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What stays as it is: a title that somebody gave, and the order of a script."""

    title: bool
    order: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a model proposes; without a proposal `why` says what came instead."""

    model: str = ""
    proposal: Proposal | None = None
    why: str = ""

    def applied(self, found: Script, heading: Heading, kept: Kept) -> tuple[Script, Heading] | None:
        """Return script and heading with these words, None where there are none."""
        proposal = self.proposal
        if proposal is None:
            return None
        said = replace(heading, description=proposal.description, model=self.model)
        if proposal.title and not kept.title:
            said = replace(said, title=proposal.title, is_titled_by_model=True)
        return with_proposal(found, proposal, may_order=not kept.order), said


def asked_for_words(settings: Settings, prompt: str) -> Words:
    """Ask the model of the settings; whatever goes wrong, the draft does without it."""
    try:
        told = have_done(settings, DraftOrder(prompt=prompt), user=os.getuid())
    except InterlockError as refusal:
        return Words(why=str(refusal).rstrip("."))
    proposal = read_proposal(str(told["words"]))
    if proposal is None:
        return Words(why="its answer had another form")
    return Words(model=str(told["model"]), proposal=proposal)
