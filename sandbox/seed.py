"""The workspace of the demo: a small company with something to refund, purge and roll back."""

from sandbox.workspace import Workspace

OTHER_TEAM = "T0GLOBEX"
PEOPLE = {
    "rita": "Rita (support)",
    "sam": "Sam (support lead)",
    "ana": "Ana (finance)",
    "ben": "Ben (finance)",
    "dora": "Dora (finance director)",
    "omar": "Omar (finance operations)",
    "petra": "Petra (platform)",
    "ivan": "Ivan (governor)",
}
GROUPS = {
    "support": ["rita", "sam"],
    "support-leads": ["sam"],
    "finance-ops": ["omar"],
    "finance-leads": ["ana", "ben"],
    "finance-directors": ["dora"],
    "platform": ["petra"],
    "platform-leads": ["petra", "ivan"],
    "data-stewards": ["omar", "ivan"],
    "governors": ["ivan", "dora"],
}


def seed(workspace: Workspace) -> None:
    """Fill an empty workspace with people, groups and channels."""
    for name, real_name in PEOPLE.items():
        workspace.add_person(name, real_name=real_name, admin=name == "ivan")
    workspace.add_person("gil", real_name="Gil (guest)", guest=True)
    workspace.add_person("dex", real_name="Dex (left the company)", deactivated=True)
    away, where = (OTHER_TEAM, "Globex") if workspace.id != OTHER_TEAM else ("T0ACME", "Acme")
    workspace.add_person("connie", real_name=f"Connie ({where})", other_team=away)
    for handle, members in GROUPS.items():
        workspace.add_group(handle, members=members)
    staff = list(PEOPLE)
    workspace.add_channel("ops", members=[*staff, "gil", "connie"])
    workspace.add_channel("finance", members=["ana", "ben", "dora", "omar"], private=True)
    workspace.add_channel("archive", members=staff, archived=True)
    workspace.add_channel("general", members=staff, bot=False)
