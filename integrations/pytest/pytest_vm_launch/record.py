"""What a run of vm-launch told so far: its events, and the latest bytes of its streams. Pure."""

import collections
import json

# Of a boot, in their order: the names that `--until` takes.
STAGES = ("machine", "firmware", "rom", "link", "discover", "offer", "dhcp", "fetch", "script", "kernel", "os", "agent")

# A verdict before one of them was wrong.
BEYOND_FAILURE = ("kernel", "os", "agent")

# The latest that are kept: a guest may reboot without end.
EVENTS = 100_000


class Record:
    """The events, one JSON object a line, and what they say of the boot that runs (docs/events.md of vm-launch)."""

    def __init__(self):
        self.events = collections.deque(maxlen=EVENTS)
        self.reached = {}  # stage → the event that proved it
        self.verdict = None
        self.resets = 0  # by `vm-launch reset`
        self.boot_is_due = False  # after such a reset
        self._half = b""

    @property
    def stage(self):
        """The furthest one that was reached."""
        return max(self.reached, key=rank, default=None)

    def take(self, data):
        *lines, self._half = (self._half + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            self.events.append(event)
            # What is too long for an event comes without its fields.
            if not event.get("too_long") and (note := getattr(self, f"_note_{event['event']}", None)):
                note(event)

    def _note_boot(self, _):
        self.reached, self.verdict, self.boot_is_due = {}, None, False

    def _note_stage(self, event):
        stage = event.get("stage")
        if event.get("reached") and stage not in self.reached:
            self.reached[stage] = event
            if stage in BEYOND_FAILURE:
                self.verdict = None

    def _note_verdict(self, event):
        self.verdict = {key: event.get(key) for key in ("what", "why", "hint", "code")}

    def _note_end(self, event):
        self.verdict = event.get("verdict")

    def _note_qemu(self, event):
        if (event.get("data") or {}).get("reason") == "host-qmp-system-reset":
            # What is reset before anything of it was seen has no other boot.
            self.resets += 1
            self.boot_is_due = any(rank(stage) > 0 for stage in self.reached)


class Tail:
    """The latest bytes of a stream, each of which keeps its position in it."""

    def __init__(self, most):
        self.most = most
        self.data = bytearray()
        self.begin = 0

    def append(self, data):
        self.data += data
        if (over := len(self.data) - self.most) > 0:
            del self.data[:over]
            self.begin += over

    @property
    def end(self):
        return self.begin + len(self.data)

    def since(self, position):
        return bytes(self.data[max(0, position - self.begin) :])

    def text(self):
        return self.data.decode(errors="replace")


def rank(stage):
    return STAGES.index(stage) if stage in STAGES else -1
