# SPDX-License-Identifier: Apache-2.0
"""A neighbour that takes every connection, reads what it is sent, and never answers."""

import selectors
import socket
import threading

from lab.parts import wait_for


class Hung:
    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._selector = selectors.DefaultSelector()
        self._ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._peers = set()
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._thread.start()
        return self

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._ended:
                    return
                if key.fileobj is self._listening:
                    peer, _ = self._listening.accept()
                    self._peers.add(peer)
                    self._selector.register(peer, selectors.EVENT_READ)
                elif not self._read(key.fileobj):
                    self._selector.unregister(key.fileobj)
                    self._peers.discard(key.fileobj)
                    key.fileobj.close()

    @staticmethod
    def _read(peer):
        try:
            return bool(peer.recv(65536))
        except OSError:
            return False

    def peers(self):
        """How many wait for an answer."""
        return len(self._peers)

    def waiting(self):
        """The ports of those that wait."""
        return {peer.getpeername()[1] for peer in set(self._peers)}

    def wait_for_peers(self, count):
        wait_for(lambda: self.peers() >= count, f"{count} that wait for an answer")

    def stop(self):
        """Whoever waits is told that nothing comes."""
        if not self._thread.is_alive():
            return
        self._end.send(b"x")
        self._thread.join()
        for one in (*self._peers, self._listening, self._ended, self._end):
            one.close()
