"""What all tests share: how examples are tried, and the browser that opens pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.browsing import Browser, started

# A loaded machine may be ten times as slow as an idle one, and no test is about time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    driver = started(str(tmp_path_factory.mktemp("profile")))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie to be looked at."""
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small study with its page; not to be written to."""
    # Loaded here: most tests need no page.
    from lesionmatch import report
    from tests.report_case import build

    folder = build(tmp_path_factory.mktemp("rendered") / "out")
    report.render(folder)
    return folder
