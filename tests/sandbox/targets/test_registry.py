"""The registry changes a thing once per key, by whoever has seen it as it is, and logs it apart."""

from pathlib import Path

import httpx
import pytest

from sandbox.targets import ledger
from sandbox.targets.ledger_migrate import steps_between
from sandbox.targets.own_database import RefusedError
from sandbox.targets.registry import RegistryServer
from sandbox.targets.registry_store import RegistryStore

WWW = ("dns", "www.example.test")


def test_a_change_happens_once_per_key_and_only_to_what_was_seen(tmp_path: Path) -> None:
    store = RegistryStore(tmp_path)
    first = store.put("k1", *WWW, version=1, fields={"value": "192.0.2.11"})
    again = store.put("k1", *WWW, version=1, fields={"value": "192.0.2.11"})

    assert first == again
    assert (first["version"], first["changed_by"], first["ttl"]) == (2, "k1", 300)
    with pytest.raises(RefusedError, match="another change"):
        store.put("k1", *WWW, version=1, fields={"value": "192.0.2.12"})
    with pytest.raises(RefusedError, match="version 2 by now"):
        store.put("k2", *WWW, version=1, fields={"value": "192.0.2.12"})
    assert [one.key for one in store.effects()] == ["k1"]


def test_what_was_removed_does_not_come_back(tmp_path: Path) -> None:
    store = RegistryStore(tmp_path)
    store.remove("k1", "hosts", "web-1", version=1)

    assert store.thing("hosts", "web-1") is None
    assert RegistryStore(tmp_path).thing("hosts", "web-1") is None
    assert [(one.what, one.name) for one in store.effects()] == [("remove", "web-1")]


def test_over_http_it_says_what_is_missing_and_whether_something_happened(tmp_path: Path) -> None:
    with RegistryServer(tmp_path) as registry, httpx.Client(base_url=registry.url) as client:
        key = {"Idempotency-Key": "run/change"}
        answers = [
            client.put("/dns/www.example.test?version=1", json={"value": "a"}),
            client.put("/dns/www.example.test", json={"value": "a"}, headers=key),
            client.put("/dns/www.example.test?version=1", json=["a"], headers=key),
            client.put("/dns/none?version=1", json={"value": "a"}, headers=key),
            client.get("/effects/run%2Fchange"),
            client.put("/dns/www.example.test?version=1", json={"value": "a"}, headers=key),
            client.get("/effects/run%2Fchange"),
            client.delete("/hosts/web-2?version=9", headers={"Idempotency-Key": "other"}),
        ]
        listed = client.get("/hosts").json()["items"]

    assert [one.status_code for one in answers] == [400, 400, 422, 404, 404, 200, 200, 409]
    assert len(listed) == 6


def test_the_ledger_is_brought_up_and_down_statement_by_statement(tmp_path: Path) -> None:
    folder = ledger.seed(tmp_path)

    assert [version for version, _ in steps_between(4, 6)] == [5, 6]
    assert [version for version, _ in steps_between(6, 4)] == [5, 4]
    assert (folder / "migrate.py").exists()
    assert ledger.effects(ledger.seed(tmp_path)) == []
