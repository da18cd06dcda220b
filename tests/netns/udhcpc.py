"""busybox's DHCP client, and what it learnt."""

import contextlib
import os
import subprocess
import time

import guest as guests

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# What a client waits for on a busy machine; a search is repeated after a second.
PATIENCE = ("-t", "30", "-T", "1")

SCRIPT = """#!/bin/sh
{ echo "event=$1"; env; echo; } >>"$TOLD"
case $1 in
    deconfig) ip -4 addr flush dev "$interface" ;;
    bound | renew) ip addr replace "$ip/$mask" dev "$interface" ;;
esac
"""


class Udhcpc:
    """On the link of a namespace, which `inside` makes command lines for; the files are in a folder of its own."""

    def __init__(self, inside, folder, link=guests.LINK):
        self.inside, self.link = inside, link
        self.script, self.told = folder / "udhcpc", folder / "told"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)

    def _command(self, *options):
        words = ("busybox", "udhcpc", "-f", "-i", self.link, "-s", self.script, *PATIENCE, *options)
        return self.inside("env", "-i", f"PATH={PATH}", f"TOLD={self.told}", *words)

    def lease(self, *options):
        """What it is given, by the names of its script's variables; it ends, and gives nothing back."""
        known = len(self.events())
        subprocess.run(self._command("-q", "-n", *options), capture_output=True, check=True, timeout=guests.CLIENT_DEADLINE)
        return next(event for event in self.events()[known:] if event["event"] == "bound")

    def events(self):
        """Those that its script has written down whole."""
        text = self.told.read_text() if self.told.exists() else ""
        return [dict(line.split("=", 1) for line in part.splitlines()) for part in text.split("\n\n")[:-1]]

    @contextlib.contextmanager
    def running(self, *options):
        with subprocess.Popen(self._command(*options), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            try:
                yield client
            finally:
                client.kill()

    def wait_for(self, event, past=0):
        """The first one of this name that comes after so many of all."""
        end = time.monotonic() + guests.CLIENT_DEADLINE
        while not (found := [told for told in self.events()[past:] if told["event"] == event]):
            assert time.monotonic() < end, f"no {event}; so far {[told['event'] for told in self.events()]}"
            time.sleep(0.02)
        return found[0]
