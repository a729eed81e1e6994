"""For whom an account of this machine acts: the Slack person whom the policy names.

An account that the policy does not name is itself. It may start runs and cancel those. It
cannot settle anything, and neither propose anything nor ask for a review: nothing says which
person in Slack it is, so it could be the requester, or one of those who then decide.
"""

from workflows.errors import NotAllowedError
from workflows.people import CLICK_AGE, People, PersonId
from workflows.policy import Policy

LOCAL = "os:"


def acting(person: PersonId, policy: Policy, people: People) -> PersonId:
    """Return whom `person`, an account of this machine, stands for.

    Raises:
        NotAllowedError: the policy names something else than one person who counts.
        PeopleUnreadableError: Slack could not be asked.
    """
    account = person.removeprefix(LOCAL)
    name = policy.operator(account)
    if name is None:
        return person
    found = people.members(name, max_age=CLICK_AGE)
    if len(found) != 1:
        raise NotAllowedError(
            f"The policy lets the account {account} act for {name}, which is not one person.",
            hint="Name one person under `operators`, who is a full member of the workspace.",
        )
    return next(iter(found))


def settling(person: PersonId, policy: Policy, people: People) -> PersonId:
    """Return whom `person` stands for where only somebody known in Slack may answer.

    Raises:
        NotAllowedError: the policy does not say which person this account stands for.
        PeopleUnreadableError: Slack could not be asked.
    """
    return _known(person, policy, people, to="answer", or_else="Press the button on the card, or")


def proposing(person: PersonId, policy: Policy, people: People) -> PersonId:
    """Return whom `person` stands for where others decide about what that person asks for.

    Raises:
        NotAllowedError: the policy does not say which person this account stands for.
        PeopleUnreadableError: Slack could not be asked.
    """
    return _known(person, policy, people, to="put anything to people")


def _known(
    person: PersonId, policy: Policy, people: People, *, to: str, or_else: str = ""
) -> PersonId:
    """Return whom `person` stands for; `to` says what only somebody known in Slack may do.

    Raises:
        NotAllowedError: the policy does not say which person this account stands for.
        PeopleUnreadableError: Slack could not be asked.
    """
    found = acting(person, policy, people)
    if found.startswith(LOCAL):
        account = found.removeprefix(LOCAL)
        name = f"{or_else} name" if or_else else "Name"
        raise NotAllowedError(
            f"Nobody knows which person in Slack the account {account} is, so it cannot {to}.",
            hint=f"{name} the account under `operators` in the policy, with a handle in Slack:"
            f' `operators: {{{account}: "@you"}}`.',
        )
    return found
