"""dhcpcd, and what it learnt. What it keeps, and its daemon's files, are in a folder of its own, not in this machine's."""

import subprocess

import guest as guests

SCRIPT = """#!/bin/sh
{ env; echo; } >>"$(dirname "$0")/told"
"""
CONFIGURATION = """
script {folder}/dhcpcd
clientid
option domain_name_servers, tftp_server_name, subnet_mask, interface_mtu
option dhcp6_name_servers
noipv4ll
noarp
nodelay
ipv6ra_noautoconf
ia_na
timeout {seconds}
"""


class Dhcpcd:
    def __init__(self, inside, folder):
        self.inside, self.folder = inside, folder
        folder.mkdir()
        for name in ("kept", "run"):
            (folder / name).mkdir()
        (folder / "dhcpcd").write_text(SCRIPT)
        (folder / "dhcpcd").chmod(0o755)
        (folder / "conf").write_text(CONFIGURATION.format(folder=folder, seconds=guests.CLIENT_DEADLINE // 2))

    def run(self, *options):
        """A run to its end: what it said itself."""
        privately = f'mount --bind {self.folder}/kept /var/lib/dhcpcd && mount --bind {self.folder}/run /run && exec "$@"'
        client = ("dhcpcd", "-f", self.folder / "conf", "-B", "-1", *options, guests.LINK)
        ended = subprocess.run(
            self.inside("unshare", "--mount", "sh", "-c", privately, "sh", *client),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=guests.CLIENT_DEADLINE,
        )
        return ended.stdout + ended.stderr

    def told(self, reason):
        """What its script was told last for this reason, by the names of dhcpcd-run-hooks(8)."""
        parts = (self.folder / "told").read_text().split("\n\n")[:-1]
        events = [dict(line.split("=", 1) for line in part.splitlines() if "=" in line) for part in parts]
        return [event for event in events if event["reason"] == reason][-1]
