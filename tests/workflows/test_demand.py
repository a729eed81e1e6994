# ruff: noqa: ANN401 - a builder takes whatever field a test is about.
"""Whatever is gathered, nothing that one rule demands is loosened by another."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflows.definition_steps import AllOf, Approval, ApprovalStage
from workflows.demand import Demand, Wish, gathered, wish_of
from workflows.policy_escalation import Escalate
from workflows.policy_hours import Hours, hours_of
from workflows.policy_publish import Publish, Roles
from workflows.policy_reason import ReasonPattern
from workflows.turns import in_turns, order_of, turns_in

A, B, C, D = (frozenset({f"@{name}"}) for name in "abcd")


def stage(*asked: str, approve: int = 1, deny: int = 1) -> ApprovalStage:
    return ApprovalStage(asked=asked, approve=approve, deny=deny)


def both(*parts: ApprovalStage) -> AllOf:
    return AllOf(parts=parts)


def wish(*stages: ApprovalStage | AllOf, name: str = "rule", **more: Any) -> Wish:
    usual = {"expires": timedelta(hours=24), "remind": (), "needs_reason": False}
    return Wish(name=name, stages=stages, **{**usual, **more})


def demand(*wishes: Wish) -> Demand:
    found = gathered(wishes)
    assert found is not None
    return found


def turns(found: Demand) -> list[list[str]]:
    return [
        ["/".join(found.stages[index].asked) for index in turn]
        for turn in turns_in([one.turn for one in found.stages])
    ]


def test_parts_stay_side_by_side() -> None:
    found = demand(wish(both(stage("@a"), stage("@b")), stage("@c")))

    assert turns(found) == [["@a", "@b"], ["@c"]]
    assert [one.turn for one in found.stages] == [0, 0, None]


def test_people_whom_one_rule_names_twice_have_to_be_that_many_more() -> None:
    in_turn = demand(wish(stage("@a", "@b", deny=2), stage("@c"), stage("@b", "@a", approve=2)))
    together = demand(wish(both(stage("@a", deny=3), stage("@a", deny=2)), stage("@c")))

    assert turns(in_turn) == [["@a/@b"], ["@c"]]
    assert [(one.approve, one.deny) for one in in_turn.stages] == [(3, 1), (1, 1)]
    assert turns(together) == [["@a"], ["@c"]]
    assert [(one.approve, one.deny) for one in together.stages] == [(2, 2), (1, 1)]


def test_owner_and_governors_who_are_one_group_are_two_people_of_whom_one_may_refuse() -> None:
    stages = ({"from": ("owner",), "deny": 2}, {"from": ("governors",)})
    roles = Roles(owner="@gov", deputy="@ops", governors=("@gov",))
    (one,) = Publish.model_validate({"stages": stages}).approval(roles).stages

    assert one == stage("@gov", approve=2, deny=1)


def test_people_whom_two_rules_name_have_to_be_as_many_as_one_of_them_wants() -> None:
    found = demand(wish(stage("@a"), stage("@a")), wish(stage("@a", approve=2)), wish(stage("@a")))

    assert [one.approve for one in found.stages] == [2]


def test_what_one_rule_wants_in_turn_is_not_decided_side_by_side_for_another() -> None:
    together, in_turn = wish(both(stage("@a"), stage("@b"))), wish(stage("@b"), stage("@a"))

    for found in (demand(together, in_turn), demand(in_turn, together)):
        assert turns(found) == [["@b"], ["@a"]]
        assert found.is_as_strict_as(demand(in_turn))
    assert not demand(together).is_as_strict_as(demand(in_turn))


def test_a_stage_of_a_later_rule_comes_before_those_it_wants_after_it() -> None:
    found = demand(wish(stage("@a"), stage("@b")), wish(stage("@c"), stage("@b")))

    assert turns(found) == [["@a"], ["@c"], ["@b"]]


def test_of_opposite_orders_the_one_that_stands_earlier_counts() -> None:
    found = demand(wish(stage("@a"), stage("@b")), wish(stage("@b"), stage("@a")))

    assert turns(found) == [["@a"], ["@b"]]


def test_stages_of_rules_that_say_nothing_of_each_other_keep_the_order_of_the_file() -> None:
    found = demand(wish(stage("@a")), wish(both(stage("@b"), stage("@c"))), wish(stage("@d")))

    assert turns(found) == [["@a"], ["@b", "@c"], ["@d"]]


def test_the_same_people_in_a_part_and_in_a_stage_are_asked_once_for_the_larger_number() -> None:
    found = demand(wish(stage("@a", deny=3)), wish(both(stage("@a", approve=2), stage("@b"))))

    assert [(one.asked, one.approve, one.deny) for one in found.stages] == [
        (("@a",), 2, 1),
        (("@b",), 1, 1),
    ]


def test_every_pattern_every_exclusion_and_all_hours_count() -> None:
    ticket, long = ReasonPattern(pattern="a+", hint="a"), ReasonPattern(pattern=".{9}", hint="9")
    day = hours_of(Hours(begins="09:00", ends="17:00"), "UTC")
    found = demand(
        wish(stage("@a"), patterns=(ticket,), exclude=("@x",)),
        wish(stage("@a"), patterns=(long, ticket), exclude=("@y", "@x"), hours=(day,)),
    )

    assert found.patterns == (ticket, long)
    assert found.exclude == ("@x", "@y")
    assert found.hours == (day,)


def test_each_rule_reminds_until_the_earliest_end() -> None:
    hours = [timedelta(hours=one) for one in range(9)]
    calm, careful = wish(stage("@a")), wish(stage("@b"), remind=(hours[8], hours[2]))
    short = wish(stage("@c"), expires=hours[8], remind=(hours[2], hours[1]))

    assert demand(calm, careful).remind == (hours[2], hours[8])
    assert demand(careful, calm, short).remind == (hours[1], hours[2])


def escalate(hours: int, *to: str) -> Escalate:
    return Escalate(after=timedelta(hours=hours), to=to)


def test_an_escalation_opens_the_stages_of_its_own_rule() -> None:
    found = demand(wish(stage("@a"), stage("@b"), escalate=escalate(2, "@x")), wish(stage("@c")))

    assert [(one.to, one.stages) for one in found.escalations] == [(("@x",), (0, 1))]


def test_rules_that_let_the_same_people_in_at_one_moment_do_so_once() -> None:
    first = wish(stage("@a"), stage("@b"), escalate=escalate(2, "@x", "@y"))
    then = wish(stage("@b"), stage("@c"), escalate=escalate(2, "@y", "@x"))
    found = demand(first, then, wish(stage("@d"), escalate=escalate(1, "@x", "@y")))

    assert [(one.to, one.stages) for one in found.escalations] == [
        (("@x", "@y"), (3,)),
        (("@x", "@y"), (0, 1, 2)),
    ]


def test_a_shared_stage_is_opened_only_as_far_as_each_rule_says_so() -> None:
    shared = stage("@a")
    early, late = escalate(2, "@x"), escalate(4, "@x", "@y")

    assert demand(wish(shared, escalate=early), wish(shared)).escalations == ()
    # After two hours the second rule would let nobody in; after four the first lets in less.
    assert demand(wish(shared, escalate=early), wish(shared, escalate=late)).escalations == ()
    same = demand(wish(shared, escalate=early), wish(shared, escalate=escalate(1, "@x", "@z")))
    assert [(one.after, one.to) for one in same.escalations] == [(timedelta(hours=2), ("@x",))]


def test_a_definition_may_agree_that_its_own_stage_is_opened() -> None:
    rule = wish(stage("@a"), escalate=escalate(2, "@x"))
    silent = Approval(stages=(stage("@a"),))
    agreeing = Approval(stages=(stage("@a"),), escalate=escalate(2, "@x", "@y"))

    def opened(approval: Approval) -> list[tuple[str, ...]]:
        own = wish_of(approval, name="own", expires=timedelta(hours=24))
        return [one.to for one in demand(rule, own).escalations]

    assert opened(silent) == []
    assert opened(agreeing) == [("@x",)]


NAMES = st.sampled_from(["@a", "@b", "@c", "@d"])
STAGES = st.builds(
    ApprovalStage,
    asked=st.lists(NAMES, min_size=1, max_size=2, unique=True).map(tuple),
    approve=st.integers(1, 3),
    deny=st.integers(1, 3),
)
PARTS = st.lists(STAGES, min_size=2, max_size=3).map(lambda parts: both(*parts))
HOURS = [hours_of(Hours(begins="09:00", ends=f"{end}:00"), "UTC") for end in (15, 17)]
FORMS = [ReasonPattern(pattern=one, hint=one) for one in ("a+", "b+")]
WISHES = st.builds(
    wish,
    st.just(stage("@a")) | STAGES | PARTS,
    st.just(stage("@b")) | STAGES | PARTS,
    expires=st.integers(1, 48).map(lambda hours: timedelta(hours=hours)),
    needs_reason=st.booleans(),
    batch=st.booleans(),
    patterns=st.lists(st.sampled_from(FORMS), max_size=2, unique=True).map(tuple),
    exclude=st.lists(NAMES, max_size=2, unique=True).map(tuple),
    hours=st.lists(st.sampled_from(HOURS), max_size=2, unique=True).map(tuple),
    escalate=st.none()
    | st.builds(
        Escalate,
        after=st.integers(1, 3).map(lambda hours: timedelta(hours=hours)),
        to=st.lists(NAMES, min_size=1, max_size=2, unique=True).map(tuple),
    ),
)


@given(st.lists(WISHES, min_size=1, max_size=3), WISHES)
def test_one_more_rule_only_tightens(wishes: Sequence[Wish], more: Wish) -> None:
    before = demand(*wishes)

    assert demand(*wishes, more).is_as_strict_as(before)


@given(st.lists(WISHES, min_size=1, max_size=4))
def test_every_stage_stands_once_and_every_order_is_kept(wishes: Sequence[Wish]) -> None:
    found = demand(*wishes)
    asked = [frozenset(one.asked) for one in found.stages]
    place = {
        frozenset(found.stages[index].asked): number
        for number, turn in enumerate(turns_in([one.turn for one in found.stages]))
        for index in turn
    }

    assert len(asked) == len(set(asked))
    assert {key for one in wishes for turn in one.turns for key in turn} == set(asked)
    assert all(place[first] < place[then] for first, then in found.order)


@given(st.lists(WISHES, min_size=1, max_size=3))
def test_a_demand_is_as_strict_as_itself(wishes: Sequence[Wish]) -> None:
    assert demand(*wishes).is_as_strict_as(demand(*wishes))


def test_anything_that_is_taken_away_is_less_strict() -> None:
    full = wish(
        stage("@a", approve=2),
        stage("@b"),
        needs_reason=True,
        patterns=(FORMS[0],),
        exclude=("@x",),
        hours=(HOURS[0],),
    )
    weaker = [
        wish(stage("@a"), stage("@b"), **_terms(full)),
        wish(stage("@a", approve=2), **_terms(full)),
        wish(stage("@b"), stage("@a", approve=2), **_terms(full)),
        wish(*full.stages, **{**_terms(full), "patterns": ()}),
        wish(*full.stages, **{**_terms(full), "exclude": ()}),
        wish(*full.stages, **{**_terms(full), "hours": ()}),
        wish(*full.stages, **{**_terms(full), "needs_reason": False}),
        wish(*full.stages, **{**_terms(full), "expires": timedelta(days=3)}),
        wish(*full.stages, **{**_terms(full), "escalate": escalate(1, "@y")}),
        wish(*full.stages, **{**_terms(full), "batch": True}),
    ]

    assert [demand(one).is_as_strict_as(demand(full)) for one in weaker] == [False] * len(weaker)


def _terms(one: Wish) -> dict[str, Any]:
    names = ("expires", "needs_reason", "patterns", "exclude", "hours", "escalate")
    return {name: getattr(one, name) for name in names}


def test_orders_go_through_stages_in_between() -> None:
    order = order_of([[[A], [B]], [[B], [C]], [[C], [A]]])

    assert in_turns([[[C], [A]], [[B]]], order) == [[A], [B], [C]]
