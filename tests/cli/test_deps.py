"""scripts/deps, with an apt that installs nothing."""

import os
import subprocess

import pytest

from launch import ROOT

# What packages' scripts ask before they start a service (invoke-rc.d(8)).
APT = """#!/bin/sh
[ "$1" = install ] || exit 0
sh "$VML_POLICY_RC_D" some-service start
echo $? >"$ANSWER"
exit "$APT_ENDS"
"""
FAKES = {"apt-get": APT, "apt-cache": "#!/bin/sh\n", "dpkg-query": "#!/bin/sh\nexit 1\n", "sudo": '#!/bin/sh\nshift\nexec "$@"\n'}


@pytest.fixture
def deps(tmp_path):
    for name, text in FAKES.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def run(apt_ends=0):
        own = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ANSWER": str(tmp_path / "answer"), "APT_ENDS": str(apt_ends)}
        environment = {**os.environ, **own, "VML_POLICY_RC_D": str(tmp_path / "policy-rc.d")}
        done = subprocess.run([ROOT / "scripts/deps", "test"], env=environment, capture_output=True, timeout=60)
        assert done.returncode == apt_ends, done.stderr
        return int((tmp_path / "answer").read_text())

    return run


@pytest.mark.parametrize("apt_ends", [0, 100])
def test_no_service_starts_while_packages_are_installed_and_any_may_afterwards(deps, tmp_path, apt_ends):
    forbidden = 101
    assert deps(apt_ends) == forbidden
    assert not (tmp_path / "policy-rc.d").exists()


def test_a_policy_that_the_machine_has_stays(deps, tmp_path):
    allowed = 104
    own = tmp_path / "policy-rc.d"
    own.write_text(f"exit {allowed}\n")
    assert deps() == allowed
    assert own.read_text() == f"exit {allowed}\n"
