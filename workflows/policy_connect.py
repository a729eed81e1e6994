"""People of other workspaces, met in channels that are shared with them: none counts by itself.

Which workspaces they come from is for the policy alone to say. Being named there lets nobody
decide; it lets those count whom a rule or a definition names.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

Team = Annotated[str, StringConstraints(pattern=r"^[TE][A-Z0-9]{2,30}$")]
Connect = Annotated[tuple[Team, ...], Field(min_length=1, max_length=50)]
