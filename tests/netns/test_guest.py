"""The guest that is a namespace, itself."""

import contextlib
import os
import subprocess

import guest as guests
import lab as labs
import pytest

MAC = "52:54:00:00:07:01"


@contextlib.contextmanager
def lent_tap():
    namespace = f"vml-lent-{os.getpid()}"
    labs.run("ip", "netns", "add", namespace)
    try:
        yield labs.in_namespace(namespace, lambda: guests.new_tap(guests.IFF_TAP | guests.IFF_NO_PI))
    finally:
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def test_what_fails_in_loses_fails_the_test():
    with lent_tap() as tap, pytest.raises(ZeroDivisionError), guests.Guest(tap, MAC) as guest:
        guest.loses = lambda frame, to_guest: 1 / 0
        guest.ip("addr", "add", "192.0.2.1/24", "dev", guests.LINK)
        guest.run("busybox", "arping", "-c", "1", "-I", guests.LINK, "192.0.2.2")
        labs.wait_until(lambda: guest.failure, guests.CLIENT_DEADLINE, "the ARP request passes")
