"""Secrets from HashiCorp Vault or OpenBao: the KV store, version 2, over its HTTP interface.

The secret `shop_token` of the policy is the field `value` at `INTERLOCK_VAULT_PATH` followed by
that name, by default `secret/data/shop_token`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from bot.calling import NOT_FOUND, OK, Answer, CallError, call
from bot.secret_sources.port import checked
from workflows.errors import SecretError, SecretUnreadableError
from workflows.secret_book import Found

FIELD = "value"
SECONDS = 5.0
REFUSED = frozenset({400, 401, 403})


class VaultSource:
    """One path of a Vault, read under one token."""

    name = "vault"

    def __init__(
        self,
        url: str,
        path: str,
        *,
        token: SecretStr | Path,
        namespace: str,
        learn: Callable[[str], None],
    ) -> None:
        """A token in a file is read for each use, and `learn` is told of it."""
        self._base = f"{url}/v1/{quote(path.strip('/'))}/"
        self._token = token
        self._namespace = namespace
        self._learn = learn

    def find(self, name: str) -> Found | None:
        answer = self._ask(name)
        if answer.status == NOT_FOUND:
            _refuse_gone(answer, name)
            return None
        if answer.status in REFUSED:
            raise SecretError(
                f"Vault refuses to give the secret {name} ({answer.status}).",
                hint="Look whether the bot's token is valid and may read that path.",
            )
        if answer.status != OK:
            raise SecretUnreadableError(f"Vault cannot give the secret {name} ({answer.status}).")
        return _found(answer, name)

    def names(self) -> None:
        return None

    def _ask(self, name: str) -> Answer:
        headers = {"X-Vault-Token": self._read_token(), "X-Vault-Request": "true"}
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        try:
            return call(self._base + quote(name, safe=""), headers, seconds=SECONDS)
        except CallError as error:
            raise SecretUnreadableError(f"Vault: {error.message}") from error

    def _read_token(self) -> str:
        if isinstance(self._token, SecretStr):
            return self._token.get_secret_value()
        try:
            token = self._token.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretUnreadableError(
                "The token for Vault cannot be read.",
                hint="Correct INTERLOCK_VAULT_TOKEN_FILE or its permissions.",
            ) from error
        self._learn(checked(token, "INTERLOCK_VAULT_TOKEN_FILE"))
        return token


def _refuse_gone(answer: Answer, name: str) -> None:
    """Refuse what is no plain “there is none”: nobody takes the value of another place for it."""
    try:
        told: Any = json.loads(answer.body)
    except ValueError:
        return
    if not isinstance(told, dict):
        return
    if isinstance(told.get("data"), dict):  # Of a version that was deleted the metadata is left.
        raise SecretError(
            f"The newest version of the secret {name} in Vault was deleted.",
            hint="Undelete it there, or write a new one.",
        )
    if told.get("errors"):
        raise SecretError(
            f"Vault has no place in which the secret {name} could be ({NOT_FOUND}).",
            hint="Look at INTERLOCK_VAULT_PATH and INTERLOCK_VAULT_NAMESPACE.",
        )


def _found(answer: Answer, name: str) -> Found:
    """Return the secret in an answer. No part of the answer stands in a refusal."""
    try:
        told: Any = json.loads(answer.body)
        value, version = told["data"]["data"][FIELD], told["data"]["metadata"]["version"]
    except (ValueError, KeyError, TypeError):
        value, version = None, None
    if not isinstance(value, str) or type(version) is not int:
        raise SecretError(
            f"What Vault has as {name} is no text in the field `{FIELD}` of a KV store, version 2.",
            hint="Look at INTERLOCK_VAULT_PATH, and at what is stored there.",
        )
    return Found(value=checked(value, f"The secret {name} in Vault"), version=version)
