"""A TPM's state that swtpm kept is had again; what is none never reaches swtpm, which would write over it."""

import os
import pathlib
import signal

import pytest

import vm


@pytest.fixture
def kept(boot, tmp_path):
    """The arguments of a VM with a TPM, and the state that it left."""
    data = tmp_path / "data"
    data.mkdir()
    arguments = ("--tpm", "--blank-disk", "--boot-order", "hd", "--memory", "64M", "--data-dir", data)
    with boot(*arguments, capture=False) as run:
        run.wait_text("SeaBIOS")
    state = data / run.name / "tpm.state"
    assert state.read_bytes().startswith(b"nilmptws")
    return ("--name", run.name, *arguments), state


def test_what_swtpm_wrote_is_had_again(boot, kept):
    arguments, state = kept
    before = state.read_bytes()
    with boot(*arguments, capture=False) as run:
        run.wait_text("SeaBIOS")
        assert "swtpm" not in run.text("own")
    assert len(state.read_bytes()) == len(before)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda whole: b"garbage" * 300, "no state of swtpm's"),
        (lambda whole: bytes(len(whole)), "no state of swtpm's"),
        (lambda whole: whole[:1000], "it is cut off"),
    ],
)
def test_what_is_none_is_refused_before_the_start_and_left_as_it_is(kept, spoil, words):
    arguments, state = kept
    spoilt = spoil(state.read_bytes())
    state.write_bytes(spoilt)
    refused = vm.run(*arguments)
    assert refused.returncode == 3, refused.stderr
    assert str(state) in refused.stderr and words in refused.stderr and "--no-tpm" in refused.stderr
    assert state.read_bytes() == spoilt


def test_a_tpm_that_hangs_keeps_nobody_from_ending(boot, kept):
    arguments, _ = kept
    with boot(*arguments, capture=False) as run:
        run.wait_text("SeaBIOS")
        tpm = next(pid for pid in vm.processes_with(run.name.encode()) if vm.name_of(pid) == "swtpm")
        os.kill(tpm, signal.SIGSTOP)
        run.process.send_signal(signal.SIGTERM)
        run.process.wait(60)
    assert not pathlib.Path(f"/proc/{tpm}").exists()
