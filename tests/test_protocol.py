"""Protocol files: what they change, and what they are refused for."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from lesionmatch.errors import InvalidOption
from lesionmatch.protocol import FlagRules, Protocol, changed, load_protocol


def written(folder: Path, text: str) -> Path:
    path = folder / "protocol.toml"
    path.write_text(text)
    return path


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    protocol = load_protocol(written(tmp_path, "[flags]\nsubcapsular_mm = 10.0\nsmall_mm = 5\n"))
    assert protocol.flags == replace(FlagRules(), subcapsular_mm=10.0, small_mm=5)
    assert replace(protocol, flags=FlagRules()) == Protocol()


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load_protocol(written(tmp_path, "")) == Protocol()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[flags]\nsubcapsuler_mm = 10.0", "did you mean subcapsular_mm?"),
        ("[flag]\nsmall_mm = 5.0", "did you mean flags?"),
        ("[flags]\nxyzzy = 1.0", "choose from low_uptake, near_vessel_mm"),
        ("flags = 3", r"wanted a table \[flags\], got flags = 3"),
        ("[flags]\nsmall_mm = 0.5", "flags.small_mm: wanted a number from 1 to 30 mm, got 0.5"),
        ("[flags]\nsmall_mm = nan", "from 1 to 30 mm, got nan"),
        ("[flags]\nsmall_mm = 'big'", "from 1 to 30 mm, got 'big'"),
        ("[flags]\nsmall_mm = true", "from 1 to 30 mm, got True"),
        ("[flags\n", r"wanted TOML, got what is none: .*line 1.*; mend it there"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_the_remedy(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(InvalidOption, match=says):
        load_protocol(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidOption, match=r"protocol file: .* got No such file or directory; check the path"
    ):
        load_protocol(tmp_path / "none.toml")


def test_the_hash_tells_protocols_apart() -> None:
    other = changed(Protocol(), {"flags": {"small_mm": 7.0}})
    assert Protocol().sha256 == Protocol().sha256
    assert other.sha256 != Protocol().sha256
    assert len(other.sha256) == 64


def test_an_integer_and_its_float_are_one_protocol() -> None:
    whole = changed(Protocol(), {"flags": {"small_mm": 7}})
    assert whole.sha256 == changed(Protocol(), {"flags": {"small_mm": 7.0}}).sha256


@pytest.mark.parametrize("section", [f.name for f in fields(Protocol)])
def test_every_threshold_says_what_it_means_and_where_it_comes_from(section: str) -> None:
    for rule in fields(getattr(Protocol(), section)):
        assert {"unit", "says", "source", "least", "most"} <= set(rule.metadata), rule.name
        assert rule.metadata["says"]
        assert rule.metadata["source"]
