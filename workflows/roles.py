"""Who may look, start, publish and decide by their role, read anew whenever it is asked.

A role that the policy does not bind is asked of nobody: then what definitions and rules say is
all there is. Auditors read everything, and never start or decide anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.errors import NotAllowedError
from workflows.operators import LOCAL
from workflows.people import CLICK_AGE, People, Person, PersonId
from workflows.policy import Policy
from workflows.policy_roles import Role

# Whoever may do more may look as well.
LOOKING = (Role.VIEWER, Role.RUNNER, Role.AUTHOR, Role.AUDITOR, Role.GOVERNOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesNow:
    """The policy and the people at hand, wherever a role is asked for."""

    policy: Policy
    people: People

    def holds(self, who: PersonId, role: Role) -> bool:
        """Say whether somebody belongs to those who are bound to `role`.

        Raises:
            PeopleUnreadableError: who belongs to those could not be read.
        """
        if who.startswith(LOCAL):
            return False  # Nothing says which person in Slack such an account is.
        names = self.policy.bound(role)
        return any(who in self.people.members(name, max_age=CLICK_AGE) for name in names)

    def admit_viewer(self, who: PersonId) -> None:
        """Return if somebody may look at runs and what came of them.

        Raises:
            NotAllowedError: the policy binds viewers, and they are none.
            PeopleUnreadableError: as `holds`.
        """
        if self.policy.bound(Role.VIEWER) and not any(self.holds(who, one) for one in LOOKING):
            raise self._lacks(Role.VIEWER)

    def may_run(self, who: PersonId) -> bool:
        """Say whether `admit_runner` lets somebody in.

        Raises:
            PeopleUnreadableError: as `holds`.
        """
        return not self.holds(who, Role.AUDITOR) and self._is_free_or_held(who, Role.RUNNER)

    def admit_runner(self, who: PersonId) -> None:
        """Return if somebody may start runs, as far as roles go; `run_by` is asked besides.

        Raises:
            NotAllowedError: the policy binds runners, and they are none, or they are an auditor.
            PeopleUnreadableError: as `holds`.
        """
        self._admit(who, Role.RUNNER)

    def may_author(self, who: PersonId) -> None:
        """Return if somebody may publish definitions, or propose them.

        Raises:
            NotAllowedError: the policy binds authors, and they are none, or they are an auditor.
            PeopleUnreadableError: as `holds`.
        """
        self._admit(who, Role.AUTHOR)

    def refuse_auditor(self, who: PersonId) -> None:
        """Return unless somebody is an auditor.

        Raises:
            NotAllowedError: they are one.
            PeopleUnreadableError: as `holds`.
        """
        if self.holds(who, Role.AUDITOR):
            raise NotAllowedError(
                "You are an auditor here: auditors read everything, and start and decide nothing.",
                hint=f"Somebody else has to do it. {self._givers}",
            )

    def deciding(self, who: PersonId) -> Person:
        """Return somebody who is about to decide something.

        Raises:
            NotAllowedError: they are an auditor.
            PeopleUnreadableError: who they are could not be read.
        """
        person = self.people.person(who)
        self.refuse_auditor(who)
        return person

    def _admit(self, who: PersonId, role: Role) -> None:
        self.refuse_auditor(who)
        if not self._is_free_or_held(who, role):
            raise self._unknown(who, role) if who.startswith(LOCAL) else self._lacks(role)

    def _is_free_or_held(self, who: PersonId, role: Role) -> bool:
        return not self.policy.bound(role) or self.holds(who, role)

    def _lacks(self, role: Role) -> NotAllowedError:
        have = " and ".join(self.policy.bound(role))
        return NotAllowedError(
            f"This needs the role {role}, which you do not have.",
            hint=f"{have} {_HAVE[len(self.policy.bound(role)) > 1]} it. {self._givers}",
        )

    def _unknown(self, who: PersonId, role: Role) -> NotAllowedError:
        return NotAllowedError(
            f"This needs the role {role}, and nobody knows which person in Slack the account"
            f" {who.removeprefix(LOCAL)} is.",
            hint=f"Name the account under `operators` in the policy. {self._givers}",
        )

    @property
    def _givers(self) -> str:
        return f"The governors give roles, in the policy: {' and '.join(self.policy.governors)}."


_HAVE: Mapping[bool, str] = {True: "have", False: "has"}
