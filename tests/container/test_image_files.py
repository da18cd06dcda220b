"""What the image holds: no more than its limit, nothing that is listed as removed, and every file that vm-launch can name."""

import itertools
import json
import pathlib
import re
import subprocess

import pytest

from containers import ROOT, RUNTIME, podman

LIMIT = 450_000_000
LIST = ROOT / "container/removed"
TRIM = ROOT / "container/trim"


def removed():
    """The list's lines: (path, reason)."""
    lines = [line.split(maxsplit=1) for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) > 10
    return [(path, reason) for path, reason in lines]


def shell(image, script, *words):
    """The output of a script inside the image; it must succeed."""
    run = podman("run", "--rm", *RUNTIME, "--network", "none", "--entrypoint", "sh", image, "-c", script, "sh", *words, check=False)
    assert run.returncode == 0, run
    return run.stdout


# -- the list, and the script that works from it


def test_the_documentation_has_the_lists_lines():
    table = [f"| `{path}` | {reason} |" for path, reason in removed()]
    assert "\n".join(table) in (ROOT / "docs/containers.md").read_text(), "make it so:\n" + "\n".join(table)


@pytest.fixture
def trim(tmp_path):
    """trim(list, *files): which of these files are left, and the run itself."""

    def run_it(text, *files):
        listed, tree = tmp_path / "removed", tmp_path / "tree"
        listed.write_text(text)
        for file in files:
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            (tree / file).write_text("")
        (tree / "dangling").symlink_to("nowhere")
        run = subprocess.run([TRIM, listed, tree], capture_output=True, text=True, check=False)
        return sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()), run

    return run_it


def test_trim_removes_what_is_listed_and_nothing_else(trim):
    left, run = trim("# why\n\n/a/*.fd  too large\n/b  of no use\n/dangling a link\n", "a/x.fd", "a/y.fd", "a/z.json", "b/c/d")
    assert (left, run.returncode, run.stderr) == (["a/z.json"], 0, "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/a/*.iso  gone", "/a/*.iso matches nothing"),
        ("/a/x.fd", "/a/x.fd has no reason"),
        ("a/x.fd  relative", "a/x.fd is not an absolute path"),
    ],
)
def test_trim_removes_nothing_by_a_list_that_is_wrong(trim, line, says):
    left, run = trim(f"/b  of no use\n{line}\n", "a/x.fd", "b")
    assert (left, run.returncode) == (["a/x.fd", "b", "dangling"], 1)
    assert says in run.stderr and "hint: " in run.stderr


# -- the image


def test_the_image_is_within_its_limit(image):
    layers = json.loads(podman("history", "--format", "json", image).stdout)
    [inspected] = json.loads(podman("image", "inspect", image).stdout)
    total = sum(layer["size"] for layer in layers)
    print(f"\nthe image: {total / 1e6:.0f} MB")
    assert 100_000_000 < max(total, inspected["Size"]) <= LIMIT, [(layer["size"], layer["CreatedBy"]) for layer in layers]


def test_what_is_removed_is_what_the_list_says(image):
    script = 'for path; do ls -d $path 2>/dev/null; done; cat /usr/share/vm-launch/container/removed'
    assert shell(image, script, *[path for path, _ in removed()]) == LIST.read_text()


def values_of(image, flag):
    """The values that a setting takes, as its refusal names them."""
    refusal = podman("run", "--rm", *RUNTIME, "--network", "none", image, "plan", flag, "nonsense", check=False).stderr
    [listed] = re.findall(rf"{flag}: invalid value 'nonsense' \(expected (.*)\)", refusal)
    return re.split(", | or ", listed)


@pytest.fixture(scope="module")
def models(image):
    return values_of(image, "--nic-model")


@pytest.fixture(scope="module")
def plans(image, models):
    """{(arch, firmware, who boots, NIC's model): (exit code, plan or None, what was said)}: every combination."""
    several = (values_of(image, "--arch"), values_of(image, "--firmware"), ["--ipxe", "--no-ipxe"], models)
    combinations = list(itertools.product(*several))
    assert len(combinations) >= 2 * 3 * 2 * 8
    script = r"""
        while read -r arch firmware who model; do
            set -- --arch $arch --firmware $firmware $who --nic-model $model --boot-order network --graphics vnc
            vm-launch plan --format json "$@" >/tmp/plan 2>/tmp/said
            printf '%s\035' "$?" "$(cat /tmp/plan)" "$(cat /tmp/said)"
        done <<END
"""
    said = shell(image, script + "\n".join(map(" ".join, combinations)) + "\nEND\n").split("\x1d")[:-1]
    outcomes = zip(said[0::3], said[1::3], said[2::3])
    return {
        combination: (int(code), json.loads(plan) if plan else None, words)
        for combination, (code, plan, words) in zip(combinations, outcomes, strict=True)
    }


def test_every_firmware_and_nic_can_be_planned(plans):
    """But what no host could: iPXE, which nobody signed, under Secure Boot, a BIOS for 64-bit ARM, and there the
    firmware's own client on a NIC that neither it nor any ROM of Debian's drives."""

    def is_refused(arch, firmware, who, model):
        if arch == "aarch64" and firmware == "legacy" or firmware == "secure" and who == "--ipxe":
            return True
        return arch == "aarch64" and who == "--no-ipxe" and model != "virtio"

    assert {combination: code != 0 for combination, (code, _, _) in plans.items()} == {
        combination: is_refused(*combination) for combination in plans
    }
    for combination, (_, _, said) in plans.items():
        assert not re.search("installed|apt-get", said), (combination, said)


def files_of(plan):
    for started in (plan, *plan["helpers"]):
        yield started["program"]
        yield from (fd["source"] for fd in started["fds"] if "source" in fd)


def test_every_file_that_a_plan_names_is_there(image, plans):
    named = {file for _, plan, _ in plans.values() if plan for file in files_of(plan)}
    assert {pathlib.PurePath(file).name for file in named} >= {
        "qemu-system-x86_64",
        "qemu-system-aarch64",
        "swtpm",
        "OVMF_VARS_4M.ms.fd",
        "AAVMF_VARS.ms.fd",
        "ipxe-arm64.efi",
    }
    assert sorted(shell(image, 'ls -dL "$@"', *named).split()) == sorted(named)


def test_packed_firmware_leaves_secure_boot_readable(image, plans):
    """AAVMF's code is without its padding, under the names that kept variables know it by; the variables stay raw."""
    _, plan, _ = plans["aarch64", "secure", "--no-ipxe", "virtio"]
    assert plan["secure_boot"] is True
    [code] = [file for file in files_of(plan) if "AAVMF_CODE" in file]
    assert int(shell(image, f"stat -Lc %s {code}")) < 5_000_000


def test_qemu_builds_every_machine_with_all_nics_and_a_screen(image, plans, models):
    """QEMU has files of its own to load: option ROMs, the BIOS of a screen, modules."""
    kinds = sorted({combination[:2] for combination, (_, plan, _) in plans.items() if plan and combination[2] == "--no-ipxe"})
    assert len(kinds) == 5
    more = " ".join(f"--nic model={model}" for model in models[1:])
    script = "".join(
        f"vm-launch --arch {arch} --firmware {firmware} --no-ipxe --boot-order network --nic-model {models[0]} {more} --memory 256"
        " --graphics vnc --no-console --until machine 2>&1 || exit\n"
        for arch, firmware in kinds
    )
    assert shell(image, script).count("machine: QEMU built the machine and runs it") == len(kinds)


# -- what needs no VM


def test_a_capture_is_explained_in_the_image(image):
    run = podman("run", "--rm", *RUNTIME, "-v", f"{ROOT / 'tests/captures'}:/captures:ro", image, "explain", "/captures/tftp-missing.pcap", check=False)
    assert run.returncode == 13, run
    assert "cannot fetch tftp://192.0.2.1/vmlinuz (exit code 13)" in run.stdout
