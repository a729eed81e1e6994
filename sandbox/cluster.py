"""Several workspaces behind one API address, and one app that may be installed in each.

Which workspace a call is about is told by its token, as in Slack. Everything else has the
workspace in its address.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.oauth_codes import Codes

if TYPE_CHECKING:
    from sandbox.hub import Hub


class Cluster:
    """The workspaces of one sandbox, the first one before the others."""

    def __init__(self) -> None:
        self.hubs: list[Hub] = []
        self.codes = Codes()

    @property
    def first(self) -> "Hub":
        """The workspace whose page stands at the root."""
        return self.hubs[0]

    def at(self, ident: str) -> "Hub | None":
        """Return the workspace or organisation of that id."""
        return next((one for one in self.hubs if ident == one.settings.installed_as), None)

    def meant(self, token: str, arguments: Mapping[str, Any]) -> "Hub":
        """Return the workspace that a call is about; the first one where nothing says it."""
        code = self.codes.find(str(arguments.get("code") or ""))
        refresh = str(arguments.get("refresh_token") or "")
        for hub in self.hubs:
            grants = hub.state.grants
            if token in grants or (code is not None and code.team == hub.settings.installed_as):
                return hub
            if refresh and any(one.refresh == refresh for one in grants.values()):
                return hub
        return self.first

    def others(self, hub: "Hub") -> Sequence["Hub"]:
        """Return every workspace but this one."""
        return [one for one in self.hubs if one is not hub]
