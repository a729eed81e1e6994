"""What the entries about kept secrets state, as changes of their table. Pure, as `projections`."""

from collections.abc import Callable, Iterable, Mapping

from storage.change import Change, Update, Upsert
from workflows.entry import Entry

IS_NOT_KEPT = "This secret is not kept here any more; nothing was recorded."


def secret_set(entry: Entry) -> Iterable[Change]:
    """Somebody gave it a value, the first or a new one."""
    yield Upsert(
        "secret",
        {"name": entry.data["secret"]},
        {
            "version": entry.data["version"],
            "set_at": entry.at,
            "set_by": entry.actor.ref,
            "rotated_at": None,
            "forgotten_at": None,
        },
    )


def secret_rotated(entry: Entry) -> Iterable[Change]:
    """Its value lies sealed under a new key."""
    yield Update("secret", _kept(entry), {"rotated_at": entry.at}, IS_NOT_KEPT)


def secret_forgotten(entry: Entry) -> Iterable[Change]:
    """Somebody had the value removed."""
    yield Update("secret", _kept(entry), {"forgotten_at": entry.at}, IS_NOT_KEPT)


def _kept(entry: Entry) -> Mapping[str, object]:
    return {
        "name": entry.data["secret"],
        "version": entry.data["version"],
        "forgotten_at": None,
    }


SECRETS_STATED: Mapping[str, Callable[[Entry], Iterable[Change]]] = {
    "secret.set": secret_set,
    "secret.rotated": secret_rotated,
    "secret.forgotten": secret_forgotten,
}
