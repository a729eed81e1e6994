"""The master key of this process, by its settings: given, or the home's own file."""

from bot.settings import Settings
from storage.master_key import VARIABLE, HomeMaster, KeyMaster, Master, read_key

NEXT_VARIABLE = f"{VARIABLE}_NEXT"


def master_of(settings: Settings) -> Master:
    """Return what unwraps the sealing key.

    Raises:
        SecretError: a key that is given is none.
    """
    if settings.secrets_key is None:
        return HomeMaster(settings.home)
    keys = [read_key(settings.secrets_key.get_secret_value(), VARIABLE)]
    if settings.secrets_key_next is not None:
        keys.append(read_key(settings.secrets_key_next.get_secret_value(), NEXT_VARIABLE))
    return KeyMaster(*keys)


def following_master(settings: Settings, *, renewed: bool) -> Master:
    """Return what is to wrap from now on: a new key where one is given, or is to be made.

    Raises:
        SecretError: the key that is given is none.
    """
    if settings.secrets_key_next is not None:
        return KeyMaster(read_key(settings.secrets_key_next.get_secret_value(), NEXT_VARIABLE))
    if renewed:
        return HomeMaster(settings.home).following()
    return master_of(settings)
