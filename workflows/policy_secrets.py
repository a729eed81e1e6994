"""Which workflows a secret is for, and who may publish those.

The targets say which secret goes along to them. Where the policy has this section as well, a
workflow gets only secrets that stand in it, and only those that its own file names.
"""

from typing import Annotated

from pydantic import Field

from workflows.definition_parts import Closed, Slug, Somebody
from workflows.services import SecretName


class SecretGrant(Closed):
    """Who may publish workflows that use a secret, and which ones may; none named: any."""

    publishers: Annotated[tuple[Somebody, ...], Field(min_length=1, max_length=20)]
    workflows: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=100)] | None = None


SecretGrants = Annotated[dict[SecretName, SecretGrant], Field(min_length=1, max_length=200)]
