"""Stand-ins for the stores of others: a KV store of Vault, and AWS Secrets Manager."""

import json
from dataclasses import dataclass, field

from tests.bot.anchors.answering import Asked, Said
from tests.bot.anchors.pretend_aws import json_said, refusal, signature_fault

DELETED = object()
TOKEN = "hvs.CAESIJ-of-the-bot"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # The example on pages of AWS itself.


@dataclass
class PretendVault:
    """One KV store, version 2, at `secret/`. `token` opens it, in the namespace `ops`.

    The newest version of a secret whose value is `DELETED` was deleted.
    """

    token: str = TOKEN
    is_sealed: bool = False
    values: dict[str, list[object]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, name: str, value: object) -> None:
        self.values.setdefault(name, []).append(value)

    def __call__(self, asked: Asked) -> Said:
        self.asked.append(asked.path)
        if self.is_sealed:
            return _json(503, {"errors": ["Vault is sealed"]})
        if asked.headers.get("x-vault-token") != self.token:
            return _json(403, {"errors": ["permission denied"]})
        if not asked.path.startswith("/v1/secret/"):
            return _json(404, {"errors": [f'no handler for route "{asked.path[4:]}".']})
        space = asked.headers.get("x-vault-namespace")
        found = self.values.get(asked.path.removeprefix("/v1/secret/data/bot/"))
        if space != "ops" or found is None:
            return _json(404, {"errors": []})
        metadata = {"version": len(found), "destroyed": False, "deletion_time": ""}
        if found[-1] is DELETED:
            metadata["deletion_time"] = "2026-03-02T11:00:00.000000001Z"
            return _json(404, {"data": {"data": None, "metadata": metadata}})
        return _json(200, {"data": {"data": {"value": found[-1]}, "metadata": metadata}})


@dataclass
class PretendSecretsManager:
    """One account. `trouble` is what it answers with instead, if anything."""

    secret: str = SECRET
    trouble: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: str) -> None:
        self.values[f"interlock/{name}"] = value

    def __call__(self, asked: Asked) -> Said:
        if fault := signature_fault(asked, secret=self.secret, service="secretsmanager"):
            return refusal(fault)
        if self.trouble:
            return refusal(self.trouble)
        if asked.headers["x-amz-target"] != "secretsmanager.GetSecretValue":
            return refusal("UnknownOperationException")
        name = json.loads(asked.body)["SecretId"]
        if name not in self.values:
            return refusal("ResourceNotFoundException")
        return json_said({"Name": name, "VersionId": "EXAMPLE1", "SecretString": self.values[name]})


def _json(status: int, told: dict[str, object]) -> Said:
    return Said(status, json.dumps(told).encode(), "application/json")
