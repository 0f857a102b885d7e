"""The pages of many studies in a real browser: overview, worklist, and all pages on a phone."""

import shutil
from pathlib import Path

from lesionmatch import report
from lesionmatch.evaluation.reading import read_decisions
from lesionmatch.evaluation.summary import Options
from lesionmatch.report.accuracy import write_accuracy
from tests.browsing import Browser, click, complaints, needs_browser, opened
from tests.report_case import build, lesion_row

pytestmark = needs_browser


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
        "S3,P3,uncertain,involved\n"
    )
    write_accuracy(calls, tmp_path / "out", options=Options(draws=0))
    page = (tmp_path / "out" / "worklist.html").as_uri()
    opened(browser, page)
    browser.find_element("id", "decided-by").send_keys("=AB")
    settle(browser, "S1", reason="cyst", note='seen, "late"')
    settle(browser, "S2", pet="involved")
    settle(browser, "S2", pet="")
    settle(browser, "S3", note="too blurred to say")
    assert [one.text for one in browser.find_elements("css selector", ".settled h2")] == [
        "S1",
        "S3",
    ]
    decisions.write_text(saved(browser))
    one, looked = sorted(read_decisions(decisions), key=lambda made: made.study_id)
    assert (looked.pet, looked.mri, looked.note) == (None, None, "too blurred to say")
    assert (one.study_id, one.pet, one.reason) == ("S1", None, "cyst")
    assert (one.decided_by, one.note) == ("=AB", 'seen, "late"')
    write_accuracy(calls, tmp_path / "out", decisions=decisions, options=Options(draws=0))
    opened(browser, page)
    browser.save_screenshot(str(shots / "worklist.png"))
    assert browser.find_element("id", "state").text == "Studies: 3. Decisions on file: 2, new: 0."
    decisions.write_text(saved(browser))
    assert set(read_decisions(decisions)) == {one, looked}
    assert complaints(browser) == []


def test_pages_fit_a_phone_and_every_control_and_picture_has_a_name(
    browser: Browser, rendered: Path, tmp_path: Path
) -> None:
    (tmp_path / "calls.csv").write_text("study_id,patient_id,pet,mri\nS1,P1,involved,involved\n")
    shutil.copytree(rendered, tmp_path / "studies" / "S1")
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
