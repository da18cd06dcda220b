"""The frames that pass on a link of a lab."""

import contextlib
import socket
import threading

import lab as labs


class Frames:
    """Those on a link of a namespace that pass the test, as long as the context lasts."""

    def __init__(self, namespace, link, wanted):
        self.seen, self.wanted, self.ended = [], wanted, False
        self.socket = labs.in_namespace(namespace, lambda: self._open(link))
        self.thread = threading.Thread(target=self._read)

    @staticmethod
    def _open(link):
        every_protocol = 3  # ETH_P_ALL
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every_protocol))
        packets.bind((link, every_protocol))
        packets.settimeout(0.2)
        return packets

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.socket.close()

    def _read(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError, OSError):
                frame = self.socket.recv(2048)
                if self.wanted(frame):
                    self._saw(frame)

    def _saw(self, frame):
        self.seen.append(frame)
