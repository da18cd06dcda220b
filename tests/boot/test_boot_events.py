"""A real boot, told as it happens: the events say what the report says at the end."""

import json

import vm


def proofs(marks):
    return [(mark["stage"], mark["at"], mark["proof"], mark["detail"]) for mark in marks if mark["reached"]]


def of_kind(events, kind):
    return [event for event in events if event["event"] == kind]


def last_of_each_fetch(events):
    told = {(event["url"], event["began"]): event for event in of_kind(events, "fetch")}
    return {key: (event["state"], event["bytes"], event["content"]) for key, event in told.items()}


def test_the_events_of_a_boot_are_those_of_its_report(boot, netboot, tmp_path):
    tmp_path.chmod(0o755)
    events, report = tmp_path / "events", tmp_path / "boot.json"
    netboot.script(words="vml.stay")
    with boot("--ipxe", "--netboot-dir", netboot.path, "--events", events, "--report", report, *vm.SMALL, capture=False) as run:
        waited = vm.run("wait", run.name, "--stage", "os", "--timeout", vm.BOOT_DEADLINE,
                        environment=run.full_environment(), seconds=2 * vm.BOOT_DEADLINE)
        assert waited.returncode == 0, waited.stderr
        assert waited.stdout.startswith(f"{run.name}: os: ")
        run.stop()
    told, record = [json.loads(line) for line in events.read_text().splitlines()], json.loads(report.read_text())
    [whole] = record["boots"]
    assert proofs(of_kind(told, "stage")) == proofs(whole["stages"])
    assert last_of_each_fetch(told) == {
        (fetch["url"], fetch["began"]): (fetch["state"], fetch["bytes"], fetch["content"]) for fetch in whole["fetches"]
    }
    types = [event["type"] for event in of_kind(told, "dhcp") if event["client"] == "iPXE"]
    assert [types.count(type) for type in ("discover", "request")] == [
        sum(talk[key] for talk in whole["dhcp"] if talk["client"] == "iPXE") for key in ("discovers", "requests")
    ]
    assert {"offer", "ack"} <= set(types)
    [ipxe] = [event["text"] for event in of_kind(told, "console") if event["sign"] == "ipxe"]
    assert ipxe == whole["ipxe"]
    [end] = of_kind(told, "end")
    assert (end["exit_code"], end["summary"], end["verdict"]) == (record["exit_code"], record["summary"], record["verdict"])
    for fetch in {event["url"] for event in of_kind(told, "fetch")}:
        at = [event["t"] for event in of_kind(told, "fetch") if event["url"] == fetch and event["state"] == "receiving"]
        assert all(later - earlier > 0.4 for earlier, later in zip(at, at[1:])), at
