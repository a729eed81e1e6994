"""What may be asked of the secrets: to set one, list them, seal them anew, forget one.

A value crosses the Unix socket and the memory of the process that serves, and nothing else: it
is told to the redactor before it is stored, and no answer and no entry holds it.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, field_serializer

from bot.core import Core
from bot.master import following_master, master_of
from bot.order_form import OrderForm
from bot.secret_sources.built_in import BUILT_IN
from bot.secret_sources.port import checked
from bot.webhook_signature import signing_key
from storage.resealing import reseal
from storage.secret_rows import SecretSql, list_secrets, secret_name, uses
from workflows.entry import Actor, ActorKind, Draft, Json
from workflows.errors import SecretError
from workflows.moments import stamp
from workflows.people import PersonId
from workflows.secret_book import plain
from workflows.secret_use import grant_of, secrets_of
from workflows.store import Unit

NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$"


class SetSecretOrder(OrderForm):
    """Keep `value` under `name`, in place of an earlier one."""

    do: Literal["set_secret"] = "set_secret"
    name: str = Field(pattern=NAME)
    value: SecretStr

    @field_serializer("value", when_used="json")
    def _crosses_the_socket(self, value: SecretStr) -> str:
        return value.get_secret_value()


class ForgetSecretOrder(OrderForm):
    """Remove the value kept under `name`."""

    do: Literal["forget_secret"] = "forget_secret"
    name: str = Field(pattern=NAME)


class RotateSecretsOrder(OrderForm):
    """Seal everything by a new key; with `master`, under a new master key too."""

    do: Literal["rotate_secrets"] = "rotate_secrets"
    master: bool = False


class ListSecretsOrder(OrderForm):
    """Say which secrets there are and who needs them."""

    do: Literal["list_secrets"] = "list_secrets"


def set_secret(core: Core, order: SetSecretOrder, person: PersonId) -> Mapping[str, Json]:
    """Keep a value; whatever runs next uses it.

    Raises:
        SecretError: the value cannot be kept out of texts, is no key of the webhook that needs
            it, nothing can be sealed here, or a source that is asked first cannot say whether it
            has one too. Nothing was kept.
    """
    name, value = plain(order.name), checked(order.value.get_secret_value(), "The value")
    core.redact.learn(value)
    for webhook in (core.policy.webhooks or {}).values():
        if plain(webhook.secret) == name:
            signing_key(webhook, value)
    hidden_by = core.secrets.ahead_of(BUILT_IN, name)  # Whatever may refuse does so before.
    sealer = core.vault().ready()  # It may ask a key service, which no unit waits for.
    with core.store.begin() as unit:
        sql = SecretSql(unit.transaction)
        newest, _ = sql.hold(name)
        version = newest + 1
        data: dict[str, Json] = {"secret": name, "version": version}
        unit.append(Draft(kind="secret.set", actor=_actor(unit, core, person), data=data))
        sql.put(name, sealer.seal(value.encode(), name=secret_name(name, version)))
    return {"ok": True, "secret": name, "version": version, "hidden_by": hidden_by}


def forget_secret(core: Core, order: ForgetSecretOrder, person: PersonId) -> Mapping[str, Json]:
    """Remove a value. What it was stays out of texts until the process ends.

    Raises:
        SecretError: none is kept under that name.
    """
    name = plain(order.name)
    with core.store.begin() as unit:
        sql = SecretSql(unit.transaction)
        version, is_kept = sql.hold(name)
        if not is_kept:
            raise SecretError(
                f"No secret {name} is kept here.", hint="`interlock secret list` says where it is."
            )
        data: dict[str, Json] = {"secret": name, "version": version}
        unit.append(Draft(kind="secret.forgotten", actor=_actor(unit, core, person), data=data))
        sql.put(name, None)
    return {"ok": True, "secret": name, "version": version}


def rotate_secrets(core: Core, order: RotateSecretsOrder, person: PersonId) -> Mapping[str, Json]:
    """Seal all that lies sealed by a new key.

    Raises:
        SecretError: the master key is not here, or the new one is none.
    """
    settings, memory = core.settings, core.memory
    with core.store.begin() as unit:
        actor = _actor(unit, core, person)

    def told(name: str, version: int) -> Draft:
        data: dict[str, Json] = {"secret": name, "version": version}
        return Draft(kind="secret.rotated", actor=actor, data=data)

    count = reseal(
        core.store,
        log=memory.log_id,
        master=master_of(settings, now=core.means.clock),
        following=following_master(settings, renewed=order.master, now=core.means.clock),
        told=told,
    )
    return {"ok": True, "values": count}


def list_by_order(core: Core, _order: ListSecretsOrder, _person: PersonId) -> Mapping[str, Json]:
    """Return every secret that is kept or needed, without a value."""
    kept = {one.name: one for one in list_secrets(core.memory.database)}
    used = uses(core.memory.database)
    needed = _needed(core)
    found: list[Json] = []
    for name in sorted({*kept, *core.secrets.names(), *needed}):
        origin, own = core.secrets.origin(name), kept.get(name)
        grant = grant_of(name, core.policy)
        is_own = own is not None and origin is not None and origin.source == BUILT_IN
        found.append(
            {
                "secret": name,
                "source": None if origin is None else origin.source,
                "version": None if origin is None else origin.version or None,
                "set_at": stamp(own.set_at) if own is not None and is_own else None,
                "last_used_at": stamp(used[name]) if name in used else None,
                "used_by": list(needed.get(name, ())),
                "publishers": list(grant.publishers) if grant is not None else [],
                "trouble": None if origin is None else origin.trouble or None,
            }
        )
    return {"ok": True, "secrets": found}


def _needed(core: Core) -> dict[str, list[str]]:
    """Return the names of secrets, and which workflows and webhooks may use each."""
    found: dict[str, list[str]] = {plain(one): [] for one in core.policy.needed_secrets}
    for definition in core.library.definitions():
        for name in secrets_of(definition, core.actions):
            found.setdefault(plain(name), []).append(definition.workflow)
    for name, hook in (core.policy.webhooks or {}).items():
        found[plain(hook.secret)].append(f"webhook {name}")
    return {name: sorted(dict.fromkeys(users)) for name, users in found.items()}


def _actor(unit: Unit, core: Core, person: PersonId) -> Actor:
    name = core.people.person(person).name
    return Actor(kind=ActorKind.USER, ref=unit.ref(person, name))
