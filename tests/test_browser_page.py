"""The page of a study in a real browser, opened from a file and from a local server."""

import base64
import csv
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lesionmatch import report
from lesionmatch.columns import Row
from lesionmatch.report.overlays import Scene, overlay
from tests.browsing import Browser, click, column, complaints, needs_browser, opened
from tests.report_case import build, lesion_row

pytestmark = needs_browser


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
def served(rendered: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(rendered)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/report.html"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_from_a_file_runs_without_a_word_on_the_console(
    browser: Browser, rendered: Path, shots: Path
) -> None:
    opened(browser, (rendered / "report.html").as_uri())
    browser.save_screenshot(str(shots / "study.png"))
    assert complaints(browser) == []


def test_a_page_from_a_server_runs_without_a_word_on_the_console(
    browser: Browser, served: str
) -> None:
    opened(browser, served)
    assert complaints(browser) == []


def test_what_the_browser_shows_is_what_the_table_holds(browser: Browser, rendered: Path) -> None:
    opened(browser, (rendered / "report.html").as_uri())
    with (rendered / "lesions.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            shown = browser.execute_script(
                """const row = document.querySelector(`tr[data-lesion="${arguments[0]}"]`);
                return Object.fromEntries([...row.cells].map((cell) =>
                  [cell.dataset.column, cell.dataset.value]))""",
                row["lesion_id"],
            )
            assert shown == row


def test_a_heading_sorts_by_number_up_and_down_with_the_empty_last(
    browser: Browser, rendered: Path
) -> None:
    opened(browser, (rendered / "report.html").as_uri())
    names = [c.get_attribute("title") for c in browser.find_elements("css selector", "th")]
    place = next(n for n, title in enumerate(names, 1) if str(title).startswith("highest SUV"))
    click(browser, f"#lesion-table th:nth-child({place}) button")
    assert column(browser, "suv_max") == ["2.5", "5.6", "9", "15.25"]
    click(browser, f"#lesion-table th:nth-child({place}) button")
    assert column(browser, "suv_max") == ["15.25", "9", "5.6", "2.5"]
    click(browser, "#lesion-table th:nth-child(4) button")
    assert column(browser, "label") == ["Met L1", "Met L2", "Met L3", ""]


def test_filters_hide_rows_and_their_pictures(browser: Browser, rendered: Path) -> None:
    opened(browser, (rendered / "report.html").as_uri())
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
    browser: Browser, rendered: Path, shots: Path
) -> None:
    opened(browser, (rendered / "report.html").as_uri())
    browser.find_element("css selector", ".projection a[data-choose=L3] circle").click()
    browser.execute_async_script("setTimeout(arguments[0], 150)")
    browser.save_screenshot(str(shots / "chosen.png"))
    chosen = browser.execute_script(
        "return [...document.querySelectorAll('.chosen')].map((e) => e.dataset.lesion)"
    )
    assert set(chosen) == {"L3"}
    assert len(chosen) == 3
    assert browser.current_url.endswith("#L3")


def test_the_page_prints(browser: Browser, rendered: Path, shots: Path) -> None:
    opened(browser, (rendered / "report.html").as_uri())
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
