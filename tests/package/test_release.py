"""What scripts/release says of sources that are ready, and of each thing that is not; in a repository of its own."""

import re
import shutil

import pytest

from conftest import ROOT, run


@pytest.fixture
def sources(tmp_path):
    """Ready to be released; what is to be wrong is changed, and committed by `commit`."""
    for name in ("CMakeLists.txt", "CHANGELOG.md", "cmake/packages.cmake", "scripts/release", "scripts/lib/common.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    cmake = (ROOT / "CMakeLists.txt").read_text()
    version = re.search(r"^project\(vm-launch VERSION (\S+)", cmake, re.MULTILINE)[1]
    date = re.search(r"^set\(vml_release_date (\S+)\)", cmake, re.MULTILINE)[1]
    change(tmp_path / "CHANGELOG.md", r"(?m)\A(.*?)^## [^\n]*$", rf"\1## {version} ({date})")
    change(tmp_path / "cmake/packages.cmake", r"@example\.\w+>", "@vm-launch.test>")
    run("git", "init", "-q", cwd=tmp_path)
    commit(tmp_path)
    return tmp_path


def change(file, pattern, words):
    text, times = re.subn(pattern, words, file.read_text(), count=1, flags=re.DOTALL)
    assert times == 1, pattern
    file.write_text(text)


def commit(folder):
    run("git", "add", "-A", cwd=folder)
    run("git", "-c", "user.name=test", "-c", "user.email=test@vm-launch.test", "commit", "-q", "-m", "test: sources", cwd=folder)


def release(folder):
    result = run(folder / "scripts/release", "--no-build", check=False)
    return result.returncode, re.findall(r"^FAILED +(.*)$", result.stdout, re.MULTILINE), result.stdout.count("ok ")


def test_sources_that_are_ready(sources):
    assert release(sources) == (0, [], 4)


def test_an_uncommitted_file(sources):
    (sources / "new").write_text("")
    assert release(sources) == (1, ["nothing is uncommitted"], 3)


@pytest.mark.parametrize(
    ("file", "pattern", "words", "what"),
    [
        ("CHANGELOG.md", r"## \d[^\n]*", "## Unreleased", "CHANGELOG.md begins with "),
        ("CMakeLists.txt", r"(set\(vml_release_date )\S+\)", r"\g<1>2001-01-01)", "CHANGELOG.md begins with "),
        ("CMakeLists.txt", r"(project\(vm-launch VERSION )\S+", r"\g<1>77.0", "CHANGELOG.md begins with "),
        ("cmake/packages.cmake", r"@vm-launch\.test>", "@example.org>", "the package's maintainer has an address"),
    ],
)
def test_what_is_not_ready(sources, file, pattern, words, what):
    change(sources / file, pattern, words)
    commit(sources)
    code, [failed], fine = release(sources)
    assert (code, fine) == (1, 3) and failed.startswith(what)


def test_a_version_that_is_released_already(sources):
    version = re.search(r"VERSION (\S+)", (sources / "CMakeLists.txt").read_text().split("project(vm-launch")[1])[1]
    run("git", "tag", f"v{version}", cwd=sources)
    assert release(sources) == (1, [f"there is no tag v{version} yet"], 3)
