"""The worker that asks a language model, where one is set."""

from bot.doctor.findings import Finding, fail, ok, warn
from bot.settings import Settings
from workflows.model.installing import LOCK, PINNED

COSTS = "Summaries quote instead of telling, and steps that ask a model fail."


def look_at_model(settings: Settings) -> Finding:
    """Return whether the worker is installed, in the release of our lock, and has its key."""
    if not settings.model:
        return ok("model", "None is set; summaries quote.")
    found = _installed(settings)
    pinned = PINNED.search(LOCK.read_text(encoding="utf-8"))
    wanted = pinned[1] if pinned is not None else ""
    if not found:
        return fail(
            "model",
            f"{settings.model} is set, and its worker is not installed.",
            costs=COSTS,
            do="Run `interlock model install`.",
        )
    if found != wanted:
        return warn(
            "model",
            f"The worker has litellm {found}; this release wants {wanted}.",
            costs="A release that nobody looked at is asked.",
            do="Run `interlock model install` again.",
        )
    if settings.model_key is None and not settings.model_base_url:
        return warn(
            "model",
            f"{settings.model} is set without a key.",
            costs=COSTS,
            do="Set INTERLOCK_MODEL_KEY, or INTERLOCK_MODEL_KEY_FILE to a file.",
        )
    return ok("model", f"{settings.model}, by litellm {found}.")


def _installed(settings: Settings) -> str:
    """Return the version that lies in the worker's folder, "" where there is none."""
    if not (settings.model_folder / "litellm").is_dir():
        return ""
    found = sorted(settings.model_folder.glob("litellm-*.dist-info"))
    return found[0].name.removeprefix("litellm-").removesuffix(".dist-info") if found else "?"
