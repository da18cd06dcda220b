"""The GitHub action and the GitLab job with the image itself, by podman in Docker's place."""

import json
import shlex
import sys
import tempfile

import pytest

from containers import DOCKER_DEFAULTS, ROOT, RUNTIME, podman  # makes the next one importable
import vm

sys.path.append(str(ROOT / "tests/integrations"))

from ci_files import BAD, GOOD, Step, job_of_the_page  # found by the line above


@pytest.fixture
def folder():
    with vm.readable_folder("vml-container-") as folder:
        yield folder


@pytest.fixture
def docker(folder):
    """The folder of a `docker` that is podman, with what the tests' podman needs beside."""
    program = folder / "bin/docker"
    program.parent.mkdir()
    flags = shlex.join([*RUNTIME, *DOCKER_DEFAULTS, "--network", "none"])
    program.write_text(f'#!/bin/sh\ncd /tmp\n[ "$1" = run ] || exec podman "$@"\nshift\nexec podman run {flags} "$@"\n')
    program.chmod(0o755)
    return program.parent


@pytest.mark.parametrize(
    ("script", "code", "summary"), [(GOOD, 0, "the guest came to script"), (BAD, 13, "cannot fetch http://")], ids=["good", "bad"]
)
def test_the_action_boots_in_the_image(image, folder, docker, script, code, summary):
    until = "os" if code else "script"
    step = Step(folder, docker, image=image, boot="./netboot", until=until, settings="MEMORY=256M\nACCEL=tcg\nGUEST_NAME=ci")
    (step.workspace / "netboot").mkdir()
    (step.workspace / "netboot/boot.ipxe").write_text(script)
    ended = step.run()
    assert ended.returncode == code, ended
    assert step.outputs()["exit-code"] == str(code) and step.outputs()["summary"].startswith(summary)
    report = json.loads((step.workspace / "vm-launch-report/boot.json").read_text())
    assert (report["exit_code"], report["name"]) == (code, "ci")


def test_the_job_boots_in_the_image(image, folder):
    """As GitLab's runner does it: the project is where the job is, and its script goes to the image's shell."""
    project = folder / "project"
    (project / "netboot").mkdir(parents=True)
    (project / "netboot/boot.ipxe").write_text(GOOD)
    job = job_of_the_page()
    assert job["image"]["entrypoint"] == [""]
    variables = [f"--env={name}={value}" for name, value in {**job["variables"], "ACCEL": "tcg"}.items()]
    ended = podman("run", "--rm", *RUNTIME, *DOCKER_DEFAULTS, "--network", "none", *variables, "-v", f"{project}:/builds/project",
                   "-w", "/builds/project", "--entrypoint", "", image, "sh", "-e", "-c", "\n".join(job["script"]),
                   check=False, cwd=tempfile.gettempdir())  # fmt: skip
    assert ended.returncode == 0, ended
    report = json.loads((project / job["variables"]["VM_LAUNCH_REPORT"] / "boot.json").read_text())
    assert report["summary"] == "the guest came to script"
