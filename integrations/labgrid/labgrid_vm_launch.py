"""A labgrid driver and strategy for VMs that vm-launch boots over the network.

An environment imports this module (`imports: [labgrid_vm_launch]`); docs/labgrid.md of vm-launch has one."""

import logging
import os
import re
import tempfile

import attr
from labgrid import target_factory
from labgrid.driver import Driver
from labgrid.driver.consoleexpectmixin import ConsoleExpectMixin
from labgrid.driver.exception import ExecutionError
from labgrid.protocol import ConsoleProtocol, PowerProtocol, ResetProtocol
from labgrid.step import step
from labgrid.strategy import Strategy, StrategyError
from pexpect import TIMEOUT
from pytest_vm_launch.machine import DEFAULT_TIMEOUT, Machine
from pytest_vm_launch.record import STAGES


@target_factory.reg_driver
@attr.s(eq=False)
class VMLaunchDriver(ConsoleExpectMixin, Driver, PowerProtocol, ResetProtocol, ConsoleProtocol):
    """A VM as a board: its power switch, its reset button, its serial console, and the stages of its boot.

    The board's power is the run of vm-launch: a guest that powers off ends it, and a boot that fails leaves it on, as somebody may
    type at the console; with `until` among the options it ends there.

    Args:
        boot (str): optional, what boots: a URL, or the images key of a script or a folder
        options (dict): vm-launch's settings, by the names of its flags without dashes
        qemu (list): QEMU's own arguments
        vm_launch_bin (str): the tools key of the program; without one it is looked for in PATH
        txdelay (float): seconds to wait after each byte that is sent
    """

    boot = attr.ib(default=None, validator=attr.validators.optional(attr.validators.instance_of(str)))
    options = attr.ib(factory=dict, validator=attr.validators.instance_of(dict))
    qemu = attr.ib(factory=list, validator=attr.validators.instance_of(list))
    vm_launch_bin = attr.ib(default="vm-launch", validator=attr.validators.instance_of(str))
    txdelay = attr.ib(default=0.0, validator=attr.validators.instance_of(float))
    linesep = "\n"  # of `sendline`, which labgrid asks its drivers for after version 26.0

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.logger = logging.getLogger(f"{self}:")
        self.machine = None  # the latest run: its `verdict`, `events`, `report`, …
        self._folder = None
        self._read_to = 0

    def on_activate(self):
        config = self.target.env.config
        self._binary = config.get_tool(self.vm_launch_bin) or "vm-launch"
        is_url = self.boot is None or "://" in self.boot
        self._what = self.boot if is_url else config.get_image_path(self.boot)
        self._folder = tempfile.TemporaryDirectory(prefix="labgrid-vm-launch-")

    def on_deactivate(self):
        self.off()
        self._folder.cleanup()

    # -- PowerProtocol, ResetProtocol

    @Driver.check_active
    @step()
    def on(self):
        """Starts the VM, unless it runs. It has the same name each time, from which its MAC address comes unless an option gives one."""
        if self.get():
            return
        name = re.sub(r"[^A-Za-z0-9-]+", "-", f"lg-{self.target.name}-{os.getpid()}")
        settings = {"name": name, "console_raw": True, **{key.replace("-", "_"): value for key, value in self.options.items()}}
        self.machine = Machine(self._binary, self._what, folder=self._folder.name, keyboard=True, qemu=self.qemu, **settings)
        self._read_to = 0
        self.logger.debug("started: %s", self.machine.command_line)

    @Driver.check_active
    @step()
    def off(self):
        """Pulls the plug."""
        if self.machine:
            self.machine.close()

    @Driver.check_active
    @step()
    def cycle(self):
        self.off()
        self.on()

    @Driver.check_active
    @step(result=True)
    def get(self):
        """Whether the power is on."""
        return self.machine is not None and self.machine.exit_code is None

    @Driver.check_active
    @step()
    def reset(self):
        """Presses the reset button."""
        self._running().reset()

    # -- the boot

    @Driver.check_active
    @step(args=["stage"])
    def wait_stage(self, stage, timeout=DEFAULT_TIMEOUT):
        """Waits until the boot that runs reaches the stage: see `Machine.wait_stage`. A boot that fails before is `BootFailed`,
        whose text is vm-launch's verdict and whose `code` its exit code."""
        return self._started().wait_stage(stage, timeout)

    # -- ConsoleProtocol, by ConsoleExpectMixin

    def _read(self, size=1, timeout=0.0, max_size=None):
        # labgrid gives max_size since its version 23.0.
        data, self._read_to = self._started().read_console(self._read_to, timeout, max_size)
        if data:
            return data
        self._running()
        raise TIMEOUT(f"nothing on the console within {timeout:.2f} seconds")

    def _write(self, data):
        self._running().write(data)
        return len(data)

    def _started(self):
        if self.machine is None:
            raise ExecutionError("the VM was never switched on")
        return self.machine

    def _running(self):
        if not self.get():
            raise ExecutionError(self._started().explain())
        return self.machine


@target_factory.reg_driver
@attr.s(eq=False)
class VMLaunchStrategy(Strategy):
    """Its states are `off` and the stages of a boot: `strategy.transition("os")` switches on, and waits for the stage. A boot that
    failed is switched off before, and so tried again."""

    bindings = {"vm": "VMLaunchDriver"}

    status = attr.ib(default="unknown", validator=attr.validators.instance_of(str))

    @step(args=["status"])
    def transition(self, status):
        if status not in ("off", *STAGES):
            raise StrategyError(f"no state {status!r}: there are off, {', '.join(STAGES)}")
        self.target.activate(self.vm)
        if status == "off":
            self.vm.off()
        else:
            if self.vm.machine and self.vm.machine.verdict:
                self.vm.off()
            self.vm.on()
            self.vm.wait_stage(status)
        self.status = status

    @step(args=["status"])
    def force(self, status):
        self.target.activate(self.vm)
        self.status = status
