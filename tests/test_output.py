"""What is written stands whole, or what stood there before stays."""

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lesionmatch.errors import UnusableOutput
from lesionmatch.output import (
    make_folders,
    replaced,
    require_apart,
    write_csv,
    write_json,
    write_text,
)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes, as on a disk that fills."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_that_does_not_fit_leaves_the_old_one_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with room_for(100), pytest.raises(UnusableOutput, match=r"table\.csv: wanted .*File too large"):
        write_text(path, "new" * 1000)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_a_draft_that_a_killed_run_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".table.csv.part").write_text("half of")
    write_csv(tmp_path / "table.csv", ["a", "b"], [["1", "x, y"]])
    assert (tmp_path / "table.csv").read_bytes() == b'a,b\n1,"x, y"\n'
    assert names(tmp_path) == ["table.csv"]


def test_a_record_with_a_number_that_is_none_is_our_bug(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "record.json", {"suv": float("nan")})
    assert names(tmp_path) == []


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableOutput, match="wanted a folder that can be made, got Not a dir"):
        make_folders(tmp_path / "file" / "out")


def test_an_output_inside_an_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for out in ("a", "a/out", "link/out"):
        with pytest.raises(UnusableOutput, match="wanted a place outside the inputs, got one ins"):
            require_apart(tmp_path / out, [tmp_path / "b", tmp_path / "a"])
    require_apart(tmp_path / "ab", [tmp_path / "a"])


def test_a_folder_takes_the_place_of_the_old_one_whole(tmp_path: Path) -> None:
    make_folders(tmp_path, "images", "overlays")
    (tmp_path / "images" / "old.nii").write_text("old")
    (tmp_path / "notes.txt").write_text("the user's")
    with replaced(tmp_path, ["images", "overlays"]) as draft:
        make_folders(draft, "images")
        (draft / "images" / "new.nii").write_text("new")
    assert names(tmp_path) == ["images", "notes.txt"]
    assert names(tmp_path / "images") == ["new.nii"]


def test_a_full_disk_leaves_the_old_result(tmp_path: Path) -> None:
    write_text(tmp_path / "result.csv", "old")

    def fill() -> None:
        with replaced(tmp_path) as draft:
            write_text(draft / "result.csv", "new")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UnusableOutput, match="No space left on device; free some room"):
        fill()
    assert (tmp_path / "result.csv").read_text() == "old"
    assert names(tmp_path) == ["result.csv"]


def test_room_is_asked_for_only_where_it_would_help(tmp_path: Path) -> None:
    write_text(tmp_path / "taken", "a file")
    with pytest.raises(UnusableOutput, match="got File exists; choose another place with -o"):
        make_folders(tmp_path / "taken")


def test_an_error_that_is_no_place_s_fault_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replaced(tmp_path) as draft:
        (draft / "never written").read_text()
    assert names(tmp_path) == []
