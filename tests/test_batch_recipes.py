"""The recipes for clusters in docs/batch.md are what their programs can run."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.test_batch import studies

PAGE = (Path(__file__).parent.parent / "docs" / "batch.md").read_text(encoding="utf-8")


def recipe(name: str, folder: Path) -> Path:
    """A file of the page, as a reader copies it."""
    match = re.search(rf"<!-- file: {re.escape(name)} -->\n```python\n(.*?)```", PAGE, re.S)
    assert match is not None, name
    (folder / name).write_text(match[1], encoding="utf-8")
    return folder / name


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="snakemake is not installed")
def test_snakemake_plans_a_job_a_study(tmp_path: Path) -> None:
    recipe("Snakefile", tmp_path)
    rows = [f"{row.study_id},P1,{row.pet},{row.mri}" for row in studies(tmp_path, ["S1", "S2"])]
    (tmp_path / "STUDIES.csv").write_text("\n".join(["study_id,patient_id,pet,mri", *rows]))
    planned = subprocess.run(
        ["snakemake", "--dry-run", "--cores", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = planned.stdout + planned.stderr
    assert planned.returncode == 0, said
    counts = dict(re.findall(r"^(all|row|compare|gather) +(\d+)$", said, re.M))
    assert counts == {"all": "1", "row": "2", "compare": "2", "gather": "1"}


def test_the_slurm_script_is_python(tmp_path: Path) -> None:
    path = recipe("on_slurm.py", tmp_path)
    compile(path.read_text(), path.name, "exec")


@pytest.mark.filterwarnings("default")  # of dask's own making
def test_the_slurm_script_asks_for_what_a_study_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    jobqueue = pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    ran: list[list[str]] = []

    def run(argv: list[str]) -> subprocess.CompletedProcess[str]:
        ran.append(argv)
        return subprocess.CompletedProcess(argv, 0)

    # No SLURM here: jobs are not submitted, and the batch itself is tested elsewhere.
    monkeypatch.setattr(jobqueue.SLURMCluster, "scale", lambda *_, **__: None)
    monkeypatch.setattr(subprocess, "run", run)
    main = runpy.run_path(str(recipe("on_slurm.py", tmp_path)))["main"]
    assert main("STUDIES.csv", "out", "5") == 0
    script = capfd.readouterr().out
    assert "#SBATCH --cpus-per-task=1" in script
    assert "#SBATCH --mem=8G" in script
    assert "#SBATCH -t 08:00:00" in script
    assert ran[0][:5] == ["lesionmatch", "batch", "STUDIES.csv", "-o", "out"]
    assert ran[0][5] == "--scheduler"
    assert re.fullmatch(r"tcp://[\d.]+:\d+", ran[0][6])
