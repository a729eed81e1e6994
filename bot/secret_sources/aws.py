"""Secrets from AWS Secrets Manager: `GetSecretValue`, whose text is the whole value.

The secret `shop_token` of the policy is that of the name `INTERLOCK_AWS_SECRETS` followed by it.
"""

from bot.aws import PASSING, AwsRefusedError, AwsService
from bot.calling import CallError
from bot.secret_sources.port import checked
from workflows.errors import SecretError, SecretUnreadableError
from workflows.secret_book import Found

ABSENT = "ResourceNotFoundException"


class AwsSource:
    """The secrets of one account and region whose names begin alike."""

    name = "AWS Secrets Manager"

    def __init__(self, service: AwsService, prefix: str) -> None:
        self._service = service
        self._prefix = prefix

    def find(self, name: str) -> Found | None:
        try:
            told = self._service.ask("GetSecretValue", {"SecretId": self._prefix + name})
        except CallError as error:
            raise SecretUnreadableError(error.message) from error
        except AwsRefusedError as refusal:
            if refusal.kind == ABSENT:
                return None
            kind = SecretUnreadableError if refusal.kind in PASSING else SecretError
            why = refusal.kind or "it is in trouble"
            raise kind(f"AWS Secrets Manager does not give the secret {name}: {why}.") from refusal
        value = told.get("SecretString")
        if not isinstance(value, str):
            raise SecretError(f"The secret {name} in AWS Secrets Manager holds no text.")
        # Its versions are named and not counted.
        return Found(value=checked(value, f"The secret {name} in AWS Secrets Manager"))

    def names(self) -> None:
        return None
