"""The container's bench in its shortest form: that it measures, not what (its siblings: tests/netns/test_benches.py)."""

import json
import subprocess

import pytest

from containers import DEADLINE, ROOT


@pytest.mark.slow
def test_the_bench_measures(image, tmp_path):
    figures = tmp_path / "figures.json"
    words = [ROOT / "bench/container/run", "--runs", "1", "--json", figures]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads(figures.read_text())
    assert set(result) == {"runtime", "vm-launch"}
    assert result["runtime"][0] > 0
    first_line, resume, between = result["vm-launch"][0]
    assert 0 < first_line < resume and 0 < between < resume
