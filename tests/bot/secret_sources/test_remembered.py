"""No stranger makes the bot hammer a key service: every answer counts for a while."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from bot.secret_sources.built_in import BuiltInSource
from bot.secret_sources.held import HeldSecrets
from bot.secret_sources.remembered import MOST_KEPT, Remembered
from storage.sealing import Sealer
from tests.bot.secret_sources.places import Kept
from tests.bot.secret_sources.test_held import VALUE, Far
from workflows.errors import SecretError, SecretUnreadableError
from workflows.redaction import Redactor
from workflows.secret_book import Found


def test_a_value_counts_for_half_a_minute_and_is_then_asked_for_anew() -> None:
    far, now = Far(shop=VALUE), [100.0]
    source = Remembered(far, ticks=lambda: now[0])
    source.find("shop")
    far.values["shop"] = "another-value-1"
    now[0] += 29
    kept = source.find("shop")
    now[0] += 2
    later = source.find("shop")

    assert [one and one.value for one in (kept, later)] == [VALUE, "another-value-1"]
    assert far.asked == 2


@pytest.mark.parametrize("is_away", [False, True])
def test_a_secret_that_is_not_there_is_asked_for_once_in_a_few_seconds(is_away: bool) -> None:  # noqa: FBT001
    far, now = Far(), [100.0]
    far.is_away = is_away
    held = HeldSecrets([Remembered(far, ticks=lambda: now[0])], Redactor())
    refusals = []
    for _ in range(50):
        with pytest.raises(SecretError) as refused:
            held.reveal("shop")
        refusals.append(type(refused.value))
    asked = far.asked
    far.is_away, far.values["shop"] = False, VALUE
    now[0] += 6

    assert asked == 1
    assert set(refusals) == {SecretUnreadableError if is_away else SecretError}
    assert (held.reveal("shop"), far.asked) == (VALUE, 2)


def test_a_value_that_is_set_on_this_machine_counts_though_the_store_had_none() -> None:
    far, near = Far(), Far()
    held = HeldSecrets([near, Remembered(far)], Redactor())
    with pytest.raises(SecretError):
        held.reveal("shop")
    near.values["shop"] = VALUE

    assert held.reveal("shop") == VALUE


def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    may_answer = Event()

    class Slow(Far):
        def find(self, name: str) -> Found | None:
            may_answer.wait(60)
            return super().find(name)

    slow = Slow(shop=VALUE)
    source = Remembered(slow)
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(source.find, "shop") for _ in range(8)]
        may_answer.set()

    assert {one.result() for one in found} == {Found(value=VALUE, version=3)}
    assert slow.asked == 1


def test_what_is_remembered_has_an_end() -> None:
    far = Far()
    source = Remembered(far)
    for number in range(MOST_KEPT + 1):
        source.find(f"name_{number}")
    source.find("name_0")

    assert far.asked == MOST_KEPT + 2


def test_a_key_service_that_is_away_is_not_asked_again_for_the_same_sealed_value(
    tmp_path: Path,
) -> None:
    kept, asked, now = Kept(f"sqlite:///{tmp_path / 'kept.db'}", tmp_path / "home"), [0], [100.0]
    kept.put("shop", VALUE)

    def away() -> Sealer:
        asked[0] += 1
        raise SecretUnreadableError("The key service is away.")

    source = BuiltInSource(kept.database, away, ticks=lambda: now[0])
    for seconds in (0, 1, 3, 5):
        now[0] = 100.0 + seconds
        with pytest.raises(SecretUnreadableError):
            source.find("shop")
    kept.put("shop", "another-value-1")
    with pytest.raises(SecretUnreadableError):
        source.find("shop")
    kept.close()

    assert asked == [3]
