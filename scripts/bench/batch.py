"""``python scripts/bench batch [STUDIES] [SIZE]``: studies an hour with one worker and with two.

Simulates STUDIES of SIZE (demo, small or clinical), compares them with one worker and then
with two, and prints the stages' times of one study, the rates, and the time 2,383 would take.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lesionmatch.phantom import Size, simulate, typical_recipe, write_study

COHORT = 2383


def write_studies(folder: Path, count: int, size: Size) -> Path:
    """Simulate studies below `folder`; returns their table."""
    table = folder / "STUDIES.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("study_id", "patient_id", "pet", "mri"))
        for seed in range(count):
            place = folder / f"S{seed}"
            study = simulate(typical_recipe(9500 + seed, size=size))
            write_study(study, place / "pet", place / "mri", place / "truth.json")
            writer.writerow((f"S{seed}", f"P{seed}", place / "pet", place / "mri"))
    return table


def seconds(table: Path, out: Path, workers: int) -> float:
    """Wall time of the whole batch, as a program of its own."""
    argv = ["batch", str(table), "-o", str(out), "-j", str(workers), "-q"]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lesionmatch", *argv], check=False)
    return time.perf_counter() - start


def stages(out: Path) -> tuple[float, list[str]]:
    """The seconds inside `compare` of all studies below `out`, and what a study takes in words."""
    records = [json.loads(path.read_text()) for path in sorted(out.glob("studies/*/run.json"))]
    names = {name for record in records for name in record["seconds"]}
    total = {name: sum(record["seconds"].get(name, 0.0) for record in records) for name in names}
    whole = sum(total.values())
    lines = [
        f"{name:24} {seconds / len(records):6.1f} s {100 * seconds / whole:4.0f} %"
        for name, seconds in sorted(total.items(), key=lambda item: -item[1])
    ]
    peak_mb = max(record["peak_memory_mb"] for record in records)
    return whole, [*lines, f"most memory of a study    {peak_mb:6.0f} MB"]


def main() -> None:
    """Print the tables."""
    wanted = argparse.ArgumentParser(prog="bench batch", description=__doc__)
    wanted.add_argument("studies", type=int, nargs="?", default=4)
    wanted.add_argument("size", type=Size, nargs="?", default=Size.SMALL)
    arguments = wanted.parse_args()
    count: int = arguments.studies
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = write_studies(folder, count, arguments.size)
        one, two = seconds(table, folder / "one", 1), seconds(table, folder / "two", 2)
        inside, lines = stages(folder / "one")
    print("\n".join(lines))
    print(
        f"one worker: {3600 * count / one:.0f} an hour, {one / count:.1f} s a study, "
        f"{100 * (1 - inside / one):.1f} % outside compare"
    )
    print(f"two workers: {3600 * count / two:.0f} an hour, {one / two:.2f} times one")
    print(f"{COHORT} studies with two workers: {COHORT * two / count / 3600:.1f} h")


if __name__ == "__main__":
    main()
