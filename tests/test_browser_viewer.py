"""The viewer of a study's page in a real browser: planes that scroll, and two that blend."""

from pathlib import Path

import pytest

from tests.browsing import Browser, click, complaints, needs_browser, opened

pytestmark = needs_browser


def cursor(browser: Browser) -> list[int]:
    browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 30))")
    held = browser.find_element("id", "viewer-planes").get_attribute("data-cursor")
    return [int(value) for value in held.split()]


def test_the_viewer_scrolls_by_wheel_and_keyboard_and_moves_by_pointer(
    browser: Browser, rendered: Path, shots: Path
) -> None:
    from selenium import webdriver
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    from selenium.webdriver.common.keys import Keys

    opened(browser, (rendered / "report.html").as_uri())
    plane = browser.find_element("css selector", "#viewer-planes canvas")
    browser.execute_script(
        "arguments[0].scrollIntoView({block: 'start', behavior: 'instant'})", plane
    )
    x, y, z = cursor(browser)
    plane.send_keys(Keys.ARROW_UP, Keys.ARROW_UP)
    assert cursor(browser) == [x, y, z + 2]
    plane.send_keys(Keys.SHIFT, Keys.ARROW_LEFT)
    assert cursor(browser) == [x - 1, y, z + 2]
    webdriver.ActionChains(browser).move_to_element(plane).click().perform()
    x, y, z = cursor(browser)
    webdriver.ActionChains(browser).move_to_element_with_offset(plane, 60, 30).click().perform()
    moved = cursor(browser)
    # 60 pixels are twice as far as 30, and the third axis stays.
    assert moved[0] - x == pytest.approx(2 * (moved[1] - y), abs=2)
    assert moved[0] > x
    assert moved[2] == z
    origin = ScrollOrigin.from_element(plane, 10, 10)
    webdriver.ActionChains(browser).scroll_from_origin(origin, 0, 120).perform()
    assert cursor(browser) == [*moved[:2], z - 1]
    browser.save_screenshot(str(shots / "viewer.png"))
    assert complaints(browser) == []


def test_choosing_a_lesion_takes_the_viewer_there(browser: Browser, rendered: Path) -> None:
    opened(browser, (rendered / "report.html").as_uri())
    click(browser, "#lesion-table a[data-choose=L1]")
    place = cursor(browser)
    first, step = browser.execute_script(
        """const data = JSON.parse(document.getElementById("viewer-data").textContent);
        return [data.first_mm, data.step_mm]"""
    )
    expected = [round((mm - start) / step) for mm, start in zip((-50, 0, 10), first, strict=True)]
    assert place == expected


def test_the_viewer_paints_the_lesion_dark_on_hbp_and_hot_on_pet(
    browser: Browser, rendered: Path
) -> None:
    opened(browser, (rendered / "report.html").as_uri() + "#L1")
    cross = cursor(browser)
    hbp, pet = browser.execute_script(
        """const data = JSON.parse(document.getElementById("viewer-data").textContent);
        const [nz, ny, nx] = data.shape;
        const zoom = 480 / Math.max(nx, ny, nz);
        const [x, y] = arguments[0];
        return [...document.querySelectorAll("#viewer-planes canvas")].slice(0, 2).map((canvas) => {
          const context = canvas.getContext("2d");
          const at = (shift) => context.getImageData(
            240 + (x + 0.5 - nx / 2 + shift) * zoom, 240 + (y + 0.5 - ny / 2) * zoom, 1, 1).data[0];
          return [at(0), at(7)];
        });""",
        cross,
    )
    assert hbp[0] < 0.6 * hbp[1]
    assert pet[0] < 60 < pet[1]


def test_hbp_and_ct_flicker_and_blend(browser: Browser, rendered: Path) -> None:
    opened(browser, (rendered / "report.html").as_uri())
    upper = browser.find_element("id", "check-ct")
    assert upper.value_of_css_property("opacity") == "0"
    # Watched in the page itself: from outside, a slow machine asks after the strip has gone again.
    shown = browser.execute_async_script(
        """const [upper, done] = arguments;
        const seen = [];
        new MutationObserver((_, watch) => {
          seen.push(getComputedStyle(upper).opacity);
          if (seen.length === 3) { watch.disconnect(); done(seen); }
        }).observe(upper, { attributeFilter: ["style"] });
        document.getElementById("flicker-button").click();""",
        upper,
    )
    assert shown == ["1", "0", "1"]
    click(browser, "#flicker-button")
    browser.execute_script(
        """const field = document.getElementById("flicker-blend");
        field.value = 40;
        field.dispatchEvent(new Event("input", { bubbles: true }));"""
    )
    assert upper.value_of_css_property("opacity") == "0.4"
