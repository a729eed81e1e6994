"""The master key of this process, by its settings: in KMS, an age identity, given, or a file."""

from collections.abc import Callable
from datetime import datetime

from bot.secret_settings import KEY
from bot.settings import Settings
from storage.master_key import HomeMaster, KeyMaster, Master, read_key
from workflows.errors import SecretError


def master_of(settings: Settings, *, now: Callable[[], datetime]) -> Master:
    """Return what wraps and unwraps the sealing key.

    Raises:
        SecretError: a key that is given is none.
    """
    here = _held_here(settings)
    if not settings.secrets_kms_key:
        return here
    from bot.aws import kms_of  # noqa: PLC0415 - most bots have no such key.
    from bot.kms_master import KmsMaster  # noqa: PLC0415 - as above.

    return KmsMaster(kms=kms_of(settings, now=now), key=settings.secrets_kms_key, earlier=here)


def following_master(settings: Settings, *, renewed: bool, now: Callable[[], datetime]) -> Master:
    """Return what is to wrap from now on: a new key where one is given, or is to be made.

    Raises:
        SecretError: the key that is given is none, or a new one cannot be made for its place.
    """
    if settings.secrets_key_next is not None:
        return KeyMaster(read_key(settings.secrets_key_next.get_secret_value(), f"{KEY}_NEXT"))
    if renewed and not (settings.secrets_kms_key or settings.secrets_age):
        if settings.secrets_key is not None:
            raise SecretError(
                f"The master key is given by {KEY}, so a new one cannot be made in the home.",
                hint=f"Set {KEY}_NEXT to the new one, then rotate without --master.",
            )
        return HomeMaster(settings.home).following()
    return master_of(settings, now=now)


def _held_here(settings: Settings) -> Master:
    given = (settings.secrets_key, KEY), (settings.secrets_key_next, f"{KEY}_NEXT")
    keys = [read_key(one.get_secret_value(), name) for one, name in given if one is not None]
    held = KeyMaster(*keys) if settings.secrets_key is not None else HomeMaster(settings.home)
    if settings.secrets_age is None:
        return held
    from storage.age_master import AgeMaster  # noqa: PLC0415 - as above.

    return AgeMaster(file=settings.secrets_age, earlier=held)
