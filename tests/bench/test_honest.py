"""Twenty honest histories, drawn at random, are called honest: the short form of the bench."""

from bench.honest import judge


def test_no_honest_history_is_called_forged(postgres_server: str) -> None:
    found = judge(range(20, 40), postgres_server)
    happened = {what for one in found.values() for what in one.happened}

    assert {number: one.alarms for number, one in found.items() if one.alarms} == {}
    assert {"rotate writer", "rotate log key", "keep outside"} <= happened
    assert {"forget", "tidy", "hold"} <= happened
    assert {"run done", "run denied", "run expired", "run cancelled"} <= happened
    assert {"effect after a rejection", "glass broken", "approval of an item"} <= happened
    assert {"approval in another's place", "run moved"} <= happened
