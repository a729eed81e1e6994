"""A form with every type of input: filled in, refused at its field, typed, and on the card."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.errors import NotPossibleError
from sandbox.person import Person
from sandbox.seen import SeenMessage
from tests.journeys.company import OPS, SHIPPED, Scene, calm_stage
from tests.journeys.test_hostile_words import marked_up
from tests.sandbox.payload_checks import complaints_about

MANY = ", ".join(f"region-{number:03d}" for number in range(150))
MOVE = f"""
workflow: move-customer
title: Move a customer
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  account:
    type: string
    title: Account
    options:
      uses: sql.query
      with:
        database: crm
        statement: SELECT id, plan FROM account WHERE id LIKE '%' || :typed ORDER BY id LIMIT 20
        parameters: {{typed: "${{{{ typed }}}}"}}
      returns: {{rows: [{{id: string, plan: string}}]}}
      items: result.rows
      value: item.id
      label: item.id + ", " + item.plan
  region: {{type: enum, title: Region, choices: [{MANY}]}}
  tags: {{type: list, title: Tags, of: {{type: string, pattern: "^[a-z ]+$"}}, max_items: 3}}
  sizes: {{type: list, title: Sizes, of: {{type: enum, choices: [small, large]}}, required: false}}
  at: {{type: datetime, title: At, minimum: "2030-01-01T00:00:00Z"}}
  day: {{type: date, title: Day, default: "2031-05-06"}}
  rate: {{type: number, title: Rate, default: 1.5}}
  loud: {{type: boolean, title: Loud, default: false}}
  who: {{type: user, title: Who}}
  team: {{type: group, title: Team}}
  place: {{type: channel, title: Place, default: "#ops"}}
  sheet: {{type: file, title: Sheet, types: [csv], max_bytes: 100, required: false}}
steps:
  - id: tell
    uses: slack.post
    with:
      text: >-
        ${{{{ inputs.account }}}} goes to ${{{{ inputs.region }}}} by ${{{{ inputs.who.name }}}}
        of ${{{{ inputs.team.name }}}} in ${{{{ inputs.place.name }}}}, first tag
        ${{{{ inputs.tags[0] }}}}
    approval: {{stages: [{{from: ["@finance-leads"], approve: 1}}], expires: 8h}}
"""
ASK = """
workflow: ask-around
title: Ask around
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
steps:
  - id: whom
    ask:
      of: ["@finance-leads"]
      question: Who does it?
      fields:
        people: {type: list, title: People, of: {type: user}}
        account:
          type: string
          title: Account
          options:
            uses: sql.query
            with: {database: crm, statement: SELECT id FROM account ORDER BY id LIMIT 5}
            returns: {rows: [{id: string}]}
            items: result.rows
            value: item.id
  - id: say
    uses: slack.post
    with: {text: "${{ steps.whom.output.people[0].name }} does it"}
"""
AT = 1_900_000_000  # 2030-03-17 17:46:40 UTC


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    files = tmp_path / "files"
    shutil.copytree(SHIPPED, files)
    (files / "move-customer.yaml").write_text(MOVE)
    (files / "ask-around.yaml").write_text(ASK)
    with calm_stage(tmp_path / "home", files) as stage:
        yield Scene(stage=stage, over="socket")
        assert complaints_about(stage.slack.recorder) == []


def filled(rita: Person, **others: object) -> dict[str, object]:
    account = next(iter(rita.search("Account", "00002")))
    region = next(iter(rita.search("Region", "149")))
    team = next(iter(rita.search("Team", "finance-l")))
    return {
        "Account": account,
        "Region": region,
        "Tags": "one\n\ntwo words\n",
        "Sizes": ["small", "large"],
        "At": AT,
        "Who": "ana",
        "Team": team,
        "Place": "#finance",
        "Sheet": {"name": "moves.csv", "content": "a,b\n"},
        **others,
    }


def root_of(scene: Scene) -> SeenMessage:
    return scene.waits(
        lambda: next((one for one in scene.roots() if "Move a customer" in one.words), None),
        "the run's first message",
    )


def test_every_type_is_filled_in_and_shown_in_words_to_whoever_decides(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run move-customer", channel=OPS)
        rita.wait_for_view("Move a customer")
        rita.submit(filled(rita))
        card = scene.card(root_of(scene))

        assert "Tags: one, two words" in card.words
        assert "Sizes: small, large" in card.words
        assert "Who: @ana" in card.words
        assert "Team: @finance-leads" in card.words
        assert "Place: #finance" in card.words
        assert "Day: 6 May 2031" in card.words
        assert "At: 2030-03-17 17:46 UTC" in card.words
        assert "Sheet: moves.csv (4 bytes)" in card.words
        assert "<@U0ANA>" in str(card.blocks)
        # The group that decides is called, the one that somebody typed is not.
        assert str(card.blocks).count("<!subteam^S0FINANCELEADS>") == 1
        assert "goes to region-149 by ana of finance-leads in finance, first tag one" in card.words


def test_each_wrong_value_is_told_at_its_field_and_the_rest_stays(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run move-customer", channel=OPS)
        rita.wait_for_view("Move a customer")
        gone = {"text": {"type": "plain_text", "text": "x"}, "value": "acc_99999"}
        wrong = filled(rita, Account=gone, Tags="ONE", At=AT - 10**9, Who="dex")
        rita.submit(wrong)
        view = rita.wait_for_view("")

        assert view.hints["Tags"] == "item 1 must look like [a-z ]+"
        assert view.hints["At"] == "must be at least 2030-01-01T00:00:00Z"
        assert view.hints["Who"] == "is a deactivated account"
        assert "is not offered any more" in view.hints["Account"]
        assert len(view.hints) == 4
        assert scene.roots() == []


def test_a_file_of_another_type_or_size_is_refused(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run move-customer", channel=OPS)
        rita.wait_for_view("Move a customer")
        with pytest.raises(NotPossibleError, match="file of type csv"):
            rita.submit(filled(rita, Sheet={"name": "moves.exe", "content": "x"}))
        rita.submit({"Sheet": {"name": "moves.csv", "content": "x" * 101}})

        assert rita.wait_for_view("").hints == {"Sheet": "has 101 bytes, at most 100"}


def test_the_name_of_a_file_is_shown_as_it_is(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run move-customer", channel=OPS)
        rita.wait_for_view("Move a customer")
        evil = "<!channel> <https://evil.example|Approve> *x*.csv"
        rita.submit(filled(rita, Sheet={"name": evil, "content": "a\n"}))
        card = scene.card(root_of(scene))

        assert f"Sheet: {evil} (2 bytes)" in str(card.blocks)
        assert not [one for one in marked_up(card.blocks) if "channel" in one or "evil" in one]


def test_the_same_values_are_typed_with_the_command(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command(
            "/ops run move-customer account=acc_00007 region=region-007 tags=one,two"
            " sizes=large at=2030-03-17T18:46+01:00 who=@ana team=@finance-leads place=#ops",
            channel=OPS,
        )
        card = scene.card(root_of(scene))

        assert "Account: acc_00007" in card.words
        assert "Who: @ana" in card.words
        assert "Tags: one, two" in card.words
        assert "At: 2030-03-17 17:46 UTC" in card.words


def test_a_search_that_cannot_be_answered_is_empty_and_the_form_says_why(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops run move-customer", channel=OPS)
        view = rita.wait_for_view("Move a customer")
        scene.stage.accounts.rename(scene.stage.accounts.with_suffix(".away"))

        assert rita.search("Account", "") == []
        assert "its service may not have answered" in str(view.blocks)


def test_somebody_who_may_not_start_it_any_more_is_offered_nothing(scene: Scene) -> None:
    workspace = scene.stage.slack.workspace
    with scene.serving():
        workspace.join_group("petra", "support")
        scene.is_heard()
        petra = scene.person("petra")
        petra.command("/ops run move-customer", channel=OPS)
        petra.wait_for_view("Move a customer")
        workspace.leave_group("petra", "support")
        scene.is_heard()

        assert petra.search("Account", "") == []
        assert petra.search("Region", "") == []


def test_a_question_has_such_fields_too_for_those_who_are_asked(scene: Scene) -> None:
    workspace = scene.stage.slack.workspace
    with scene.serving():
        workspace.join_group("sam", "finance-leads")
        scene.is_heard()
        scene.person("rita").command("/ops run ask-around", channel=OPS)
        root = scene.waits(
            lambda: next((one for one in scene.roots() if "Ask around" in one.words), None),
            "the run's first message",
        )
        card = scene.waits(
            lambda: next((one for one in scene.thread(root) if "Answer" in one.buttons), None),
            "the question",
        )
        sam, ana = scene.person("sam"), scene.person("ana")
        for person in (sam, ana):
            person.click("Answer", message=card)
            person.wait_for_view("Who does it?")
        workspace.leave_group("sam", "finance-leads")
        scene.is_heard()
        assert sam.search("Account", "") == []
        account = next(iter(ana.search("Account", "00003")))
        ana.submit({"People": ["ben", "ana"], "Account": account})
        scene.ends(root, "done")

        assert "People: @ben, @ana" in scene.closed(card).words
        assert any("ben does it" in one.words for one in scene.thread(root))


def test_each_keeps_its_value_when_another_one_is_changed(scene: Scene) -> None:
    with scene.serving():
        rita, ana = scene.person("rita"), scene.person("ana")
        rita.command("/ops run move-customer", channel=OPS)
        rita.wait_for_view("Move a customer")
        rita.submit(filled(rita))
        root = root_of(scene)
        card = scene.card(root)
        ana.click("Change", message=card)
        told = scene.waits(lambda: next(iter(ana.ephemerals), None), "an answer")
        assert "You may not run this workflow" in told.words
        assert ana.view is None
        rita.click("Change", message=card)
        rita.wait_for_view("Move a customer")
        account = next(iter(rita.search("Account", "00003")))
        rita.submit({"Account": account})
        newer = scene.waits(
            lambda: next(
                (one for one in scene.thread(root) if "Reject" in one.buttons and one.ts > card.ts),
                None,
            ),
            "the new card",
        )
        lines = newer.words.splitlines()

        assert "Account: acc_00002 → acc_00003" in lines
        changed = [one for one in lines if " → " in one and not one.startswith("headline")]
        assert changed == ["Account: acc_00002 → acc_00003"]
        assert "Sheet: moves.csv (4 bytes)" in newer.words


def test_a_schedule_is_set_with_them_and_looked_up_again_when_it_fires(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops schedule move-customer every weekday 9:00", channel=OPS)
        form = rita.wait_for_view("Move a customer")
        rita.submit(filled(rita))
        shown = rita.wait_for_view("", other_than=form)

        assert "acc_00002" in shown.words
        assert "one, two words" in shown.words
