"""What scripts/release says of sources that are ready, and of each thing that is not; in a repository of its own."""

import os
import re
import shutil

import pytest

from packing import ROOT, run


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
    change(tmp_path / "cmake/packages.cmake", r'(set\(vml_maintainer "[^"]*@)[^>]+>', r"\g<1>vm-launch.test>")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def change(file, pattern, words):
    text, times = re.subn(pattern, words, file.read_text(), count=1, flags=re.DOTALL)
    assert times == 1, pattern
    file.write_text(text)


def git(folder, *words):
    """Without the settings of whoever runs the tests."""
    run("git", *words, cwd=folder, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"})


def version_of(folder):
    return re.search(r"VERSION (\S+)", (folder / "CMakeLists.txt").read_text().split("project(vm-launch")[1])[1]


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=test", "-c", "user.email=test@vm-launch.test", "commit", "-q", "-m", "test: sources")


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
    version = version_of(sources)
    git(sources, "tag", f"v{version}")
    assert release(sources) == (1, [f"there is no tag v{version} yet"], 3)


def test_where_git_does_not_answer_nothing_is_said_to_be_right(sources):
    shutil.rmtree(sources / ".git")
    (sources / ".git").write_text("gitdir: /nowhere")
    assert release(sources) == (1, ["nothing is uncommitted", f"there is no tag v{version_of(sources)} yet"], 2)


def test_packages_replace_nothing_else(tmp_path):
    (tmp_path / "mine").write_text("")
    for words, code in ((["scripts/package", tmp_path], 1), (["scripts/package", tmp_path / "new", "more"], 2), (["scripts/release", "--no-build", "x"], 2)):
        refused = run(ROOT / words[0], *words[1:], check=False)
        assert refused.returncode == code, refused
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
