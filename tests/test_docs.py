"""Every command in the README and the documentation runs, and the references are up to date.

A block ```` ```sh ```` holds commands that run in an empty folder where ``pet/`` and ``mri/``
are those of ``fixtures/demo``, and ``archive/`` holds both; a line ``<!-- file: NAME -->`` before
a block writes the block to that file first. Other programs' commands stand in blocks
```` ```console ````.
"""

import re
import runpy
import shlex
from pathlib import Path

import pytest

from lesionmatch.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.S)


def blocks(page: Path) -> list[re.Match[str]]:
    return list(BLOCK.finditer(page.read_text(encoding="utf-8")))


def commands(page: Path) -> list[list[str]]:
    texts = [block["text"] for block in blocks(page) if block["kind"] == "sh"]
    return [shlex.split(line, comments=True) for text in texts for line in text.splitlines()]


def stories() -> list[Path]:
    """The pages with commands, but for those that only begin as another page does."""
    told = {page: found for page in PAGES if (found := commands(page))}
    return [
        page
        for page, found in told.items()
        if not any(found == other[: len(found)] != other for other in told.values())
    ]


@pytest.mark.parametrize("page", stories(), ids=lambda page: page.name)
def test_the_commands_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archive").mkdir()
    for part in ("pet", "mri"):
        (tmp_path / part).symlink_to(ROOT / "fixtures" / "demo" / part)
        (tmp_path / "archive" / part).symlink_to(ROOT / "fixtures" / "demo" / part)
    for block in blocks(page):
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "sh":
            for line in block["text"].splitlines():
                program, *argv = shlex.split(line, comments=True)
                assert program == "lesionmatch"
                assert main(argv) in (0, 1), line


@pytest.mark.parametrize("name", ["outputs", "protocol"])
def test_the_references_say_what_the_code_says(name: str) -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "make_docs"))[name]()
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == made
