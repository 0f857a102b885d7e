"""How long a study's pictures and page take: `python scripts/bench report OUT`.

OUT is a folder that `lesionmatch compare` or `demo` wrote. Times are processor seconds, so
that other work on the machine does not count. Where Chromium and selenium are installed, it
also says, in wall time, how long the page takes to be ready and to sort its lesions.
"""

import argparse
import io
import shutil
import time
from pathlib import Path

from PIL import Image as Picture

from lesionmatch import report
from lesionmatch.report.case import read_case
from lesionmatch.report.overlays import overlay, scene

SORT = """const start = performance.now();
document.querySelector("#lesion-table thead button").click();
document.querySelector("#lesion-table").getBoundingClientRect();
return [performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
  performance.now() - start]"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench report", description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    case = read_case(out)
    prepared = scene(case)
    overlay(prepared, case.lesions[0])
    drawing, saving = [], []
    for row in case.lesions:
        start = time.process_time()
        picture = overlay(prepared, row)
        if picture is None:
            continue
        drawing.append(time.process_time() - start)
        start = time.process_time()
        Picture.fromarray(picture).save(io.BytesIO(), "PNG", compress_level=1)
        saving.append(time.process_time() - start)
    start = time.process_time()
    report.render(out)
    whole = time.process_time() - start
    megabytes = (out / "report.html").stat().st_size / 1e6
    print(f"{len(drawing)} pictures: {1e3 * sum(drawing) / len(drawing):.0f} ms to draw, ", end="")
    print(f"{1e3 * sum(saving) / len(saving):.0f} ms to save, each")
    print(f"render: {whole:.1f} s of processor time; report.html: {megabytes:.1f} MB")
    in_the_browser(out / "report.html")


def in_the_browser(page: Path) -> None:
    """Print how long a browser takes to open and to sort a page; nothing where there is none."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        return
    if not chromium or not driver:
        return
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    browser.get(page.resolve().as_uri())
    ready_ms, sorted_ms = browser.execute_script(SORT)
    browser.quit()
    print(f"in the browser: ready after {ready_ms:.0f} ms, sorted in {sorted_ms:.0f} ms")


if __name__ == "__main__":
    main()
