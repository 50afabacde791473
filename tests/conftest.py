"""Settings that all tests share."""

import os

from hypothesis import HealthCheck, settings

# Machines differ in speed: an example that takes long is no defect. Continuous integration tries the same examples each
# time, so that a change is never blamed for what another one brought; elsewhere new ones are tried.
settings.register_profile(
    "d2lbuild",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("d2lbuild")
