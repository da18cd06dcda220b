"""Fixtures of the boot tests: what is booted, and runs of vm-launch that leave nothing behind."""

import contextlib
import http.server
import pathlib
import threading

import pytest

import vm


@pytest.fixture(scope="session")
def assets():
    """The folder with the test guest."""
    return vm.made_assets() / "netboot"


@pytest.fixture(scope="session")
def installer():
    """The folder with Debian's installer and its signed loaders."""
    return vm.made_assets("--debian-installer") / "debian-installer"


@pytest.fixture(scope="session")
def payloads():
    """The folder with what else people boot from a network: PXELINUX and its like for UEFI, GRUB, iPXE's own programs."""
    return vm.made_assets("--payloads") / "payloads"


@pytest.fixture(scope="session")
def ipxes():
    """Debian 12's iPXE (2019) and Debian 13's (2025), each with its program `ipxe.efi` and its ROMs, in 12/ and 13/."""
    return vm.made_assets("--ipxe") / "ipxe"


@pytest.fixture
def tmp_path():
    with vm.readable_folder("vml-boot-") as folder:
        yield folder


@pytest.fixture
def netboot(assets, tmp_path):
    """A private folder with kernel and initramfs, and no script yet."""
    folder = tmp_path / "netboot"
    folder.mkdir()
    return vm.Netboot(folder, assets)


@pytest.fixture
def boot(tmp_path):
    """boot(*arguments, **options): a run of vm-launch, not started yet; see vm.Boot."""
    if not pathlib.Path(vm.BINARY).exists():
        pytest.fail(f"{vm.BINARY} is missing: build it first, or name another in VML_BINARY")

    def make(*arguments, **options):
        return vm.Boot(tmp_path, *arguments, **options)

    return make


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *arguments: Quiet(*arguments, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://10.0.2.2:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def web_of():
    """web_of(folder): its URL over HTTP, on the host's loopback, which is 10.0.2.2 to the guest."""
    with contextlib.ExitStack() as servers:
        yield lambda folder: servers.enter_context(served(folder))
