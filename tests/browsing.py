"""Pages in a real browser: opened, clicked on and asked for what they hold."""

import shutil
from importlib.util import find_spec
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    None in (CHROMIUM, DRIVER, find_spec("selenium")),
    reason="selenium, Chromium or its driver is not installed",
)

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,900",
)  # fmt: skip

Browser = Any


def started(profile: str) -> Browser:
    """A browser without a window, with a folder for its profile; to be quit."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(20)
    return driver


def opened(browser: Browser, address: str) -> None:
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(address)
    browser.execute_async_script(
        """const done = arguments[0];
        const wait = () => {
          const planes = document.getElementById("viewer-planes");
          if (!planes || planes.dataset.ready) requestAnimationFrame(() => setTimeout(done, 50));
          else setTimeout(wait, 20);
        };
        wait();"""
    )


def complaints(browser: Browser) -> list[str]:
    """What the console holds, but for the server having no favicon."""
    return [
        entry["message"]
        for entry in browser.get_log("browser")
        if "favicon.ico" not in entry["message"]
    ]


def column(browser: Browser, name: str) -> list[str]:
    """A column of the rows on show, as the table holds it."""
    found: list[str] = browser.execute_script(
        """return [...document.querySelectorAll("#lesion-table tbody tr:not([hidden])")]
        .map((row) => row.querySelector(`[data-column="${arguments[0]}"]`).dataset.value)""",
        name,
    )
    return found


def click(browser: Browser, selector: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).click()", selector)
