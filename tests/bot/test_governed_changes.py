"""Attacks of somebody who writes workflow files: each refused, with its reason in the trail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.catalog_story import story_of
from bot.clock_parts import catalog_watch_of
from bot.governed_changes import ProposalError
from bot.orders import carry_out
from bot.proposing import Source
from bot.publish_orders import ActivateOrder, PublishOrder
from tests.bot.catalog import LOWERED, PLAIN, POLICY, Office
from workflows.definition import Definition
from workflows.errors import HiddenEffectError, LoweredGateError, NearNameError
from workflows.loading import load_definition, read_policy
from workflows.lowering import lowered
from workflows.people import PersonId

BY_POST = """
    approval: {stages: [{from: ["@deciders"]}]}
    verify: {uses: http.request, with: {service: shop, path: /tidy}, expect: "true"}
    undo: {uses: slack.post, with: {channel: "#ops", text: "Not tidied"}}
"""
PROVEN = PLAIN.partition("    approval:")[0] + BY_POST.lstrip("\n")
INNER = """
workflow: sweep-out
title: Sweep out
owner: "@owners"
deputy: "@deputies"
channel: "#ops"
steps:
  - {id: say, uses: slack.post, with: {channel: "#ops", text: Swept}, effect: write, undo: none}
"""
GRAVE = INNER.replace("effect: write", "effect: destructive")
OUTER = """
workflow: round-up
title: Round up
owner: "@owners"
deputy: "@deputies"
channel: "#ops"
steps:
  - {id: go, workflow: sweep-out}
"""
TOLD = OUTER.replace("sweep-out}", "sweep-out, effect: destructive}")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give a bot whose one workflow asks two people."""
    found = Office(tmp_path_factory.mktemp("office"))
    found.agree(found.propose(PLAIN).run, "olga", "gina")
    yield found
    found.core.memory.database.close()


def ordered(office: Office, text: str, *, by: str = "rita") -> None:
    """Propose as the command does, which is where refusals are recorded."""
    order = PublishOrder(file="f.yaml", text=text, reason="It is time.")
    carry_out(office.core, order, person=PersonId(f"os:{by}"))


def refusals(office: Office) -> list[tuple[object, object, str]]:
    """Return what was refused of which version, and its reason."""
    return [
        (one.data["why"], one.data.get("version"), (one.parts["reason"].value or b"").decode())
        for one in office.log("proposal.refused")
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LOWERED, "step say: its gate is lowered: 2 of @deciders → 1 of @deciders"),
        (
            PLAIN.replace('    approval: {stages: [{from: ["@deciders"], approve: 2}]}\n', ""),
            "its gate is lowered: 2 of @deciders → nobody, unless the policy asks",
        ),
        (
            LOWERED.replace("id: say", "id: tell"),
            "step tell, beside step say before: its gate is lowered",
        ),
        (
            LOWERED.replace("tidy-up", "clear-away"),
            "beside tidy-up, which it nearly repeats, step say: its gate is lowered",
        ),
    ],
)
def test_an_author_lowers_no_gate(office: Office, text: str, told: str) -> None:
    before = office.active()
    with pytest.raises(LoweredGateError, match="have somebody of @governors propose it"):
        ordered(office, text)
    why, version, reason = refusals(office)[-1]

    newest = story_of(office.core.memory.database, load_definition(text).workflow)[0].words
    assert newest.startswith(f"{str(version)[:8]} refused before anybody was asked; proposed by ")
    assert (why, version) == ("gate_lowered", load_definition(text).version)
    assert told in reason
    assert office.active() == before


NOTE = """
  - id: note
    uses: slack.post
    with: {channel: "#ops", text: "Noted ${{ inputs.what }}"}
    undo: none
"""


def test_a_step_that_keeps_its_gate_and_does_nothing_is_no_cover(office: Office) -> None:
    decoy = PLAIN.replace("    approval:", '    when: "false"\n    approval:') + NOTE
    swapped = (PLAIN + NOTE).replace("Tidied", "?").replace("Noted", "Tidied").replace("?", "Noted")
    elsewhere = PLAIN + NOTE.replace("#ops", "#other")
    told = "reaches what step say is gated for: 2 of @deciders → nobody, unless the policy asks"

    assert changed(PLAIN, decoy, office) == [f"step note {told}"]
    assert changed(PLAIN + NOTE, swapped, office) == [f"step note {told}"]
    assert changed(PLAIN, elsewhere, office) == []
    assert changed(PLAIN + NOTE, (PLAIN + NOTE).replace("Tidied", "All tidied"), office) == []


def test_a_gate_is_lowered_by_whoever_governs_who_says_why_and_does_not_decide(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path)
    first = office.propose(PLAIN)
    office.agree(first.run, "olga", "gina")
    source = Source(text=LOWERED, file="tidy-up.yaml")
    with pytest.raises(ProposalError, match="Whoever governs says why"):
        office.proposing("omar").publish(source, author=None, reason=" ")
    put = office.propose(LOWERED, by="omar", author="@rita")
    office.agree(put.run, "olga", "gina")
    lower = office.active()
    back = office.proposing("rita").activate("tidy-up", first.version, reason="Too lax.")
    office.agree(back.run, "olga", "gina")
    order = ActivateOrder(workflow="tidy-up", version=put.version, reason="Again.")
    with pytest.raises(LoweredGateError):
        carry_out(office.core, order, person=PersonId("os:rita"))
    office.agree(office.proposing("rita").retire("tidy-up", reason="x").run, "olga", "gina")
    with pytest.raises(LoweredGateError):
        ordered(office, LOWERED)
    wanted = [one.data["wanted"] for one in office.log("proposal.refused")]
    office.core.memory.database.close()

    assert lower == put.version
    assert wanted == ["activate", "publish"]


def test_a_name_is_not_one_slip_from_another(office: Office) -> None:
    office.core.library.publish_own(definition(PLAIN.replace("tidy-up", "clean-shelf")))
    with pytest.raises(NearNameError, match="claen-shelf is one slip away from clean-shelf"):
        ordered(office, PLAIN.replace("tidy-up", "claen-shelf"))

    assert refusals(office)[-1][0] == "name_alike"


def changed(before: str, after: str, office: Office) -> list[str]:
    return lowered(definition(before), definition(after), office.core.library.known())


def definition(text: str) -> Definition:
    return load_definition(text)


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("    verify:", "    # verify:", "step say: the proof that it happened is gone"),
        (
            'undo: {uses: slack.post, with: {channel: "#ops", text: "Not tidied"}}',
            "undo: none",
            "step say: it can be taken back no more",
        ),
        ("    approval:", "    recheck: false\n    approval:", "step say: it is no longer checked"),
        ("inputs:", "mode: best_effort\ninputs:", "best effort: nothing is verified any more"),
    ],
)
def test_proof_and_undo_are_held_to_as_gates_are(
    office: Office, was: str, now: str, told: str
) -> None:
    (less,) = changed(PROVEN, PROVEN.replace(was, now), office)

    assert less.startswith(told)
    assert changed(PROVEN.replace(was, now), PROVEN, office) == []


def test_what_was_said_to_be_graver_stays_so_unless_it_does_something_milder(
    office: Office,
) -> None:
    pays = PLAIN.replace("slack.post", "http.request").replace(
        'channel: "#ops", text: "Tidied ${{ inputs.what }}"', "service: shop, method: POST, path: /"
    )
    grave = pays.replace("    undo: none", "    effect: destructive\n    undo: none")

    assert "POST" in grave
    assert changed(grave, pays, office) == ["step say: said to be destructive no more"]
    assert changed(grave, pays.replace("POST", "GET"), office) == []
    assert changed(grave, grave.replace("path: /", "path: /all"), office) == []


def test_a_destructive_effect_does_not_hide_in_a_workflow_that_is_started(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.agree(office.propose(INNER).run, "olga", "gina")
    office.agree(office.propose(OUTER).run, "olga", "gina")
    with pytest.raises(HiddenEffectError, match="Write `effect: destructive` beside"):
        ordered(office, GRAVE)
    office.agree(office.propose(TOLD).run, "olga", "gina")
    office.agree(office.propose(GRAVE).run, "olga", "gina")
    with pytest.raises(HiddenEffectError):
        ordered(office, OUTER)
    told, second = refusals(office)
    put = office.propose(OUTER, by="omar")
    office.settle(put.run)
    card = office.card(put.run)
    graver = office.active("sweep-out")
    office.core.memory.database.close()

    assert told[:2] == ("effect_hidden", load_definition(GRAVE).version)
    assert "round-up: step go starts sweep-out, where step say of sweep-out cannot" in told[2]
    assert graver == load_definition(GRAVE).version
    assert any("step go starts sweep-out, where" in one for one in card[:2])
    assert "unsaid what cannot be undone. step go starts sweep-out" in second[2]


def test_of_two_proposals_that_hide_an_effect_together_the_second_is_refused(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path)
    inner, outer = office.propose(GRAVE), office.propose(OUTER)
    office.settle(outer.run)
    office.vote(outer.run, "olga")
    office.agree(inner.run, "olga", "gina")
    office.vote(outer.run, "gina")
    office.settle(outer.run)
    told = office.entries(outer.run)
    active = office.active("round-up")
    office.core.memory.database.close()

    assert active is None
    void = next(one for one in told if one.kind == "approval.withdrawn")
    assert b"step go starts sweep-out, where step say of sweep-out" in (
        void.parts["reason"].value or b""
    )
    assert [one.kind for one in told].count("approval.requested") == 1


def test_a_policy_file_that_nobody_agreed_to_changes_nothing_and_is_an_entry_once(
    tmp_path: Path, database_url: str
) -> None:
    office = Office(tmp_path, database=database_url)
    in_force = office.core.policy.digest
    office.write("policy.yaml", POLICY)
    for _ in range(2):
        office.restart()
        catalog_watch_of(office.core, office.town).look_for_drift()
    (told,) = office.log("proposal.refused")
    other = POLICY.replace("24h", "48h") + "publish: {}\n"
    source = Source(text=office.write("policy.yaml", other).read_text(), file="policy.yaml")
    office.proposing("rita").policy(source, author=None, reason="Longer.")
    catalog_watch_of(office.core, office.town).look_for_drift()
    count, now = len(office.log("proposal.refused")), office.core.policy.digest
    office.core.memory.database.close()

    assert now == in_force
    assert told.actor.kind == "system"
    assert dict(told.data) == {
        "wanted": "policy",
        "workflow": "",
        "why": "not_agreed",
        "policy": read_policy(POLICY, "policy.yaml").required().digest,
    }
    assert b"interlock publish --policy" in (told.parts["reason"].value or b"")
    assert count == 1
