"""The memory one registration needs, in a process of its own that never held the simulator."""

import pickle
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from lesionmatch.phantom.study import SimulatedStudy
from lesionmatch.protocol import Protocol
from lesionmatch.registration import register

MB_PER_RSS = 1 / 1024
"""`ru_maxrss` is in KiB on Linux."""


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
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MB_PER_RSS)


if __name__ == "__main__":
    main()
