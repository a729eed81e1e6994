"""What a policy may say of people of other workspaces."""

import pytest

from workflows.errors import DefinitionError
from workflows.loading import load_policy

PLAIN = """\
defaults: {expires: 24h}
rules: [{name: all, when: "true", stages: [{from: ["@leads"]}]}]
"""


def test_a_policy_without_it_keeps_its_digest() -> None:
    assert load_policy(PLAIN).connect is None
    assert b"connect" not in load_policy(PLAIN).canonical


def test_workspaces_are_named_by_their_ids() -> None:
    policy = load_policy(f"{PLAIN}connect: [T0GLOBEX, E0ORG]\n")

    assert policy.connect == ("T0GLOBEX", "E0ORG")
    assert policy.digest != load_policy(PLAIN).digest


@pytest.mark.parametrize("written", ["[]", "[Globex]", '["@connie"]', "[U0CONNIE]", "T0GLOBEX"])
def test_nothing_else_names_one(written: str) -> None:
    with pytest.raises(DefinitionError, match="connect"):
        load_policy(f"{PLAIN}connect: {written}\n")
