"""The outside world that actions may touch, named by whoever owns the policy.

A definition says `service: shop`; only here does it say where that is. The whole of it is
part of `policy.yaml`, so a changed target is a changed policy, with a digest of its own.
What the actions do with a target stands in `workflows/actions`.
"""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from workflows.duration import Duration, at_most

MEBIBYTE = 1024 * 1024
PASSWORD = re.compile(r"^[^:/]+://[^/@]*:[^/@]+@|[?&](ssl)?password=")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?|::1?")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
RoleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Verb = Literal["select", "values", "insert", "update", "delete", "merge", "replace"]
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$")]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[^?#\s]*$")]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as fault:
        raise ValueError(f"{text!r} is not a regular expression: {fault}") from fault
    return text


class Target(BaseModel):
    """Base of what is declared here: closed and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretHeader(Target):
    """A request header whose value is `prefix` and then the secret of that name."""

    name: HeaderName = "Authorization"
    secret: SecretName
    prefix: str = ""


class Rate(Target):
    """At most so many calls in any `per`, by each process."""

    calls: int = Field(ge=1, le=100_000)
    per: Annotated[Duration, at_most(timedelta(days=1))]


class Breaker(Target):
    """After `failures` within a time the service is left alone for a `rest`, then tried once."""

    failures: int = Field(default=5, ge=1, le=1000)
    within: Annotated[Duration, at_most(timedelta(days=1))] = timedelta(minutes=1)
    rest: Annotated[Duration, at_most(timedelta(days=1))] = timedelta(seconds=30)


class Service(Target):
    """One HTTP service.

    Nothing but the host of `base_url` is ever connected to, and for a read that is sent
    elsewhere those in `hosts`; addresses of private networks and of this machine only where
    `private` is true. `paths` are regular expressions of which a path must match one in
    full; empty allows every path. `probe` is a path with `{key}` in it that answers 200 if
    the effect under that idempotency key happened and 404 if it did not.
    `honours_idempotency_key` says that a second request under one key changes nothing.
    """

    base_url: str
    hosts: tuple[str, ...] = ()
    private: bool = False
    paths: tuple[str, ...] = ()
    secret_header: SecretHeader | None = None
    idempotency_header: HeaderName = "Idempotency-Key"
    honours_idempotency_key: bool = False
    probe: UrlPath | None = None
    max_bytes: int = Field(default=MEBIBYTE, ge=1, le=MEBIBYTE)
    rate: Rate | None = None
    breaker: Breaker | None = None

    @field_validator("base_url")
    @classmethod
    def _is_plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not HOST.fullmatch(parts.hostname or ""):
            raise ValueError("write http://host or https://host")
        if parts.username or parts.password:
            raise ValueError("keep name and password in a secret, see secret_header")
        if parts.query or parts.fragment:
            raise ValueError("a base address has neither query nor fragment")
        _ = parts.port  # It raises ValueError, and says why, where that is no port.
        return url.rstrip("/")

    @field_validator("paths")
    @classmethod
    def _are_patterns(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_pattern(one) for one in paths)

    @field_validator("probe")
    @classmethod
    def _names_the_key(cls, probe: str | None) -> str | None:
        if probe is not None and "{key}" not in probe:
            raise ValueError("a probe path holds {key}, the idempotency key")
        return probe

    @property
    def needs(self) -> frozenset[str]:
        """Return the name of its secret, if it has one."""
        return frozenset({self.secret_header.secret} if self.secret_header else ())

    def allows_path(self, path: str) -> bool:
        """Say whether `path`, seen from the base address, may be asked for."""
        return not self.paths or any(re.fullmatch(one, path) for one in self.paths)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Return every host that may be connected to, in lower case."""
        own = urlsplit(self.base_url).hostname or ""
        return frozenset(host.lower() for host in (*self.hosts, own))


class DatabaseTarget(Target):
    """One database, by its SQLAlchemy address or by the secret that holds it.

    With `records_effects`, `sql.execute` keeps a table `interlock_effect` there: that row
    is written in the statement's own transaction, so whether it happened can be looked up.
    `statements` are the kinds that may run there; `role` is what the connection acts as, and
    `read_role` what it does for `sql.query`, on a database that knows roles.
    """

    url: str | None = None
    secret: SecretName | None = None
    records_effects: bool = True
    # None where nothing is said, so that the digest of a policy stays what it was.
    statements: Annotated[tuple[Verb, ...], Field(min_length=1)] | None = None
    role: RoleName | None = None
    read_role: RoleName | None = None

    def allows(self, verb: str) -> bool:
        """Say whether statements of that kind may run here."""
        return self.statements is None or verb.lower() in self.statements

    @property
    def needs(self) -> frozenset[str]:
        """Return the name of the secret that holds its address, if one does."""
        return frozenset({self.secret} if self.secret else ())

    @model_validator(mode="after")
    def _has_one_address(self) -> Self:
        if (self.url is None) == (self.secret is None):
            raise ValueError("give either url or secret")
        if self.url is not None and PASSWORD.search(self.url):
            raise ValueError("this address holds a password; keep it in a secret")
        return self


class ProgramLimits(Target):
    """What one start of a program may use; the system itself ends what wants more.

    `memory` and `file_size` are in MiB, of each process; `processes` are those beside the ones
    that the bot's user has, which the system does not hold the user root to.
    """

    cpu: Annotated[Duration, at_most(timedelta(days=1))] | None = None
    memory: int | None = Field(default=None, ge=1, le=1_048_576)
    file_size: int | None = Field(default=None, ge=0, le=1_048_576)
    processes: int | None = Field(default=None, ge=0, le=100_000)


class Program(Target):
    """One program that `shell.run` may start, always without a shell.

    `folders` are the places it may be started in, by name. `arguments` and `reads` are
    regular expressions over the arguments written as for a shell (`log --oneline 'a b'`), so
    that two lists never look alike: of `arguments` one must match in full (empty allows
    all), and what `reads` matches in full only looks.
    `environment` gives variables in the clear, `secrets` those whose value is a secret, `limits`
    what it may use.
    """

    path: AbsolutePath
    folders: dict[Name, AbsolutePath] = Field(min_length=1)
    arguments: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    environment: dict[VariableName, str] = Field(default_factory=dict)
    secrets: dict[VariableName, SecretName] = Field(default_factory=dict)
    limits: ProgramLimits | None = None

    @property
    def needs(self) -> frozenset[str]:
        """Return the names of the secrets in its environment."""
        return frozenset(self.secrets.values())

    @field_validator("arguments", "reads")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_pattern(one) for one in patterns)


class Services(Target):
    """Everything that may be touched, by the names that definitions use."""

    services: dict[Name, Service] = Field(default_factory=dict)
    databases: dict[Name, DatabaseTarget] = Field(default_factory=dict)
    programs: dict[Name, Program] = Field(default_factory=dict)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the name of every secret that some target needs."""
        needs = [one.needs for one in self.services.values()]
        needs += [one.needs for one in self.databases.values()]
        needs += [one.needs for one in self.programs.values()]
        return frozenset[str]().union(*needs)
