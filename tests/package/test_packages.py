"""What is in the packages, by those who read it: lintian, dpkg, man, bash, zsh, systemd; and that they come out the same twice."""

import gzip
import hashlib
import os
import re
import subprocess
import tarfile
import time

import pytest

from packing import ROOT, run

VERSION = re.search(r"^project\(vm-launch VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
RELEASED = re.search(r"^set\(vml_release_date (\S+)\)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
DOC = "share/doc/vm-launch"
# What both packages have, in the tarball's names.
COMMON = {
    "bin/vm-launch",
    "lib/systemd/system/vm-launch@.service",
    "share/bash-completion/completions/vm-launch",
    "share/man/man1/vm-launch.1",
    f"{DOC}/NOTICES.gz",
    f"{DOC}/README.md",
    f"{DOC}/vm-launch.spdx.json",
    f"{DOC}/docs/SETTINGS.md",
    f"{DOC}/examples/nat.json",
    f"{DOC}/examples/web.toml",
}
TARS_OWN = {"share/zsh/site-functions/_vm-launch", f"{DOC}/LICENSE", f"{DOC}/CHANGELOG.md"}
DEBS_OWN = {
    "share/zsh/vendor-completions/_vm-launch",
    "share/man/man1/vm-launch.1.gz",
    "share/lintian/overrides/vm-launch",
    *(f"{DOC}/{name}" for name in ("copyright", "changelog.gz", "changelog.Debian.gz")),
}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(tree):
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}


def entries_of(package):
    with tarfile.open(package) as archive:
        return archive.getmembers()


@pytest.fixture(scope="module")
def data_of_deb(packages, tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / "data.tar"
    with file.open("wb") as out:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", packages.deb], check=True, stdout=out)
    return file


def test_lintian_has_nothing_to_say(packages):
    said = run("lintian", "--allow-root", "--display-info", packages.deb, check=False).stdout.splitlines()
    assert not [line for line in said if line[:2] in ("E:", "W:") or "unused-override" in line or "malformed" in line]


def test_every_override_of_lintian_has_its_reason():
    lines = (ROOT / "packaging/lintian-overrides").read_text().splitlines()
    tags = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    assert tags
    for number in tags:
        assert lines[number].startswith("vm-launch: ") and lines[number - 1].startswith("# "), lines[number]


def test_the_debian_package_says_what_it_is(packages, deb_tree):
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "-f", packages.deb).stdout.splitlines() if re.match(r"\w[\w-]*: ", line))
    assert (fields["Package"], fields["Version"]) == ("vm-launch", f"{VERSION}-1")
    assert fields["Depends"] == "qemu-system-x86 | qemu-system-arm", "nothing of the C library's: the program is static"
    assert {path.name for path in (deb_tree / "DEBIAN").iterdir()} == {"control", "md5sums", "postinst", "postrm"}


def test_the_packages_hold_what_they_should(deb_tree, tar_tree):
    assert COMMON | TARS_OWN <= files_of(tar_tree)
    from_deb = files_of(deb_tree / "usr")
    assert (COMMON - {"share/man/man1/vm-launch.1"}) | DEBS_OWN <= from_deb
    renamed = TARS_OWN | DEBS_OWN | {"share/man/man1/vm-launch.1"}
    assert files_of(tar_tree) - renamed == from_deb - renamed
    assert {path.name for path in deb_tree.iterdir()} == {"DEBIAN", "usr"}
    for name in files_of(tar_tree) - renamed:
        assert sha256(tar_tree / name) == sha256(deb_tree / "usr" / name), name


@pytest.mark.parametrize("which", ["tarball", "deb"])
def test_owners_rights_and_times_are_not_those_of_the_builder(packages, data_of_deb, which):
    entries = entries_of(packages.tarball if which == "tarball" else data_of_deb)
    programs = ("bin/vm-launch", "netboot-server/serve")
    for entry in entries:
        assert (entry.uid, entry.gid) == (0, 0), entry.name
        assert entry.mode & 0o7777 == (0o755 if entry.isdir() or entry.name.endswith(programs) else 0o644), entry.name
        assert time.strftime("%F", time.gmtime(entry.mtime)) == RELEASED, entry.name
    names = [entry.name for entry in entries]
    assert names in (sorted(names), sorted(names, key=lambda name: name.split("/"))), "not in the order of some folder"


def test_the_program_is_one_static_file(tar_tree):
    headers = run("readelf", "-lW", tar_tree / "bin/vm-launch").stdout
    assert "INTERP" not in headers and "Elf file type is DYN" in headers
    assert run(tar_tree / "bin/vm-launch", "--version").stdout.split()[1] == VERSION
    assert str(ROOT).encode() not in (tar_tree / "bin/vm-launch").read_bytes()


def test_the_man_page_renders(deb_tree, tar_tree):
    for page in (tar_tree / "share/man/man1/vm-launch.1", deb_tree / "usr/share/man/man1/vm-launch.1.gz"):
        shown = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
        assert shown.stderr == ""
        assert "vm-launch" in shown.stdout and len(shown.stdout.splitlines()) > 100
    assert gzip.decompress(page.read_bytes()) == (ROOT / "docs/vm-launch.1").read_bytes()


def test_bash_takes_the_completion_from_its_folder(tar_tree):
    words = "source vm-launch; complete -p vm-launch"
    assert "vm-launch" in run("bash", "--norc", "-euc", words, cwd=tar_tree / "share/bash-completion/completions").stdout


@pytest.mark.parametrize("which", ["deb", "tarball"])
def test_zsh_finds_the_completion_in_its_folder(deb_tree, tar_tree, which):
    folder = {"deb": deb_tree / "usr/share/zsh/vendor-completions", "tarball": tar_tree / "share/zsh/site-functions"}[which]
    words = f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; print -- $_comps[vm-launch]"
    assert run("zsh", "-fc", words).stdout.strip() == "_vm-launch"
    # Where Debian's zsh looks by itself: in /usr, and beneath /usr/local, where a tarball goes.
    assert str(folder).split("/share/")[1] in {path.split("/share/")[1] for path in run("zsh", "-fc", "print -l $fpath").stdout.split()}


def test_the_unit_is_hardened(tar_tree):
    unit = tar_tree / "lib/systemd/system/vm-launch@.service"
    exposed = run("systemd-analyze", "security", "--offline=true", "--threshold=41", unit, check=False)
    assert exposed.returncode == 0, exposed.stdout[-200:]
    assert {"DevicePolicy=closed", "ProtectHostname=yes", "ProtectSystem=strict"} <= set(unit.read_text().splitlines())


@pytest.mark.parametrize(("name", "code"), [("nat.json", 0), ("web.json", 3), ("web.toml", 3)])
def test_the_example_settings_are_right(tar_tree, name, code):
    """Where they want a bridge, which is not here, that is their only fault."""
    result = run(tar_tree / "bin/vm-launch", "plan", "--config", tar_tree / DOC / "examples" / name, check=False)
    assert result.returncode == code, result.stderr
    assert re.findall(r"^vm-launch: error\[\d+\]: (?!.*bridge br0$)", result.stderr, re.MULTILINE) == []


def test_links_lead_from_one_document_to_the_other(tar_tree):
    """But for what is for those who have the sources."""
    for_contributors = ("bench/", "container/", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/vm-launch.1",
                        "examples/vm-launch@.service")  # fmt: skip
    documents = [*(tar_tree / DOC).rglob("*.md")]
    assert len(documents) > 10
    for document in documents:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text()):
            target = (document.parent / link).resolve()
            inside = str(target.relative_to(tar_tree / DOC))
            assert target.exists() or inside.startswith(for_contributors), f"{document.name} → {link}"


@pytest.mark.parametrize("folder", ["docs", "examples", "integrations"])
def test_nothing_is_packed_that_the_sources_do_not_have(tar_tree, folder):
    known = run("git", "ls-files", folder, cwd=ROOT).stdout.split()
    packed = {str(path.relative_to(tar_tree / DOC)) for path in (tar_tree / DOC / folder).rglob("*") if path.is_file()}
    assert packed and packed <= set(known)


def test_the_sums_are_right(packages):
    assert run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=packages.folder).returncode == 0
    assert packages.sums.count("\n") == 3


def test_packed_again_it_is_the_same(packages, tmp_path):
    """By somebody with another time zone and language."""
    other = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    if "VML_PACKAGES" in os.environ:
        run(ROOT / "scripts/package", tmp_path / "again", env={**other, "HOME": str(tmp_path)})
        again = (tmp_path / "again/SHA256SUMS").read_text()
    else:
        from containers import RUNTIME, podman

        given = [word for name, value in other.items() for word in ("-e", f"{name}={value}")]
        words = "scripts/package /again >&2; cat /again/SHA256SUMS"
        again = podman("run", "--rm", "--network", "none", *RUNTIME, *given, "vm-launch-package", "sh", "-ec", words).stdout
    assert again == packages.sums
