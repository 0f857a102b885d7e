"""The memory one registration needs, in a process of its own that never held the simulator."""

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import Protocol
from lesionmatch.registration import register

MB_PER_KIB = 1 / 1024
STATUS = Path("/proc/self/status")
"""Linux's own count. `ru_maxrss` would not do: a child's begins at its parent's."""


def peak_mb(study: SimulatedStudy) -> float:
    """Peak resident memory of a process that reads a study's images and registers them, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.pickle"
        path.write_bytes(pickle.dumps((study.hbp, study.liver, study.ct, study.suv)))
        command = [sys.executable, __file__, str(path)]
        said = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(said.stdout)


def main() -> None:
    """Register the images of a pickle made by `peak_mb` and print the peak."""
    hbp, liver, ct, suv = pickle.loads(Path(sys.argv[1]).read_bytes())
    register(hbp, liver, ct=ct, pet=suv, protocol=Protocol())
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    print(int(line.split()[1]) * MB_PER_KIB)


if __name__ == "__main__":
    main()
