# SPDX-License-Identifier: MIT
"""A closed loop of clients: each sends its next request when it has its answer. Counts answered and lost."""

import threading
import time


class Load:
    """
    with Load(send, clients=8) as load: … ; load.answered, load.lost

    send() makes one request and raises if the answer is not the right one. On leaving, the clients finish
    their requests. At most `limit` are sent.
    """

    def __init__(self, send, clients=8, limit=100_000):
        self.send, self.limit = send, limit
        self.answered, self.lost, self.slowest = 0, [], 0.0
        self.changed = threading.Condition()
        self.stopping = False
        self.threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for(len(self.threads))
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads), "a client of the load waits for ever"

    def wait_for(self, more, timeout=60):
        """Waits until `more` further requests have ended, well or not."""
        with self.changed:
            goal = self.answered + len(self.lost) + more
            ended = self.changed.wait_for(
                lambda: self.answered + len(self.lost) >= goal or self.stopping, timeout)
        assert ended, f"the load stands still: {self}"

    def _client(self):
        while True:
            with self.changed:
                if self.stopping or self.answered + len(self.lost) >= self.limit:
                    return
            begun, error = time.monotonic(), None
            try:
                self.send()
            except Exception as e:  # whatever it was, the request is lost
                error = f"{type(e).__name__}: {e}"
            with self.changed:
                self.slowest = max(self.slowest, time.monotonic() - begun)
                if error is None:
                    self.answered += 1
                else:
                    self.lost.append(error)
                self.changed.notify_all()

    def __repr__(self):
        return (f"<Load {self.answered} answered, {len(self.lost)} lost, slowest {self.slowest:.3f} s "
                f"{self.lost[:5]}>")
