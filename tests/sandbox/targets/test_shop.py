"""The shop of the demo: it refunds once per key, and its faults are real."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.targets.shop import ShopServer, serve_in_thread
from sandbox.targets.shop_faults import Fault
from sandbox.targets.shop_store import ORDERS, ShopStore, seed

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    with ShopServer(tmp_path) as server:
        yield server


def refund(shop: ShopServer, key: str = "r/1", **asked: object) -> httpx.Response:
    body = {"order": "ord_1001", "amount": 100, **asked}
    return httpx.post(f"{shop.url}/refunds", json=body, headers={"Idempotency-Key": key})


def refunded(shop: ShopServer, order: str = "ord_1001") -> int:
    return int(httpx.get(f"{shop.url}/orders/{order}").json()["refunded"])


def test_the_shop_opens_with_the_same_thousands_of_orders_every_time(tmp_path: Path) -> None:
    one, other = ShopStore(tmp_path / "one"), ShopStore(tmp_path / "other")
    last = f"ord_{1000 + ORDERS}"

    assert one.order(last) == other.order(last) is not None
    assert one.order("ord_1001")["refunded"] == 0


def test_a_refund_moves_money_once_and_says_the_same_twice(shop: ShopServer) -> None:
    first = refund(shop)
    second = refund(shop)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert refunded(shop) == 100
    assert [(one.key, one.amount) for one in shop.effects("ord_1001")] == [("r/1", 100)]


def test_a_refund_can_be_looked_up_by_its_key(shop: ShopServer) -> None:
    made = refund(shop, "run-7/refund").json()

    assert httpx.get(f"{shop.url}/refunds/run-7%2Frefund").json() == made
    assert httpx.get(f"{shop.url}/refunds/run-8%2Frefund").status_code == 404


def test_a_key_belongs_to_one_refund(shop: ShopServer) -> None:
    refund(shop)

    assert refund(shop, amount=200).status_code == 409
    assert refunded(shop) == 100


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"order": "ord_0"}, 404),
        ({"amount": 10_000_000}, 409),
        ({"amount": 0}, 422),
        ({"amount": -5}, 422),
        ({"amount": True}, 422),
        ({"amount": "100"}, 422),
        ({"note": "x"}, 422),
    ],
)
def test_a_refund_that_makes_no_sense_moves_nothing(
    shop: ShopServer, asked: dict[str, object], status: int
) -> None:
    assert refund(shop, **asked).status_code == status
    assert shop.effects() == []


def test_a_refund_without_a_key_or_without_json_is_refused(shop: ShopServer) -> None:
    bare = httpx.post(f"{shop.url}/refunds", json={"order": "ord_1001", "amount": 1})
    broken = httpx.post(f"{shop.url}/refunds", content=b"\xff{", headers={"Idempotency-Key": "r/1"})

    assert (bare.status_code, broken.status_code) == (400, 400)


@pytest.mark.parametrize(
    ("fault", "moved"), [(Fault.DURING, 0), (Fault.AFTER, 1)], ids=["during", "after"]
)
def test_a_shop_that_breaks_off_moved_money_or_did_not(
    shop: ShopServer, fault: Fault, moved: int
) -> None:
    shop.faults.switch_on(fault)

    with pytest.raises(httpx.RemoteProtocolError):
        refund(shop)
    assert len(shop.effects()) == moved
    assert refund(shop).status_code in {200, 201}
    assert len(shop.effects()) == 1


@pytest.mark.parametrize(
    ("fault", "moved"), [(Fault.BEFORE, 0), (Fault.AFTER_500, 1)], ids=["before", "after_500"]
)
def test_a_500_may_mean_either(shop: ShopServer, fault: Fault, moved: int) -> None:
    httpx.put(f"{shop.url}/faults/{fault}", params={"times": 1})

    assert refund(shop).status_code == 500
    assert len(shop.effects()) == moved


def test_reads_can_fail_be_slow_and_be_garbage(shop: ShopServer) -> None:
    url = f"{shop.url}/orders/ord_1001"
    shop.faults.switch_on(Fault.ERROR)
    assert httpx.get(url).status_code == 500
    shop.faults.switch_on(Fault.GARBAGE)
    assert httpx.get(url).text == "<<<"
    shop.faults.switch_on(Fault.SLOW, seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(url, timeout=0.1)
    shop.faults.clear()
    assert httpx.get(url).status_code == 200


def test_what_was_refunded_survives_a_restart(tmp_path: Path) -> None:
    with ShopServer(tmp_path) as first:
        refund(first)
    seed(tmp_path)
    again = serve_in_thread(tmp_path)

    assert refunded(again) == 100
    again.stop()


def test_the_shop_runs_as_a_program_of_its_own(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "sandbox.targets.shop", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        url = json.loads(running.stdout.readline())["url"]
        answer = httpx.get(f"{url}/health")
        running.send_signal(signal.SIGTERM)
        running.wait(60)

    assert answer.json() == {"ok": True}
