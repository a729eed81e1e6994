"""What shows when it is ignored which other workspaces a policy admits."""

from bot.roster import known
from tests.workflows.policy_fields.harness import Bench, Row

TEXT = 'defaults: {expires: 24h}\nrules: [{name: r, when: "true", stages: [{from: ["@a"]}]}]\n'
CONNIE = {"id": "U0CONNIE", "team_id": "T0GLOBEX", "is_stranger": True}


def people_of_an_admitted_workspace_count(bench: Bench) -> None:
    policy = bench.policy(f"{TEXT}connect: [T0GLOBEX]\n")

    assert known(CONNIE, team="T0ACME", admitted=policy.connect or ()).person.counts


ROWS = [Row(field="Policy.connect", scenario=people_of_an_admitted_workspace_count)]
