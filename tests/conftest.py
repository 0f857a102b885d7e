"""What all tests share: examples are judged by what they show, not by how long they take."""

from hypothesis import HealthCheck, settings

# A loaded machine may be ten times as slow as an idle one, and no test is about time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
