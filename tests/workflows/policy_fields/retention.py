"""What shows when it is ignored how long a policy keeps payloads of a class."""

from collections.abc import Callable
from datetime import timedelta

from storage.retention.sweep import sweep
from tests.workflows.policy_fields.harness import Bench, Row
from tests.world import POLICY
from workflows.entry import SYSTEM, Draft, Json, Part, PartClass


def goes_after_its_days(cls: PartClass) -> Callable[[Bench], None]:
    """Return the scenario in which a payload of `cls` goes after the days that are written."""

    def scenario(bench: Bench) -> None:
        house = bench.house(f"{POLICY}retention: {{{cls.value}: 30d}}\n")
        data: dict[str, Json] = {"what": "runs", "n": 1}
        with house.store.begin() as unit:
            parts = {"query": Part(value=b"words", cls=cls)}
            unit.append(Draft(kind="access.read", actor=SYSTEM, data=data, parts=parts))
        house.clock.forward(timedelta(days=31))

        found = sweep(
            house.store,
            policy=house.policy.digest,
            terms=house.policy.terms,
            now=house.clock(),
        )

        assert found.payloads == 1

    return scenario


ROWS = [
    Row(field="Policy.retention", scenario=goes_after_its_days(PartClass.CONTENT)),
    Row(field="Retention.content", scenario=goes_after_its_days(PartClass.CONTENT)),
    Row(field="Retention.derived", scenario=goes_after_its_days(PartClass.DERIVED)),
    Row(field="Retention.identity", scenario=goes_after_its_days(PartClass.IDENTITY)),
    Row(field="Retention.business", scenario=goes_after_its_days(PartClass.BUSINESS)),
]
