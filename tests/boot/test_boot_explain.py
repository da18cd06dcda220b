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


def test_a_capture_of_a_boot_tells_its_stages(boot, netboot, tmp_path):
    (netboot.path / "boot.ipxe").write_text("#!ipxe\nchain missing.ipxe\n")
    capture, options = dumped(tmp_path)
    report = tmp_path / "boot.json"
    with boot("--ipxe", "--netboot-dir", netboot.path, "--report", report, *vm.SMALL, extra=options, capture=False) as run:
        assert run.wait_exit() == 13
    code, told = explained(capture)
    [machine] = told["machines"]
    [explanation] = machine["boots"]
    live = json.loads(report.read_text())
    assert machine["mac"] == live["nics"][0]["mac"]
    assert code == 13
    assert ("script", "boot.ipxe runs", True) in stages(live["boots"][0])
    assert stages(live["boots"][0]) == stages(explanation["boots"][0])
    assert "missing.ipxe" in explanation["verdict"]["what"]
    urls = [[fetch["url"] for fetch in report["boots"][0]["fetches"]] for report in (live, explanation)]
    assert urls[0] == urls[1]
