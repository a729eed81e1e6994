"""Asks a service of AWS over its JSON interface: one signed request, one answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.calling import OK, SECONDS, CallError, call
from bot.settings import Settings
from bot.sigv4 import Credentials, Scope, signed_headers
from workflows.errors import InterlockError

JSON_1_1 = "application/x-amz-json-1.1"
# What a service says that may go better the next time; nothing where something before it answers.
PASSING = frozenset(
    {
        "",
        "DependencyTimeoutException",
        "InternalServiceError",
        "KeyUnavailableException",
        "KMSInternalException",
        "ThrottlingException",
    }
)


class AwsRefusedError(InterlockError):
    """The service answered, and refuses; `kind` is its own word for why."""

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsService:
    """A service in one region, under one set of credentials. `target` precedes its operations."""

    name: str
    service: str
    target: str
    url: str
    region: str
    credentials: Credentials
    now: Callable[[], datetime]
    seconds: float = SECONDS

    def ask(self, operation: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the service answers.

        Raises:
            CallError: it did not answer.
            AwsRefusedError: it refuses.
        """
        body = json.dumps(asked).encode()
        headers = signed_headers(
            {
                "Host": urlsplit(self.url).netloc,
                "Content-Type": JSON_1_1,
                "X-Amz-Target": f"{self.target}.{operation}",
            },
            body,
            scope=Scope(region=self.region, service=self.service),
            credentials=self.credentials,
            now=self.now(),
        )
        answer = call(self.url, headers, body, seconds=self.seconds)
        try:
            told = json.loads(answer.body)
        except ValueError:
            told = None
        if answer.status == OK and isinstance(told, dict):
            return told
        if answer.status == OK:  # What it says may hold a secret.
            raise CallError(f"{self.name} gave no answer to {operation} that can be read.")
        kind = str(told.get("__type", "")) if isinstance(told, dict) else ""
        raise AwsRefusedError(
            f"{self.name} refuses {operation} ({answer.status}): {answer.words}",
            kind=kind.rpartition("#")[2],
        )


def credentials_of(settings: Settings) -> Credentials:
    """Return the credentials that the settings name."""
    secret, token = settings.aws_secret_key, settings.aws_session_token
    return Credentials(
        access_key=settings.aws_access_key,
        secret_key=secret.get_secret_value() if secret is not None else "",
        session_token=token.get_secret_value() if token is not None else "",
    )


def kms_of(settings: Settings, *, now: Callable[[], datetime]) -> AwsService:
    """Return KMS as the settings say."""
    return AwsService(
        name="KMS",
        service="kms",
        target="TrentService",
        url=settings.kms_address,
        region=settings.aws_region,
        credentials=credentials_of(settings),
        now=now,
    )


def secrets_manager_of(settings: Settings, *, now: Callable[[], datetime]) -> AwsService:
    """Return Secrets Manager as the settings say."""
    return AwsService(
        name="AWS Secrets Manager",
        service="secretsmanager",
        target="secretsmanager",
        url=settings.aws_secrets_address,
        region=settings.aws_region,
        credentials=credentials_of(settings),
        now=now,
        seconds=5.0,
    )
