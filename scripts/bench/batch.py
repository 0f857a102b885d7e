"""``python scripts/bench batch [STUDIES] [SIZE]``: studies an hour with one worker and with two.

Simulates STUDIES of SIZE (demo, small or clinical), compares them with one worker and then
with two, and prints the stages' times of one study, the rates, and the time 2,383 would take.
"""

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


def main() -> None:
    """Print the table."""
    count, size = (
        (*sys.argv[1:], "4", "small")[:2] if len(sys.argv) != 2 else (sys.argv[1], "small")
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = write_studies(folder, int(count), Size(size))
        one, two = seconds(table, folder / "one", 1), seconds(table, folder / "two", 2)
        inside = 0.0
        for run in sorted((folder / "one" / "studies").glob("*/run.json")):
            record = json.loads(run.read_text())
            inside += sum(record["seconds"].values())
            print(run.parent.name, record["seconds"], f"{record['peak_memory_mb']:.0f} MB")
    print(
        f"one worker: {3600 * int(count) / one:.0f} an hour, {one / int(count):.1f} s a study, "
        f"{100 * (1 - inside / one):.1f} % outside compare"
    )
    print(f"two workers: {3600 * int(count) / two:.0f} an hour, {one / two:.2f} times one")
    print(f"{COHORT} studies with two workers: {COHORT * two / int(count) / 3600:.1f} h")


if __name__ == "__main__":
    main()
