"""Puts the desk together at which a language model is asked."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot.opening import Memory
from bot.settings import Settings
from storage.model_costs import read_model_costs
from workflows.model.desk import Budget, ModelDesk
from workflows.model.port import LanguageModel, NoModel, Price
from workflows.model.worker import LiteLlm


def desk_of(
    settings: Settings,
    memory: Memory,
    *,
    redact: Callable[[str], str],
    new_id: Callable[[], str],
    now: Callable[[], datetime],
) -> ModelDesk:
    """Return the desk that the settings ask for; without a model it only says so."""
    budget = Budget(
        per_day=settings.model_budget or 0,
        spent=partial(read_model_costs, memory.database),
        now=now,
    )
    return ModelDesk(_model_of(settings), budget=budget, redact=redact, new_id=new_id)


def _model_of(settings: Settings) -> LanguageModel:
    if not settings.model:
        return NoModel()
    tokens_in, tokens_out = settings.model_price.split("/")
    return LiteLlm(
        name=settings.model,
        price=Price(tokens_in=int(tokens_in), tokens_out=int(tokens_out)),
        folder=settings.model_folder,
        key=settings.model_key,
        base_url=settings.model_base_url,
    )
