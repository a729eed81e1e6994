"""A mistake at every level of a file is named at its line and column."""

import pytest

from tests.workflows.definition_kit import HEAD, REFUND, said
from workflows.definition_file import MOST_BYTES, MOST_DEPTH
from workflows.errors import DefinitionError
from workflows.loading import load_definition, read_definition

STEP = HEAD + "steps:\n  - id: look\n    uses: sql.query\n"
WITH = STEP + "    with: {database: crm, statement: SELECT 1}\n"


def form_faults(text: str) -> list[str]:
    return [str(one).removeprefix("f:") for one in read_definition(text, "f").faults]


def test_a_sound_definition_has_no_faults() -> None:
    assert said(REFUND) == []


def test_no_file_takes_the_name_under_which_governors_sign() -> None:
    (fault,) = said(REFUND.replace("refund-customer", "access-review"))

    assert "is the name of a workflow that comes from no file" in fault


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("owner:", "ownr:"), "3:1: ownr: is not known here, did you mean 'owner'?"),
        (("owner:", "ownr:"), "1:1: owner: is missing, name who answers for it"),
        (("refund-customer", "Refund Customer"), "1:11: workflow: write small letters, digits"),
        (('"@finance-ops"', "finance"), "3:8: owner: write a user group or a person with its @"),
        (("title: Refund a customer", "title: 12"), "2:8: title: has the wrong type, write text"),
        (("pattern:", "patern:"), "6:25: inputs.order.patern: is not known here, did you mean"),
        (("[a-z0-9]+$", "[a-z0-9"), "6:34: inputs.order.pattern: is no regular expression"),
        (("integer, min", "integr, min"), "7:11: inputs.amount: has a type that does not exist"),
        (("type: integer, ", ""), "7:11: inputs.amount: has no type, add a type: string, integer"),
        (("minimum: 1", 'minimum: "1"'), "7:36: inputs.amount.minimum: has the wrong type"),
        (("default: 1.5", "default: x"), "8:33: inputs.rate.default: has the wrong type"),
        (
            ("type: number, default: 1.5", "type: date, default: 2026-02-30"),
            "8:31: inputs.rate.default: is no day of the calendar, write it as 2026-03-31",
        ),
        (
            ("type: number, default: 1.5", 'type: datetime, default: "2026-01-01 09:00"'),
            "inputs.rate.default: is a moment in an unknown time zone, write it with its offset",
        ),
        (("  note:", "  in:"), "9:3: inputs.in: 'in' is a word of the expression language"),
        (("paid: integer", "paid: int"), "15:28: steps[0].returns.body.paid: is written in a form"),
        (("id: refund", "id: Refund"), "16:9: steps[1].id: write small letters, digits"),
        (("id: refund", "id: order"), "16:9: steps[1].id: another step is called 'order' too"),
        (("destructive", "destroy"), "20:13: steps[1].effect: cannot be 'destroy'"),
        (("stages:", "stage:"), "21:16: steps[1].approval.stage: is not known here"),
        (('from: ["@finance-leads"]', "from: []"), "21:32: steps[1].approval.stages[0].from: is"),
        (('"@finance-leads"]', '"@f"], approve: 0'), "approve: is out of range, write at least 1"),
        (("undo: none", "undo: nothing"), "27:11: steps[1].undo: cannot be 'nothing'"),
        (("expect:", "expct:"), "26:7: steps[1].verify.expct: is not known here, did you mean"),
    ],
)
def test_a_mistake_of_form_is_shown_where_it_stands(change: tuple[str, str], fault: str) -> None:
    assert change[0] in REFUND

    found = form_faults(REFUND.replace(*change, 1))

    assert any(fault in one for one in found), found


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("order/${{ inputs.order", "o/${{ inputs.ordr"), "10:7: lock: 'inputs.ordr': nothing is"),
        (("uses: http.request", "uses: http.requst"), "13:11: steps[0].uses: there is no action"),
        (("service: shop", "service: shp"), "14:21: steps[0].with.service: the policy has no"),
        (('path: "/orders', 'pth: "/orders'), "14:27: steps[0].with.pth: is not known here"),
        (('path: "/orders', 'pth: "/orders'), "14:5: steps[0].with.path: is missing"),
        (("{body: {paid", "{bdy: {paid"), "15:14: steps[0].returns: `returns` does not fit"),
        (("inputs.amount <=", "inputs.amout <="), "17:11: steps[1].when: 'inputs.amout <="),
        (("body.paid &&", "body.payd &&"), "nothing is called steps.order.output.body.payd; did"),
        (("inputs.rate > 1.0", "inputs.rate > 1"), "character 62: > does not go with double, int"),
        (("inputs.rate > 1.0", "inputs.rate > 1"), "of a fraction as 2.0, or double(…) around"),
        (("inputs.rate > 1.0", "inputs.rate == null"), "double, null; as declared it is never"),
        (('"${{ inputs.amount }}"', '"${{ inputs.amount"'), "has an expression that is empty or"),
        (("effect: destructive", "effect: read"), "20:13: steps[1].effect: says read, but"),
        (
            ("expect: result.body.refunded", "expect: inputs.amount"),
            "26:15: steps[1].verify.expect",
        ),
    ],
)
def test_a_mistake_of_meaning_is_shown_where_it_stands(change: tuple[str, str], fault: str) -> None:
    assert change[0] in REFUND

    found = said(REFUND.replace(*change, 1))

    assert any(fault in one for one in found), found


def test_every_fault_of_a_file_is_reported_at_once() -> None:
    text = REFUND.replace("owner:", "ownr:").replace("destructive", "destroy")
    text = text.replace("undo: none", "undo: 3")

    places = [one.split(" ")[0] for one in form_faults(text)]

    assert places == ["1:1:", "3:1:", "20:13:", "27:11:"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\na: 2\n", "2:1: a: stands twice, first in line 1"),
        ("a: &x 1\n", "1:4: a: anchors are not allowed"),
        ("a: &x 1\nb: *x\n", "2:4: b: aliases are not allowed"),
        ("a: !!int 1\n", "1:4: a: tags are not allowed"),
        ("a: !x {b: 1}\n", "1:4: a: tags are not allowed"),
        ("? [a]\n: 1\n", "1:3: has a key that is no plain word"),
        ("a: [1, 2\n", "is not YAML"),
        ("\ta: 1\n", "1:1: is not YAML"),
        ("a: 1\n---\nb: 1\n", "2:1: holds more than one document"),
        ("a: 99999999999999999999\n", "1:4: a: is too large for a number"),
        ("a: 1e400\n", "1:4: a: is too large for a number"),
        ("", "1:1: the file is empty"),
        ("- a\n", "1:1: is no list of names"),
        ("a: " + "[" * 40 + "]" * 40, "is nested too deeply"),
        ("[" * 9000, "is nested too deeply, use at most 24 levels"),
        ("? " * 9000, "is nested too deeply, use at most 24 levels"),
        ("<<: {a: 1}\n", "1:1: merge keys are not allowed, write the values here"),
        ("a: !!python/object/apply:os.system [x]\n", "1:4: a: tags are not allowed: tag:yaml.org"),
        ("a: " + "9" * 60_000, "1:4: a: is too large for a number, quote it"),
        ("a: 1\nb: x\x1b[31m\n", "2:5: is not YAML: holds U+001B, which cannot be seen, remove it"),
        ("a: 1\nb: x\0\n", "2:5: is not YAML: holds U+0000, which cannot be seen, remove it"),
        ('a: "x\\e[31m"\n', "1:4: a: holds U+001B, which cannot be seen, remove it"),
        ('"\\ud800": x\n', "1:1: holds U+D800, which cannot be seen, remove it"),
        ('a: "\\U99999999"\n', "1:1: is not YAML: "),
        ("a: 1 # \u202e back\n", "1:8: holds U+202E, which shows the line in another order"),
        ("#" * MOST_BYTES + "\n", "1:1: has 65537 bytes"),
    ],
)
def test_yaml_that_could_mislead_a_reader_is_refused(text: str, fault: str) -> None:
    found = form_faults(text)

    assert any(fault in one for one in found), found


def test_nesting_is_named_once_however_deep_it_goes() -> None:
    deep = MOST_DEPTH + 30

    found = [one for one in form_faults("a: " + "[" * deep + "]" * deep) if "deeply" in one]

    assert len(found) == 1


def test_words_that_other_yaml_takes_for_booleans_stay_words() -> None:
    document = read_definition("a: [yes, off, NO, 0x10, 1_000, 2024-01-01]", "f").document

    assert document.value == {"a": ["yes", "off", "NO", "0x10", "1_000", "2024-01-01"]}


def test_a_file_that_cannot_be_used_names_all_its_faults_in_one_refusal() -> None:
    with pytest.raises(DefinitionError, match=r"(?s)f\.yaml:1:1: owner.*f\.yaml:3:1: ownr"):
        load_definition(REFUND.replace("owner:", "ownr:"), "f.yaml")


def test_a_missing_step_list_and_an_empty_one_are_told_apart() -> None:
    assert any("steps: is missing, add at least one step" in one for one in form_faults(HEAD))
    assert any("steps: is empty or too short" in one for one in form_faults(HEAD + "steps: []\n"))


def test_a_step_that_is_no_mapping_is_the_only_thing_said_about_it() -> None:
    assert form_faults(HEAD + "steps:\n  - look\n") == [
        "6:5: steps[0]: has the wrong type, write names with values below it"
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('cron: "0 9 * *"', "triggers[0].cron: write five fields"),
        ('cron: "0 9 * * 8"', "triggers[0].cron: "),
        ('cron: "0 0 31 2 *"', "triggers[0].cron: "),
        ('cron: "0 9 * * *", timezone: Europe/Berln', "is no time zone"),
        ('cron: "0 9 * * *", missed: never', "triggers[0].missed: cannot be 'never'"),
        ('cron: "0 9 * * *", overlap: sometimes', "triggers[0].overlap: cannot be"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(line: str, fault: str) -> None:
    found = form_faults(f"{WITH}triggers: [{{{line}}}]\n")

    assert any(fault in one for one in found), found


def test_a_trigger_that_leaves_a_required_input_open_is_refused() -> None:
    text = f'{WITH}inputs: {{day: {{type: date}}}}\ntriggers: [{{cron: "0 9 * * *"}}]\n'

    assert "10:12: triggers[0].inputs: leaves the required input 'day' open" in said(text)[0]


def test_a_trigger_gives_only_inputs_that_exist_and_fit() -> None:
    trigger = '{cron: "0 9 * * *", inputs: {day: tomorrow, dai: 1}}'
    text = f"{WITH}inputs: {{day: {{type: date}}}}\ntriggers: [{trigger}]\n"

    found = said(text)

    assert any("triggers[0].inputs.day: must be a day such as 2026-03-31" in one for one in found)
    assert any("triggers[0].inputs.dai: is no input, did you mean 'day'?" in one for one in found)


def test_what_a_schedule_cannot_mean_is_pointed_out() -> None:
    trigger = '{cron: "0 9 * * *", timezone: localtime, inputs: {day: "${{ run.id }}"}}'
    text = f"{WITH}inputs: {{day: {{type: string}}}}\ntriggers: [{trigger}]\n"

    found = [one for one in said(text) if "triggers" in one]

    assert [one.split(", ")[0] for one in found] == [
        "10:42: warning: triggers[0].timezone: means another time zone on each machine",
        "10:67: warning: triggers[0].inputs.day: is given as it stands here",
    ]
