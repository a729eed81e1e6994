"""Which variables a workspace of a host has: its own and everybody's, and none of another's."""

import pytest

from bot.workspace_environment import environment_of

HOST = {"INTERLOCK_WORKSPACES": "T0ACME, T0GLOBEX"}
SECRET = "INTERLOCK_SECRET_SHOP"


def test_what_is_of_a_workspace_counts_there_in_the_place_of_everybodys() -> None:
    given = HOST | {SECRET: "shared", f"{SECRET}__T0ACME": "of Acme"}

    assert environment_of(given, "T0ACME") == HOST | {SECRET: "of Acme"}
    assert environment_of(given, "T0GLOBEX") == HOST | {SECRET: "shared"}


@pytest.mark.parametrize("ident", ["T0LEFT", "T0123ABCD", "TA8RXUSPL", "E0ORG", "E04QWERTY12"])
def test_what_was_of_a_workspace_that_is_listed_no_more_is_nobodys(ident: str) -> None:
    given = HOST | {f"{SECRET}__{ident}": "of the one that left"}

    assert environment_of(given, "T0ACME") == HOST


@pytest.mark.parametrize("name", ["SHOP__TOKEN", "SHOP__TEST", "EU__TOKEN2", "SHOP__T1"])
def test_a_name_with_two_lines_in_it_is_everybodys(name: str) -> None:
    given = HOST | {f"INTERLOCK_SECRET_{name}": "shared"}

    assert environment_of(given, "T0ACME") == given


def test_the_only_workspace_of_a_process_has_all_there_is() -> None:
    given = HOST | {f"{SECRET}__T0LEFT": "of the one that left"}

    assert environment_of(given, "") == given
