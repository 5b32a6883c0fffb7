# SPDX-License-Identifier: Apache-2.0
"""Modest traffic, so that there are rates: a few clients that ask, wait a little, and ask again."""

import threading
import urllib.error
import urllib.request


def call(url, key, address="127.0.0.1", body=None, timeout=30):
    """One request of the API with a key; its status, 0 when there was no answer."""
    request = urllib.request.Request(url, data=body, headers={"X-API-Key": key, "X-Forwarded-For": address})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


class Load:
    def __init__(self, urls, key, clients=4, pause=0.2):
        self.urls = urls
        self.key = key
        self.pause = pause
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(url, number), daemon=True)
                         for url in urls for number in range(clients)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join(35)

    def _ask(self, url, number):
        count = number
        while not self._end.wait(self.pause):
            count += 1
            call(url, self.key, body=b"a context" if count % 10 == 0 else None)
