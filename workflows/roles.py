"""Who may look, start, publish and decide by their role, read anew whenever it is asked.

A role that the policy does not bind is asked of nobody: then what definitions and rules say is
all there is. One that is bound for some workflows only is asked for all the others too, and
nobody has it there. Auditors read everything, and never start or decide anything.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from workflows.errors import NotAllowedError
from workflows.operators import LOCAL
from workflows.people import CLICK_AGE, People, Person, PersonId
from workflows.policy import Policy
from workflows.policy_roles import EVERYWHERE, Binding, Role, covers

# Whoever may do more may look as well.
LOOKING = (Role.VIEWER, Role.RUNNER, Role.AUTHOR, Role.AUDITOR, Role.GOVERNOR)


@dataclass(frozen=True, slots=True)
class Sight:
    """The workflows that some roles of somebody hold for, by name or beginning."""

    scopes: frozenset[str] = frozenset()

    def __contains__(self, workflow: str) -> bool:
        return any(covers(one, workflow) for one in self.scopes)

    @property
    def is_everything(self) -> bool:
        """Whether these are all there are, now and later."""
        return EVERYWHERE in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesNow:
    """The policy and the people at hand, wherever a role is asked for.

    Where a workflow is named, the role counts if it holds for that one; `*` stands for all of
    them. Without a name a role that holds for any workflow counts.
    """

    policy: Policy
    people: People

    def holds(self, who: PersonId, role: Role, workflow: str | None = None) -> bool:
        """Say whether somebody belongs to those who are bound to `role`.

        Raises:
            PeopleUnreadableError: who belongs to those could not be read.
        """
        return self._is_among(who, self.policy.bound(role, workflow))

    def sight(self, who: PersonId) -> Sight:
        """Return of which workflows somebody may see runs.

        Raises:
            PeopleUnreadableError: as `holds`.
        """
        if not self.policy.bound(Role.VIEWER):
            return Sight(frozenset({EVERYWHERE}))
        return self._holding(who, LOOKING)

    def audits(self, who: PersonId) -> Sight:
        """Return what somebody is an auditor of.

        Raises:
            PeopleUnreadableError: as `holds`.
        """
        return self._holding(who, (Role.AUDITOR,))

    def admit_viewer(self, who: PersonId, workflow: str | None = None) -> None:
        """Return if somebody may look at runs and what came of them.

        Raises:
            NotAllowedError: the policy binds viewers, and they are none.
            PeopleUnreadableError: as `holds`.
        """
        is_bound = self.policy.bound(Role.VIEWER)
        if is_bound and not any(self.holds(who, one, workflow) for one in LOOKING):
            raise self._lacks(Role.VIEWER, workflow)

    def may_run(self, who: PersonId, workflow: str) -> bool:
        """Say whether `admit_runner` lets somebody in.

        Raises:
            PeopleUnreadableError: as `holds`.
        """
        return not self._audits(who, workflow) and self._is_free_or_held(who, Role.RUNNER, workflow)

    def admit_runner(self, who: PersonId, workflow: str) -> None:
        """Return if somebody may start a workflow, as far as roles go; `run_by` is asked besides.

        Raises:
            NotAllowedError: the policy binds runners, and they are none, or they are an auditor.
            PeopleUnreadableError: as `holds`.
        """
        self._admit(who, Role.RUNNER, workflow)

    def may_author(self, who: PersonId, workflow: str | None) -> None:
        """Return if somebody may publish a workflow, or propose it; `*` stands for the policy.

        Without a name: if they might some, which is to be asked again for the one they mean.

        Raises:
            NotAllowedError: the policy binds authors, and they are none, or they are an auditor.
            PeopleUnreadableError: as `holds`.
        """
        self._admit(who, Role.AUTHOR, workflow)

    def refuse_auditor(self, who: PersonId, workflow: str | None) -> None:
        """Return unless somebody is an auditor of that workflow, or of any without one.

        Raises:
            NotAllowedError: they are one.
            PeopleUnreadableError: as `holds`.
        """
        if self._audits(who, workflow):
            raise NotAllowedError(
                "You are an auditor here: auditors read everything, and start and decide nothing.",
                hint=f"Somebody else has to do it. {self._givers}",
            )

    def deciding(self, who: PersonId, workflow: str | None) -> Person:
        """Return somebody who is about to decide something of a workflow, or of all.

        Raises:
            NotAllowedError: they are an auditor.
            PeopleUnreadableError: who they are could not be read.
        """
        person = self.people.person(who)
        self.refuse_auditor(person.id, workflow)  # One person may be known by several ids.
        return person

    def _holding(self, who: PersonId, roles: Collection[Role]) -> Sight:
        scopes: set[str] = set()
        bound = (one for one in self.policy.bindings if one.role in roles)
        for one in sorted(bound, key=_widest):
            if any(covers(known, one.scope) for known in scopes):
                continue  # Nothing would come of it, so nobody has to be asked.
            if self._is_among(who, (one.to,)):
                scopes.add(one.scope)
        return Sight(frozenset(scopes))

    def _is_among(self, who: PersonId, names: Iterable[str]) -> bool:
        if who.startswith(LOCAL):
            return False  # Nothing says which person in Slack such an account is.
        return any(who in self.people.members(name, max_age=CLICK_AGE) for name in names)

    def _audits(self, who: PersonId, workflow: str | None) -> bool:
        about = None if workflow == EVERYWHERE else workflow
        return self._is_among(who, self.policy.auditors(about))

    def _admit(self, who: PersonId, role: Role, workflow: str | None) -> None:
        if workflow is not None:
            self.refuse_auditor(who, workflow)
        if self._is_free_or_held(who, role, workflow):
            return
        raise self._unknown(who, role) if who.startswith(LOCAL) else self._lacks(role, workflow)

    def _is_free_or_held(self, who: PersonId, role: Role, workflow: str | None) -> bool:
        return not self.policy.bound(role) or self.holds(who, role, workflow)

    def _lacks(self, role: Role, workflow: str | None) -> NotAllowedError:
        holders = self.policy.bound(role, workflow)
        place = "" if holders == self.policy.bound(role) else _place(workflow)
        have = " and ".join(holders) or "Nobody"
        return NotAllowedError(
            f"This needs the role {role}{place}, which you do not have.",
            hint=f"{have} {_HAVE[len(holders) > 1]} it. {self._givers}",
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


def _place(workflow: str | None) -> str:
    return " for all workflows" if workflow == EVERYWHERE else f" for {workflow}"


def _widest(one: Binding) -> tuple[int, Binding]:
    return len(one.scope), one
