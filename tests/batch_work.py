"""What a study's process may do to a batch, for tests: work well, refuse, crash, hang."""

import errno
import json
import os
import signal
import time
from pathlib import Path

from lesionmatch.batch.worker import Job
from lesionmatch.errors import InvalidInput, RegistrationFailed
from lesionmatch.output import replaced, write_bytes, write_text

CALLS = {
    "calls": {
        "mri": "involved",
        "pet": "not_involved",
        "cell": "FN",
        "reason": "small_size",
        "why": "one lesion of 5 mm",
    },
    "liver": {"cov": 0.1, "is_plausible": True, "doubts": []},
    "registration": {"method": "rigid", "passed": True, "doubts": [], "cleared_by_lesions": False},
    "lesions": [],
}


def well(job: Job, partial: str) -> int:
    """Write the tables a comparison writes; the study's name decides what else happens."""
    out = Path(partial)
    (out / "comparison.json").write_text(json.dumps(CALLS))
    (out / "lesions.csv").write_text(f"lesion_id,label\nL1,{job.row.study_id}\n")
    (out / "relations.csv").write_text("lesion_id,focus_id\nL1,\n")
    return 0


def by_name(job: Job, partial: str) -> int:
    """Do what the study is called, up to the first dot."""
    return globals()[job.row.study_id.split(".")[0]](job, partial)  # type: ignore[no-any-return]


def doubtful(job: Job, partial: str) -> int:
    """Finish with a registration that asks for a person's eye, cleared if the study says so."""
    status = well(job, partial) + 1
    is_cleared = "cleared" in job.row.study_id
    registration = {"method": "rigid", "passed": False, "cleared_by_lesions": is_cleared}
    found = CALLS | {"registration": registration | {"doubts": ["it hardly moved"]}}
    (Path(partial) / "comparison.json").write_text(json.dumps(found))
    return status


def refuse(_job: Job, _partial: str) -> int:
    """Refuse the input."""
    raise InvalidInput("PET: wanted this, got that; mend it")


def killed(_job: Job, _partial: str) -> int:
    """Be killed as a machine out of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def full(job: Job, partial: str) -> int:
    """Find the disk full for as long as a file beside the output folder says so."""
    out = well(job, partial)
    if (job.ledger.out.parent / "disk is full").exists():
        with replaced(Path(partial)):
            raise OSError(errno.ENOSPC, "No space left on device")
    return out


def mute(job: Job, partial: str) -> int:
    """Find the disk full while saying something."""
    if (job.ledger.out.parent / "disk is full").exists():
        raise OSError(errno.ENOSPC, "No space left on device")
    return well(job, partial)


def large(job: Job, partial: str) -> int:
    """Write three megabytes."""
    write_bytes(Path(partial) / "image", bytes(3_000_000))
    return well(job, partial)


def fatal(_job: Job, _partial: str) -> int:
    """Take the cluster's worker down with it."""
    os.kill(parent(parent(os.getpid())), signal.SIGKILL)
    time.sleep(600)
    return 0


def once(job: Job, partial: str) -> int:
    """Hang when first begun, telling the worker and the process; be done when begun again."""
    begun = job.ledger.out.parent / "begun"
    if begun.exists():
        return well(job, partial)
    write_text(begun, f"{parent(parent(os.getpid()))} {os.getpid()}")
    time.sleep(600)
    return 1


def parent(process: int) -> int:
    """Who started a process: the server that forks studies, and then the worker."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def tell(job: Job, _partial: str) -> int:
    """Refuse an input by its path, and say so in the log."""
    print(f"reading {job.row.pet}")
    raise InvalidInput(f"{job.row.pet / 'a.zip'}: wanted an archive; mend it")


def crash(job: Job, partial: str) -> int:
    """Die as native code does."""
    well(job, partial)
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


def defect(_job: Job, _partial: str) -> int:
    """Fail as a defect of our own does."""
    raise KeyError("no such thing")


def hang(_job: Job, _partial: str) -> int:
    """Never end."""
    time.sleep(600)
    return 0


def swell(_job: Job, _partial: str) -> int:
    """Take more memory than there is to have."""
    return len(bytearray(1 << 40))


def swell_in_itk(_job: Job, _partial: str) -> int:
    """Take more memory than there is to have, in a library that says so in its own words."""
    try:
        raise RuntimeError("Exception thrown in SimpleITK: Failed to allocate memory for image.")
    except RuntimeError as error:
        raise RegistrationFailed("registration: wanted an alignment, got none") from error


def slow(job: Job, partial: str) -> int:
    """Finish after a moment, so that a batch can be killed meanwhile."""
    well(job, partial)
    time.sleep(0.05)
    return 0
