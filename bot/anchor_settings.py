"""The settings of whoever keeps heads of the log outside; none of them has to be set."""

from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from workflows.duration import Duration

SECRETS = ("smtp_password", "aws_secret_key", "aws_session_token")
HTTP = "https"
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class AnchorSettings(BaseModel):
    """Where heads go, how often, and with which second key."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    anchor_every: Duration = Field(
        default=timedelta(days=1), validation_alias="INTERLOCK_ANCHOR_EVERY"
    )
    anchor_dir: Path | None = Field(default=None, validation_alias="INTERLOCK_ANCHOR_DIR")
    anchor_mail: tuple[str, ...] = Field(default=(), validation_alias="INTERLOCK_ANCHOR_MAIL")
    smtp: str = Field(default="", validation_alias="INTERLOCK_SMTP")
    smtp_from: str = Field(default="", validation_alias="INTERLOCK_SMTP_FROM")
    smtp_user: str = Field(default="", validation_alias="INTERLOCK_SMTP_USER")
    smtp_password: SecretStr | None = Field(
        default=None, validation_alias="INTERLOCK_SMTP_PASSWORD"
    )
    smtp_tls: Literal["starttls", "none"] = Field(
        default="starttls", validation_alias="INTERLOCK_SMTP_TLS"
    )
    timestamp_url: str = Field(default="", validation_alias="INTERLOCK_TIMESTAMP_URL")
    witness_url: str = Field(default="", validation_alias="INTERLOCK_WITNESS_URL")
    witness_vkey: str = Field(default="", validation_alias="INTERLOCK_WITNESS_VKEY")
    digest_readers: tuple[str, ...] = Field(default=(), validation_alias="INTERLOCK_DIGEST_READERS")
    digest_mail: tuple[str, ...] = Field(default=(), validation_alias="INTERLOCK_DIGEST_MAIL")
    kms_key: str = Field(default="", validation_alias="INTERLOCK_KMS_KEY")
    kms_url: str = Field(default="", validation_alias="INTERLOCK_KMS_URL")
    aws_region: str = Field(default="", validation_alias="AWS_REGION")
    aws_access_key: str = Field(default="", validation_alias="AWS_ACCESS_KEY_ID")
    aws_secret_key: SecretStr | None = Field(default=None, validation_alias="AWS_SECRET_ACCESS_KEY")
    aws_session_token: SecretStr | None = Field(default=None, validation_alias="AWS_SESSION_TOKEN")

    @field_validator("anchor_mail", "digest_mail", "digest_readers", mode="before")
    @classmethod
    def _are_several(cls, written: object) -> object:
        if not isinstance(written, str):
            return written
        return tuple(one.strip() for one in written.split(",") if one.strip())

    @field_validator("anchor_mail", "digest_mail")
    @classmethod
    def _are_mail_addresses(cls, listed: tuple[str, ...]) -> tuple[str, ...]:
        for one in listed:
            _refuse_no_address(one)
        return listed

    @field_validator("smtp_from")
    @classmethod
    def _is_a_mail_address(cls, written: str) -> str:
        if written:
            _refuse_no_address(written)
        return written

    @field_validator("digest_readers")
    @classmethod
    def _are_names(cls, listed: tuple[str, ...]) -> tuple[str, ...]:
        for one in listed:
            if not one.startswith(("@", "<@", "<!subteam^")):
                raise ValueError(f"write {one!r} as @handle, @U0123ABCD or the handle of a group")
        return listed

    @field_validator("smtp")
    @classmethod
    def _is_a_mail_host(cls, written: str) -> str:
        if written:
            parts = urlsplit(f"//{written}")
            if not parts.hostname or not parts.port:
                raise ValueError("write host:port, for example mail.example.com:587")
        return written

    @field_validator("timestamp_url")
    @classmethod
    def _is_an_url(cls, url: str) -> str:
        # A time stamp is signed, and what is stamped is no secret: http does no harm.
        return _url(url, {"http", HTTP})

    @field_validator("witness_vkey")
    @classmethod
    def _is_a_witness(cls, vkey: str) -> str:
        if vkey:
            from storage.cosignature import read_witness_key  # noqa: PLC0415 - it brings the library of signatures, and help must not wait for that.

            read_witness_key(vkey)
        return vkey

    @field_validator("witness_url", "kms_url")
    @classmethod
    def _is_a_safe_url(cls, url: str) -> str:
        return safe_url(url)

    @model_validator(mode="after")
    def _go_together(self) -> "AnchorSettings":
        """Refuse what is only half set."""
        wants = [
            ("INTERLOCK_ANCHOR_MAIL", self.anchor_mail, "INTERLOCK_SMTP", self.smtp),
            ("INTERLOCK_ANCHOR_MAIL", self.anchor_mail, "INTERLOCK_SMTP_FROM", self.smtp_from),
            ("INTERLOCK_DIGEST_MAIL", self.digest_mail, "INTERLOCK_SMTP", self.smtp),
            ("INTERLOCK_DIGEST_MAIL", self.digest_mail, "INTERLOCK_SMTP_FROM", self.smtp_from),
            ("INTERLOCK_SMTP_USER", self.smtp_user, "INTERLOCK_SMTP_PASSWORD", self.smtp_password),
            (
                "INTERLOCK_WITNESS_URL",
                self.witness_url,
                "INTERLOCK_WITNESS_VKEY",
                self.witness_vkey,
            ),
            ("INTERLOCK_KMS_KEY", self.kms_key, "AWS_REGION", self.aws_region),
            ("INTERLOCK_KMS_KEY", self.kms_key, "AWS_ACCESS_KEY_ID", self.aws_access_key),
            ("INTERLOCK_KMS_KEY", self.kms_key, "AWS_SECRET_ACCESS_KEY", self.aws_secret_key),
        ]
        for name, value, other, needed in wants:
            if value and not needed:
                raise ValueError(f"{name} is set, so {other} is needed as well")
        if self.smtp_user and self.smtp_tls == "none":
            raise ValueError("INTERLOCK_SMTP_USER needs INTERLOCK_SMTP_TLS=starttls")
        return self

    @property
    def kms_address(self) -> str:
        """Return where KMS is asked."""
        return self.kms_url or f"https://kms.{self.aws_region}.amazonaws.com"


def safe_url(url: str) -> str:
    """Return the address of a service that is told secrets, or tells some: never in the clear."""
    return _url(url, {HTTP}).rstrip("/")


def _url(url: str, schemes: set[str]) -> str:
    found = urlsplit(url)
    # On this machine nobody listens in.
    allowed = {*schemes, "http"} if found.hostname in HERE else schemes
    if url and not (found.hostname and found.scheme in allowed):
        told = " or ".join(f"{one}://" for one in sorted(schemes))
        raise ValueError(f"write {told} and a host")
    return url


def _refuse_no_address(written: str) -> None:
    name, at, host = written.partition("@")
    if not (name and at and host) or any(sign.isspace() or sign in "<>," for sign in written):
        raise ValueError(f"{written!r} is no mail address; write auditor@example.com")
    if not written.isascii():  # Not every server on the way would take another one.
        raise ValueError(
            f"{written!r} has letters other than a to z, which mail here does not carry; write the"
            " domain as xn--…, and name another mailbox if they stand before the @"
        )
