"""The pages in a real browser, opened from a file and from a local server."""

import base64
import csv
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lesionmatch import report
from lesionmatch.columns import Row
from lesionmatch.evaluation.reading import read_decisions
from lesionmatch.evaluation.summary import Options
from lesionmatch.report.accuracy import write_accuracy
from lesionmatch.report.overlays import Scene, overlay
from tests.report_case import build, lesion_row

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="Chromium or its driver is not installed"
)

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,900",
)  # fmt: skip

Browser = Any


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(20)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots lie to be looked at."""
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("browser") / "out")
    report.render(folder)
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of 100 lesions, spread through the liver."""
    rows = [
        lesion_row(
            f"L{n}",
            (-85 + 10 * (n % 10), -30 + 6 * (n // 10), -30 + 7 * ((n * 7) % 9)),
            long_axis_mm=4.0 + n % 5,
            suv_max=3.0 + (n * 37 % 100) / 7,
            focus_ids=[],
            relation="mri_only" if n % 2 else "matched",
        )
        for n in range(1, 101)
    ]
    folder = build(tmp_path_factory.mktemp("many") / "out", rows)
    drawn: list[Any] = []

    def once(scene: Scene, row: Row) -> Any:  # noqa: ANN401 - a picture or None
        """The first lesion's picture for all: as heavy a page, in a tenth of the time."""
        drawn[:] = drawn or [overlay(scene, row)]
        return drawn[0]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lesionmatch.report.study.overlay", once)
        report.render(folder)
    return folder


@pytest.fixture
def served(out: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(out)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/report.html"
    server.shutdown()
    thread.join()
    server.server_close()


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


def test_a_page_from_a_file_runs_without_a_word_on_the_console(
    browser: Browser, out: Path, shots: Path
) -> None:
    opened(browser, (out / "report.html").as_uri())
    browser.save_screenshot(str(shots / "study.png"))
    assert complaints(browser) == []


def test_a_page_from_a_server_runs_without_a_word_on_the_console(
    browser: Browser, served: str
) -> None:
    opened(browser, served)
    assert complaints(browser) == []


def test_what_the_browser_shows_is_what_the_table_holds(browser: Browser, out: Path) -> None:
    opened(browser, (out / "report.html").as_uri())
    with (out / "lesions.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            shown = browser.execute_script(
                """const row = document.querySelector(`tr[data-lesion="${arguments[0]}"]`);
                return Object.fromEntries([...row.cells].map((cell) =>
                  [cell.dataset.column, cell.dataset.value]))""",
                row["lesion_id"],
            )
            assert shown == row


def test_a_heading_sorts_by_number_up_and_down_with_the_empty_last(
    browser: Browser, out: Path
) -> None:
    opened(browser, (out / "report.html").as_uri())
    names = [c.get_attribute("title") for c in browser.find_elements("css selector", "th")]
    place = next(n for n, title in enumerate(names, 1) if str(title).startswith("highest SUV"))
    click(browser, f"#lesion-table th:nth-child({place}) button")
    assert column(browser, "suv_max") == ["2.5", "5.6", "9", "15.25"]
    click(browser, f"#lesion-table th:nth-child({place}) button")
    assert column(browser, "suv_max") == ["15.25", "9", "5.6", "2.5"]
    click(browser, "#lesion-table th:nth-child(4) button")
    assert column(browser, "label") == ["Met L1", "Met L2", "Met L3", ""]


def test_filters_hide_rows_and_their_pictures(browser: Browser, out: Path) -> None:
    opened(browser, (out / "report.html").as_uri())
    browser.execute_script(
        """const field = document.querySelector("select[name=relation]");
        field.value = "mri_only";
        field.dispatchEvent(new Event("input", { bubbles: true }));"""
    )
    assert column(browser, "lesion_id") == ["L2", "L3"]
    assert not browser.find_element("id", "L1").is_displayed()
    browser.execute_script(
        """const field = document.querySelector("select[name=flags]");
        field.value = "small";
        field.dispatchEvent(new Event("input", { bubbles: true }));"""
    )
    assert column(browser, "lesion_id") == ["L2"]
    assert browser.find_element("css selector", "#lesions output").text == "1 of 4 shown"


def test_a_lesion_on_the_projection_is_chosen_everywhere(
    browser: Browser, out: Path, shots: Path
) -> None:
    opened(browser, (out / "report.html").as_uri())
    browser.find_element("css selector", ".projection a[data-choose=L3] circle").click()
    browser.execute_async_script("setTimeout(arguments[0], 150)")
    browser.save_screenshot(str(shots / "chosen.png"))
    chosen = browser.execute_script(
        "return [...document.querySelectorAll('.chosen')].map((e) => e.dataset.lesion)"
    )
    assert set(chosen) == {"L3"}
    assert len(chosen) == 3
    assert browser.current_url.endswith("#L3")


def cursor(browser: Browser) -> list[int]:
    browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 30))")
    held = browser.find_element("id", "viewer-planes").get_attribute("data-cursor")
    return [int(value) for value in held.split()]


def test_the_viewer_scrolls_by_wheel_and_keyboard_and_moves_by_pointer(
    browser: Browser, out: Path, shots: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, (out / "report.html").as_uri())
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
    origin = webdriver.common.actions.wheel_input.ScrollOrigin.from_element(plane, 10, 10)
    webdriver.ActionChains(browser).scroll_from_origin(origin, 0, 120).perform()
    assert cursor(browser) == [*moved[:2], z - 1]
    browser.save_screenshot(str(shots / "viewer.png"))
    assert complaints(browser) == []


def test_choosing_a_lesion_takes_the_viewer_there(browser: Browser, out: Path) -> None:
    opened(browser, (out / "report.html").as_uri())
    click(browser, "#lesion-table a[data-choose=L1]")
    place = cursor(browser)
    first, step = browser.execute_script(
        """const data = JSON.parse(document.getElementById("viewer-data").textContent);
        return [data.first_mm, data.step_mm]"""
    )
    expected = [round((mm - start) / step) for mm, start in zip((-50, 0, 10), first, strict=True)]
    assert place == expected


def test_the_viewer_paints_the_lesion_dark_on_hbp_and_hot_on_pet(
    browser: Browser, out: Path
) -> None:
    opened(browser, (out / "report.html").as_uri() + "#L1")
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


def test_hbp_and_ct_flicker_and_blend(browser: Browser, out: Path) -> None:
    opened(browser, (out / "report.html").as_uri())
    upper = browser.find_element("id", "check-ct")
    assert upper.value_of_css_property("opacity") == "0"
    click(browser, "#flicker-button")
    browser.execute_async_script("setTimeout(arguments[0], 800)")
    assert upper.value_of_css_property("opacity") == "1"
    click(browser, "#flicker-button")
    browser.execute_script(
        """const field = document.getElementById("flicker-blend");
        field.value = 40;
        field.dispatchEvent(new Event("input", { bubbles: true }));"""
    )
    assert upper.value_of_css_property("opacity") == "0.4"


def test_the_page_prints(browser: Browser, out: Path, shots: Path) -> None:
    opened(browser, (out / "report.html").as_uri())
    printed = base64.b64decode(browser.print_page())
    (shots / "study.pdf").write_bytes(printed)
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page/") >= 3


def test_a_hundred_lesions_sort_and_fit(browser: Browser, many: Path, shots: Path) -> None:
    assert (many / "report.html").stat().st_size < 15e6
    opened(browser, (many / "report.html").as_uri())
    click(browser, "#lesion-table th:nth-child(17) button")
    values = [float(value) for value in column(browser, "suv_max")]
    browser.save_screenshot(str(shots / "hundred.png"))
    assert values == sorted(values)
    assert len(values) == 100
    assert complaints(browser) == []


def test_a_script_in_a_label_does_not_run(browser: Browser, tmp_path: Path) -> None:
    script = (
        "</script><img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    )
    rows = [lesion_row("L1", (-50, 0, 10), label=script)]
    record = {"assumptions": [script], "study": {"pet": {script: script}}}
    build(tmp_path, rows, comparison=record, with_images=False)
    report.render(tmp_path)
    opened(browser, (tmp_path / "report.html").as_uri())
    assert browser.title == "Liver: PET/CT against MRI"
    assert browser.find_elements("css selector", "img[src=x]") == []
    assert complaints(browser) == []


def test_the_overview_of_a_batch_sorts_and_filters(
    browser: Browser, tmp_path: Path, shots: Path
) -> None:
    (tmp_path / "calls.csv").write_text("study_id,patient_id\nS1,P1\nS2,P2\n")
    (tmp_path / "failures.csv").write_text("study_id,patient_id,error\nS9,P9,needs weight\n")
    for study, disagreements in (("S1", 0), ("S2", 3)):
        rows = [lesion_row(f"L{n}", (0, 0, 0), reason="cyst") for n in range(disagreements)]
        build(tmp_path / "studies" / study, rows, with_images=False)
    report.index(tmp_path)
    opened(browser, (tmp_path / "index.html").as_uri())
    browser.save_screenshot(str(shots / "index.png"))

    def studies() -> list[str]:
        found = browser.find_elements("css selector", "tbody tr:not([hidden]) td:first-child")
        return [cell.text.split()[0] for cell in found]

    assert studies() == ["S9", "S1", "S2"]
    for _ in range(2):
        click(browser, "#study-table th:nth-child(7) button")
    assert studies() == ["S2", "S1", "S9"]
    browser.execute_script(
        """const field = document.querySelector("select[name=standing]");
        field.value = "failed";
        field.dispatchEvent(new Event("input", { bubbles: true }));"""
    )
    assert studies() == ["S9"]
    assert complaints(browser) == []


def saved(browser: Browser) -> str:
    """What the worklist's button would save."""
    return str(
        browser.execute_async_script(
            """const done = arguments[0];
            HTMLAnchorElement.prototype.click = () => {};
            URL.createObjectURL = (blob) => { blob.text().then(done); return ""; };
            document.getElementById("save").click();"""
        )
    )


def settle(browser: Browser, study: str, **values: str) -> None:
    browser.execute_script(
        """const form = document.querySelector(`form.settle[data-study="${arguments[0]}"]`);
        for (const [name, value] of Object.entries(arguments[1])) form.elements[name].value = value;
        form.dispatchEvent(new Event("change"));""",
        study,
        values,
    )


def test_what_the_worklist_saves_is_read_and_then_no_longer_new(
    browser: Browser, tmp_path: Path, shots: Path
) -> None:
    calls, decisions = tmp_path / "calls.csv", tmp_path / "decisions.csv"
    calls.write_text(
        "study_id,patient_id,pet,mri\nS1,P1,involved,not_involved\nS2,P2,not_involved,involved\n"
    )
    write_accuracy(calls, tmp_path / "out", options=Options(draws=0))
    page = (tmp_path / "out" / "worklist.html").as_uri()
    opened(browser, page)
    browser.find_element("id", "decided-by").send_keys("=AB")
    settle(browser, "S1", reason="cyst", note='seen, "late"')
    settle(browser, "S2", pet="involved")
    settle(browser, "S2", pet="")
    assert [one.text for one in browser.find_elements("css selector", ".settled h2")] == ["S1"]
    decisions.write_text(saved(browser))
    (one,) = read_decisions(decisions)
    assert (one.study_id, one.pet, one.reason) == ("S1", None, "cyst")
    assert (one.decided_by, one.note) == ("=AB", 'seen, "late"')
    write_accuracy(calls, tmp_path / "out", decisions=decisions, options=Options(draws=0))
    opened(browser, page)
    browser.save_screenshot(str(shots / "worklist.png"))
    assert browser.find_element("id", "state").text == "Studies: 2. Decisions on file: 1, new: 0."
    decisions.write_text(saved(browser))
    assert read_decisions(decisions) == (one,)
    assert complaints(browser) == []


def test_pages_fit_a_phone_and_every_control_and_picture_has_a_name(
    browser: Browser, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "calls.csv").write_text("study_id,patient_id,pet,mri\nS1,P1,involved,involved\n")
    shutil.copytree(out, tmp_path / "studies" / "S1")
    report.index(tmp_path)
    write_accuracy(tmp_path / "calls.csv", tmp_path / "out", options=Options(draws=0))
    pages = ("studies/S1/report.html", "index.html", "out/accuracy.html", "out/worklist.html")
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        for page in pages:
            opened(browser, (tmp_path / page).as_uri())
            width, unnamed = browser.execute_script(
                """for (const details of document.querySelectorAll("details")) details.open = true;
                const controls = [...document.querySelectorAll("input, select")]
                  .filter((one) => !one.labels.length && !one.ariaLabel);
                const pictures = [...document.images].filter((one) => !one.alt);
                return [document.documentElement.scrollWidth, [...controls, ...pictures].length];"""
            )
            assert (page, width, unnamed) == (page, 390, 0)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
