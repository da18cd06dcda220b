"""Each bench in its shortest form: that it measures, not what. The figures are for a machine at rest (bench/README.md)."""

import json
import os
import pathlib
import subprocess

import vm

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETSETUP = ROOT / "build/dev/bench/netsetup/bench_netsetup"


def bench(*command):
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_launch(tmp_path):
    figures = tmp_path / "figures.json"
    bench(ROOT / "bench/launch/run", "--vm-launch", vm.BINARY, "--runs", 1, "--idle-seconds", 1, "--json", figures)
    result = json.loads(figures.read_text())
    assert set(result["runs"]) == {"launcher", "shell", "direct"}
    for runs in result["runs"].values():
        assert 0 < runs[0]["resume_ns"] < runs[0]["exit_ns"]
    assert result["cpu_ms"] > 0 and result["peak_mb"] > 0
    assert set(result["idle"]) == {"shown", "attached"}


def test_boot(tmp_path):
    figures = tmp_path / "figures.json"
    bench(ROOT / "bench/boot/run", "--binary", vm.BINARY, "--runs", 1, "--only", "router bios", "--json", figures)
    result = json.loads(figures.read_text())
    assert set(result) == {"router bios"}
    for side in ("stock", "ours"):
        script, userland = result["router bios"][side][0]
        assert 0 < script < userland


def test_watch(tmp_path):
    figures = tmp_path / "figures.json"
    bench(ROOT / "bench/watch/run", "--binary", vm.BINARY, "--runs", 1, "--only", "nat, HTTP", "--size", 1, "--json", figures)
    result = json.loads(figures.read_text())
    assert set(result) == {"nat, HTTP"}
    for side in ("with", "without"):
        fetched, up = result["nat, HTTP"][side][0]
        assert 0 < fetched < up


def test_netsetup():
    assert os.access(NETSETUP, os.X_OK)
    text = bench(NETSETUP, 1)
    assert "macvtap" in text and "tap" in text


def test_netwatch(tmp_path):
    figures = tmp_path / "figures.json"
    bench(ROOT / "bench/netwatch/run", "--binary", vm.BINARY, "--rate", 1000, "--seconds", 2, "--machines", 5, "--only", "short", "--json", figures)
    result = json.loads(figures.read_text())["short"]
    assert result["frames"] > 0 and result["frames_lost"] == 0
    assert result["cpu"] > 0
    assert 0 < result["verdicts"] <= result["boots"]
