"""The workflow in which governors sign who may do what; it is made from the policy, not a file."""

import json

from workflows.definition import Definition
from workflows.errors import DefinitionError
from workflows.loading import load_definition
from workflows.own_workflows import ACCESS_REVIEW
from workflows.policy import Policy

EXPIRES = "14d"

_TEXT = """
workflow: {name}
title: Review who may do what
description: Lists every role, who has it and when they used it last, for governors to sign.
owner: {owner}
deputy: {deputy}
run_by: {governors}
steps:
  - id: report
    uses: interlock.access_report
    with: {{}}
  - id: sign
    uses: interlock.access_review
    with:
      csv: "${{{{ steps.report.output.csv }}}}"
      grants: "${{{{ steps.report.output.grants }}}}"
      people: "${{{{ steps.report.output.people }}}}"
      findings: "${{{{ steps.report.output.findings }}}}"
      changes: "${{{{ steps.report.output.changes }}}}"
      as_signed: "${{{{ steps.report.output.as_signed }}}}"
    approval: {{stages: [{{from: {governors}, approve: 1}}], expires: {expires}}}
    recheck: false  # Signing is itself a use, and changes the report.
    undo: none
"""


def access_review(policy: Policy) -> Definition:
    """Return the workflow, owned and signed by the governors of `policy`.

    Raises:
        DefinitionError: it names none.
    """
    governors = policy.governors
    if not governors:
        raise DefinitionError(
            "The policy names no governors, so nobody could sign.",
            hint="Name a group under roles.governors.",
        )
    return load_definition(
        _TEXT.format(
            name=ACCESS_REVIEW,
            owner=json.dumps(governors[0]),
            deputy=json.dumps(governors[-1]),
            governors=json.dumps(list(governors)),
            expires=EXPIRES,
        )
    )
