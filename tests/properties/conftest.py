"""How hard the properties are tried.

By default the same examples each time, so that a red run is red again. To look further,
`INTERLOCK_PROPERTIES=long` tries new ones, many more, and takes minutes.
"""

import os
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings

# A database is slow to make, and a file of an earlier example says nothing about the next.
CALM = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

settings.register_profile(
    "short",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    # Making a failure small takes minutes; the long profile does, this one only finds it.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=CALM,
)
settings.register_profile(
    "long",
    parent=settings.get_profile("short"),
    derandomize=False,
    phases=tuple(Phase),
    max_examples=2_000,
    deadline=timedelta(minutes=5),
)
settings.load_profile(os.environ.get("INTERLOCK_PROPERTIES", "short"))
