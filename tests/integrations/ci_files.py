"""The GitHub action and the GitLab job, as their runners run them; tests/container runs them too."""

import json
import re
import subprocess

import yaml

from integration_support import BINARY, DEADLINE, ROOT, Page, environment

HERE = ROOT / "tests/integrations"
ACTION = ROOT / "integrations/github/action.yml"
JOBS = ROOT / "integrations/gitlab/vm-launch.gitlab-ci.yml"
WORKFLOW = Page("github-actions.md").files[".github/workflows/netboot.yml"]
PIPELINE = Page("gitlab-ci.md").files[".gitlab-ci.yml"]

GOOD = "#!ipxe\necho ::error::THE GUEST SAYS\nsleep 60\n"
BAD = "#!ipxe\nchain missing-100%.ipxe\n"


def load(text):
    """As YAML 1.2 has it, in which `on` is a word (PyYAML knows 1.1)."""
    return {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}


class Step:
    """The action's step, run as a runner runs it: with the inputs in the environment, and `bash -e`; `docker` is the
    folder of the program of that name."""

    def __init__(self, folder, docker=HERE / "stub", **inputs):
        self.workspace = folder / "work space"
        self.workspace.mkdir()
        self.call = folder / "call"
        self.output = folder / "output"
        self.output.touch()
        action = load(ACTION.read_text())
        [self.step] = action["runs"]["steps"]
        given = {name: value["default"] for name, value in action["inputs"].items() if "default" in value}
        assert set(inputs) <= set(action["inputs"])
        self.inputs = {**given, **inputs}
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        files = {"GITHUB_WORKSPACE": self.workspace, "GITHUB_OUTPUT": self.output, "RUNNER_TEMP": self.temporary,
                 "DOCKER_CALL": self.call, "VML_BINARY": BINARY}  # fmt: skip
        self.environment = environment([docker], **{name: str(path) for name, path in files.items()})

    def start(self):
        env = {name: self.inputs[re.fullmatch(r"\$\{\{ inputs\.(\S+) \}\}", text)[1]] for name, text in self.step["env"].items()}
        # What starts the tests may ignore SIGINT, and then so would bash.
        words = ["env", "--default-signal=INT", "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.step["run"]]
        return subprocess.Popen(words, cwd=self.workspace, env={**self.environment, **env}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip

    def run(self):
        with self.start() as process:
            try:
                out, errors = process.communicate(timeout=DEADLINE)
            except BaseException:
                process.terminate()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    def outputs(self):
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    def told(self):
        return json.loads(self.call.read_text())


def job_of_the_page():
    """The page's job with what it extends, for its first machine: maps are merged, and the job's own values win."""
    job = load(PIPELINE)["boot"]
    hidden = load(JOBS.read_text())[job["extends"]]
    machine = {name: values[0] for name, values in job["parallel"]["matrix"][0].items()}
    return {**hidden, **job, "variables": {**hidden["variables"], **job["variables"], **machine}}
