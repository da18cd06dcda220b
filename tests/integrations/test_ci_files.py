"""The GitHub action and the GitLab job: right by schemas of what they use, and their shell runs with real boots; `docker` is a stub
that runs vm-launch here."""

import contextlib
import json
import os
import re
import signal
import subprocess

import jsonschema
import pytest

from ci_files import ACTION, BAD, GOOD, HERE, JOBS, PIPELINE, WORKFLOW, Step, job_of_the_page, load
from integration_support import BINARY, DEADLINE, ROOT, environment
import vm


@pytest.mark.parametrize(("schema", "text"), [
    ("github-action", ACTION.read_text()),
    ("github-workflow", WORKFLOW),
    ("gitlab-ci", JOBS.read_text()),
    ("gitlab-ci", PIPELINE),
], ids=["action", "workflow", "job", "pipeline"])  # fmt: skip
def test_the_files_have_the_form_that_their_services_document(schema, text):
    rules = json.loads((HERE / f"schemas/{schema}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(rules)
    jsonschema.validate(load(text), rules, cls=jsonschema.Draft202012Validator)


def test_a_schema_that_takes_everything_would_be_none():
    action = load(ACTION.read_text())
    action["runs"]["steps"][0]["run"] += "echo ${{ inputs.boot }}\n"  # which would run what a caller writes
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(action, json.loads((HERE / "schemas/github-action.json").read_text()), cls=jsonschema.Draft202012Validator)


def test_every_variable_of_the_files_is_a_setting_or_their_own():
    known = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs/SETTINGS.md").read_text()))
    used = {**load(JOBS.read_text())[".vm-launch"]["variables"], **load(PIPELINE)["boot"]["variables"]}
    assert {name for name in used if name not in known} == {"VM_LAUNCH_IMAGE", "VM_LAUNCH_BOOT", "VM_LAUNCH_REPORT"}


# -- GitHub


def test_the_action_boots_and_gives_what_it_is_asked_for(folder):
    """With the inputs of the page's workflow, for its first firmware."""
    workflow = load(WORKFLOW)["jobs"]["boot"]
    [use] = [step for step in workflow["steps"] if step["uses"].endswith("/integrations/github@main")]
    firmware = workflow["strategy"]["matrix"]["firmware"][0]
    inputs = {name: text.replace("${{ matrix.firmware }}", firmware) for name, text in use["with"].items()}
    step = Step(folder, **{"docker-options": "--cap-add NET_RAW --cap-add MKNOD"}, **inputs)
    (step.workspace / "netboot").mkdir()
    (step.workspace / "netboot/boot.ipxe").write_text(GOOD)
    ended = step.run()
    assert ended.returncode == 0, ended
    assert step.outputs() == {"exit-code": "0", "summary": "the guest came to script"}
    report = json.loads((step.workspace / "vm-launch-report/boot.json").read_text())
    assert report["exit_code"] == 0 and report["firmware"] == firmware
    assert (step.workspace / "vm-launch-report/boot.html").exists()
    told = step.told()
    assert told["image"] == inputs["image"] and told["cap_add"] == ["NET_RAW", "MKNOD"]
    assert told["device"] == (["/dev/kvm"] if os.path.exists("/dev/kvm") else [])
    assert told["settings"] == {"BOOT_MODE": firmware, "MEMORY": "512M"}
    assert f"{step.workspace}:/workspace:ro" in told["mounts"]


def test_the_action_of_a_boot_that_fails_fails_with_its_verdict(folder):
    """And the guest gives the runner no commands: each of its lines stands between two of the action's."""
    step = Step(folder, image="image", boot="boot.ipxe", until="os", settings="MEMORY=256M\nACCEL=tcg")
    (step.workspace / "boot.ipxe").write_text("#!ipxe\necho ::error::THE GUEST SAYS\n" + BAD.split("\n", 1)[1])
    ended = step.run()
    assert ended.returncode == 13, ended
    assert step.outputs()["exit-code"] == "13" and step.outputs()["summary"].startswith("cannot fetch http://")
    assert [*step.temporary.iterdir()] == []
    lines = ended.stdout.splitlines()
    [token] = [line.removeprefix("::stop-commands::") for line in lines if line.startswith("::stop-commands::")]
    assert re.fullmatch(r"[0-9a-f]{32}", token)
    assert lines.index(f"::stop-commands::{token}") < lines.index("::error::THE GUEST SAYS") < lines.index(f"::{token}::")
    assert lines[-1].startswith("::error title=vm-launch::cannot fetch http://") and "%25" in lines[-1]


def other(folder, script, **inputs):
    """The action's step with an image that is not vm-launch's and runs the script in the report's folder."""
    return Step(folder, image="other-image", settings=f"SCRIPT={script}", **inputs)


@pytest.mark.parametrize(("script", "code", "summary"), [
    ("true", 1, "no boot: the container ended with 0, without a report that can be read"),
    ("echo broken >boot.json; exit 13", 13, "no boot: the container ended with 13"),
    ("echo broken >boot.json", 1, "no boot: the container ended with 0, without a report that can be read"),
    ("echo '{\"summary\": null}' >boot.json; exit 13", 13, "no boot: the container ended with 13"),
    ("echo 'vm-launch: error: no 100%' >&2; exit 2", 2, "vm-launch: error: no 100%"),
    ("echo words >&2; echo 'vm-launch: error[3]: no KVM' >&2; echo 'vm-launch: error: later' >&2; exit 3", 3, "vm-launch: error[3]: no KVM"),
])  # fmt: skip
def test_the_action_fails_without_a_report_and_says_why(folder, script, code, summary):
    step = other(folder, script)
    ended = step.run()
    assert ended.returncode == code, ended
    assert step.outputs() == {"exit-code": str(code), "summary": summary}
    assert ended.stdout.splitlines()[-1] == f"::error title=vm-launch::{summary.replace('%', '%25')}"


def test_what_a_guest_wrote_last_does_not_hide_the_end_of_its_words(folder):
    """The runner wants it at the beginning of a line."""
    lines = other(folder, "printf 'iPXE> '; exit 13").run().stdout.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert lines[:3] == [f"::stop-commands::{token}", "iPXE> ", f"::{token}::"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_step_that_is_cancelled_leaves_no_container_and_no_settings(folder, number):
    step = other(folder, "trap '' TERM; echo UP; while :; do sleep 0.1; done")
    with step.start() as process:
        try:
            assert any(line == "UP\n" for line in process.stdout)
            [container] = [int(file.read_text()) for file in step.temporary.glob("*/id")]
            process.send_signal(number)
            assert process.wait(DEADLINE) == 128 + number
            assert [*step.temporary.iterdir()] == []
            assert vm.wait_for_end(container, 10)
        finally:
            process.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(container, signal.SIGKILL)


@pytest.mark.parametrize(("inputs", "summary"), [
    ({"boot": "--version"}, "the input boot is what boots, and no flag"),
    ({"settings": "MEMORY=256M\nHOME\n"}, "line 2 of the input settings is not NAME=VALUE"),
])  # fmt: skip
def test_the_action_refuses_what_would_not_be_what_it_seems(folder, inputs, summary):
    step = Step(folder, image="image", **inputs)
    ended = step.run()
    assert ended.returncode == 2 and not step.call.exists()
    assert step.outputs() == {"exit-code": "2", "summary": summary}
    assert ended.stdout == f"::error title=vm-launch::{summary}\n"
    assert [*step.temporary.iterdir()] == []


def test_settings_may_have_comments_and_options_lines(folder):
    step = other(folder, "echo '{\"summary\": \"well\"}' >boot.json\n\n# of the boot\nMEMORY=1G", **{
        "docker-options": "--cap-add NET_RAW\n--cap-add MKNOD\n",
    })  # fmt: skip
    assert step.run().returncode == 0
    told = step.told()
    assert told["cap_add"] == ["NET_RAW", "MKNOD"] and told["settings"]["MEMORY"] == "1G" and len(told["settings"]) == 2


def test_the_action_tells_of_a_container_that_never_ran(folder):
    step = Step(folder, image="no-such-image")
    (step.workspace / "vm-launch-report").mkdir()
    (step.workspace / "vm-launch-report/boot.json").write_text('{"summary": "of an earlier run"}')
    ended = step.run()
    assert ended.returncode == 125
    assert step.outputs() == {"exit-code": "125", "summary": "no boot: the container ended with 125"}
    assert ended.stdout.splitlines()[-1] == "::error title=vm-launch::no boot: the container ended with 125"


# -- GitLab


def run_job(folder, script, program=BINARY, **variables):
    (folder / "bin").mkdir()
    (folder / "bin/vm-launch").symlink_to(program)
    project = folder / "project"
    (project / "netboot").mkdir(parents=True)
    (project / "netboot/boot.ipxe").write_text(script)
    job = job_of_the_page()
    given = {**job["variables"], **variables}
    ended = subprocess.run(["sh", "-e", "-c", "\n".join(job["script"])], cwd=project, env=environment([folder / "bin"], **given),
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False)  # fmt: skip
    [path] = job["artifacts"]["paths"]
    return ended, project / re.sub(r"\$(\w+)", lambda name: given[name[1]], path)


def test_the_job_boots_and_leaves_its_artifacts(folder):
    ended, artifacts = run_job(folder, GOOD)
    assert ended.returncode == 0, ended
    report = json.loads((artifacts / "boot.json").read_text())
    assert (report["summary"], report["firmware"]) == ("the guest came to script", "legacy")
    assert (artifacts / "boot.html").exists()
    assert "unknown variable" not in ended.stderr


def test_the_job_of_a_boot_that_fails_fails(folder):
    ended, artifacts = run_job(folder, BAD, UNTIL="os", VM_LAUNCH_REPORT="else where")
    assert ended.returncode == 13, ended
    assert json.loads((artifacts / "boot.json").read_text())["verdict"]["code"] == 13


def test_the_job_boots_what_its_variables_say_alone(folder):
    ended, artifacts = run_job(folder, GOOD, VM_LAUNCH_BOOT="", NETBOOT_DIR="netboot")
    assert ended.returncode == 0, ended
    assert (artifacts / "boot.json").exists()


@pytest.mark.parametrize(("variables", "code", "words"), [
    ({"VM_LAUNCH_BOOT": "--version"}, 2, "VM_LAUNCH_BOOT is what boots, and no flag"),
    ({"program": "/bin/true"}, 1, "no boot, as there is no report"),
])  # fmt: skip
def test_the_job_fails_where_nothing_booted(folder, variables, code, words):
    ended, _ = run_job(folder, GOOD, **variables)
    assert ended.returncode == code and words in ended.stderr, ended
