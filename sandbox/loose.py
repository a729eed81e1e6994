"""Names for JSON: an object, and a value whose shape nobody has looked at yet."""

from typing import Any

Json = dict[str, Any]
Unchecked = Any
