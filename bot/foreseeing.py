"""Whether people will be asked when a schedule fires, by what it fixes and the policy in force."""

from collections.abc import Mapping
from datetime import datetime

from bot.library import Library
from workflows.definition import Definition
from workflows.explaining import Given
from workflows.foreseeing import foreseen
from workflows.foreseen import Foreseen
from workflows.input_values import read_inputs
from workflows.people import PersonId
from workflows.roles import RolesNow


def asked_when_fired(
    library: Library,
    roles: RolesNow,
    definition: Definition,
    *,
    inputs: Mapping[str, object],
    person: PersonId,
    at: datetime,
) -> Foreseen:
    """Return whether people will be asked in runs with these `inputs` that `person` is behind.

    Raises:
        InputsError: values that do not fit.
        PeopleUnreadableError: the person could not be read just now.
    """
    given = Given(
        inputs=read_inputs(definition.inputs, inputs),
        requester=roles.people.person(person).in_rules,
        at=at,
    )
    return foreseen(roles.policy, definition, library.known(), given)
