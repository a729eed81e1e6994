"""Orders that other processes of this machine hand to the one that serves."""

import getpass
import json
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bot.holder import NAME, Holder, RefusedThereError, hand_over
from bot.orders import AnyOrder, CancelOrder, DigestOrder, RunOrder
from bot.unix_socket import connect_to, listen_at, read_line
from workflows.entry import Json
from workflows.errors import InputsError, UnknownWorkflowError
from workflows.people import PersonId

Answer = Callable[[AnyOrder, PersonId], Mapping[str, Json]]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[[Answer], Path]]:
    holders: list[Holder] = []

    def serve(answer: Answer, home: Path = tmp_path) -> Path:
        holder = Holder(home, answer)
        holder.start()
        holders.append(holder)
        return home

    yield serve
    for holder in holders:
        holder.stop()


def test_an_order_reaches_the_serving_process_under_the_name_the_kernel_gives(
    serving: Callable[[Answer], Path],
) -> None:
    seen: list[tuple[object, str]] = []

    def take(order: AnyOrder, person: PersonId) -> Mapping[str, Json]:
        seen.append((order, person))
        return {"ok": True, "run": "r1"}

    order = RunOrder(workflow="refund", inputs={"order": "ord_1"})
    answer = hand_over(serving(take), order)

    assert answer == {"ok": True, "run": "r1"}
    assert seen == [(order, f"os:{getpass.getuser()}")]


def test_nobody_else_may_use_the_socket(serving: Callable[[Answer], Path]) -> None:
    home = serving(lambda _order, _person: {"ok": True})

    assert stat.S_IMODE((home / NAME).stat().st_mode) == 0o600


def test_a_refusal_crosses_the_socket_with_its_hint(serving: Callable[[Answer], Path]) -> None:
    def refuse(_order: AnyOrder, _person: PersonId) -> Mapping[str, Json]:
        raise UnknownWorkflowError("No workflow refnd.", hint="Did you mean refund?")

    with pytest.raises(RefusedThereError, match="Did you mean refund") as refusal:
        hand_over(serving(refuse), RunOrder(workflow="refnd", inputs={}))

    assert refusal.value.kind == "UnknownWorkflowError"


def test_wrong_inputs_cross_the_socket_field_by_field(serving: Callable[[Answer], Path]) -> None:
    def refuse(_order: AnyOrder, _person: PersonId) -> Mapping[str, Json]:
        raise InputsError({"amount": "must be a whole number"})

    with pytest.raises(InputsError) as refusal:
        hand_over(serving(refuse), RunOrder(workflow="refund", inputs={"amount": "x"}))

    assert refusal.value.fields == {"amount": "must be a whole number"}


def test_an_answer_may_be_larger_than_an_order(serving: Callable[[Answer], Path]) -> None:
    days: Json = ["2026-03-02"] * 300_000
    home = serving(lambda _order, _person: {"ok": True, "days": days})

    assert hand_over(home, DigestOrder()) == {"ok": True, "days": days}


def test_without_a_serving_process_there_is_no_answer(tmp_path: Path) -> None:
    assert hand_over(tmp_path, CancelOrder(run="r1", reason="no")) is None


def test_the_socket_of_a_dead_process_counts_as_nobody(
    serving: Callable[[Answer], Path], tmp_path: Path
) -> None:
    listen_at(tmp_path / NAME).close()

    assert hand_over(tmp_path, CancelOrder(run="r1", reason="no")) is None
    serving(lambda _order, _person: {"ok": True, "run": "r2"})
    assert hand_over(tmp_path, CancelOrder(run="r2", reason="no")) == {"ok": True, "run": "r2"}


def test_a_home_folder_deeper_than_a_socket_address_works(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 30)
    home.mkdir()
    holder = Holder(home, lambda _order, _person: {"ok": True})
    holder.start()
    answer = hand_over(home, CancelOrder(run="r1", reason="no"))
    holder.stop()

    assert answer == {"ok": True}


@pytest.mark.parametrize("line", [b"hello\n", b"{}\n", b'{"do":"drop"}\n', b"[1]\n"])
def test_what_is_no_order_is_refused_in_words(
    serving: Callable[[Answer], Path], line: bytes
) -> None:
    home = serving(lambda _order, _person: {"ok": True})
    connection = connect_to(home / NAME, timeout=30)
    assert connection is not None
    with connection:
        connection.sendall(line)
        answer = json.loads(read_line(connection, most=10_000))

    assert answer["ok"] is False
    assert "could not be read" in answer["message"]
