"""A capture of a boot, explained afterwards, shows what the run itself saw of it on the wire."""

import json
import os
import subprocess

import vm


def stages(boot):
    """What the wire alone showed, without the times: who looks at it live sees it a moment later."""
    return [
        (stage["stage"], stage["detail"].split(" bytes in ")[0], stage["reached"])
        for stage in boot["stages"]
        if stage["stage"] in ("discover", "offer", "dhcp", "fetch", "script") and stage["proof"] == "wire"
    ]


def dumped(folder):
    """QEMU's options for a capture of all that passes, and its file, which a user without rights can write."""
    capture = folder / "boot.pcap"
    capture.touch()
    os.chmod(capture, 0o666)
    return capture, ["-object", f"filter-dump,id=dump0,netdev=net0,file={capture},maxlen=65536"]


def explained(capture):
    run = subprocess.run([vm.BINARY, "explain", capture, "--format", "json"], capture_output=True, text=True, timeout=60)
    return run.returncode, json.loads(run.stdout)


def told_by(boot, netboot, tmp_path, *arguments):
    """What the run reports, and what is explained of the capture: the boot of each."""
    capture, options = dumped(tmp_path)
    report = tmp_path / "boot.json"
    with boot("--ipxe", "--netboot-dir", netboot.path, "--report", report, *arguments, *vm.SMALL, extra=options, capture=False) as run:
        live_code = run.wait_exit()
    code, told = explained(capture)
    [machine] = told["machines"]
    [explanation] = machine["boots"]
    live = json.loads(report.read_text())
    assert machine["mac"] == live["nics"][0]["mac"]
    return live_code, live["boots"][0], code, explanation


def test_a_file_that_is_not_there(boot, netboot, tmp_path):
    (netboot.path / "boot.ipxe").write_text("#!ipxe\nchain missing.ipxe\n")
    live_code, live, code, told = told_by(boot, netboot, tmp_path)
    assert (live_code, code) == (13, 13)
    assert stages(live) == stages(told["boots"][0])
    assert "missing.ipxe" in told["verdict"]["what"]
    assert [fetch["url"] for fetch in live["fetches"]] == [fetch["url"] for fetch in told["boots"][0]["fetches"]]


def test_a_script_that_runs(boot, netboot, tmp_path):
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho HERE\nshell\n")
    live_code, live, code, told = told_by(boot, netboot, tmp_path, "--until", "script")
    assert (live_code, code) == (0, 0)
    assert ("script", "boot.ipxe runs", True) in stages(live)
    assert stages(live) == stages(told["boots"][0])
    assert told["verdict"] is None
