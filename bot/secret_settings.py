"""The settings of secrets: where they are kept, and by which key those in the database are."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.anchor_settings import AnchorSettings, safe_url

KEY = "INTERLOCK_SECRETS_KEY"
KMS_KEY = "INTERLOCK_SECRETS_KMS_KEY"
AWS_SECRETS = "INTERLOCK_AWS_SECRETS"


class SecretSettings(AnchorSettings):
    """Which master key, and which stores of others; none of them has to be set.

    What AWS is asked with is shared with the second key of heads.
    """

    secrets_key: SecretStr | None = Field(default=None, validation_alias=KEY)
    secrets_key_next: SecretStr | None = Field(default=None, validation_alias=f"{KEY}_NEXT")
    secrets_kms_key: str = Field(default="", validation_alias=KMS_KEY)
    secrets_age: Path | None = Field(default=None, validation_alias="INTERLOCK_SECRETS_AGE")
    secrets_dir: Path | None = Field(default=None, validation_alias="INTERLOCK_SECRETS_DIR")
    vault_url: str = Field(default="", validation_alias="INTERLOCK_VAULT_URL")
    vault_token: SecretStr | None = Field(default=None, validation_alias="INTERLOCK_VAULT_TOKEN")
    # Not read at the start: whoever renews the token writes it anew.
    vault_token_file: Path | None = Field(
        default=None, validation_alias="INTERLOCK_VAULT_TOKEN_FILE"
    )
    vault_namespace: str = Field(default="", validation_alias="INTERLOCK_VAULT_NAMESPACE")
    vault_path: str = Field(default="secret/data/", validation_alias="INTERLOCK_VAULT_PATH")
    aws_secrets: str = Field(default="", validation_alias=AWS_SECRETS)
    aws_secrets_url: str = Field(default="", validation_alias="INTERLOCK_AWS_SECRETS_URL")

    @field_validator("vault_url", "aws_secrets_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        return safe_url(url)

    @model_validator(mode="after")
    def _secrets_go_together(self) -> "SecretSettings":
        """Refuse what is only half set."""
        aws = (
            ("AWS_REGION", self.aws_region),
            ("AWS_ACCESS_KEY_ID", self.aws_access_key),
            ("AWS_SECRET_ACCESS_KEY", self.aws_secret_key),
        )
        for name, value in ((KMS_KEY, self.secrets_kms_key), (AWS_SECRETS, self.aws_secrets)):
            for other, needed in aws:
                if value and not needed:
                    raise ValueError(f"{name} is set, so {other} is needed as well")
        if self.vault_url and (self.vault_token is None) == (self.vault_token_file is None):
            raise ValueError(
                "INTERLOCK_VAULT_URL is set, so either INTERLOCK_VAULT_TOKEN or"
                " INTERLOCK_VAULT_TOKEN_FILE is needed as well"
            )
        return self

    @property
    def aws_secrets_address(self) -> str:
        """Return where AWS Secrets Manager is asked."""
        return self.aws_secrets_url or f"https://secretsmanager.{self.aws_region}.amazonaws.com"
