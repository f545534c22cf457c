# SPDX-License-Identifier: MIT
"""Requests to a pool, whatever it runs in."""

import fcntl


class Client:
    """For what has connect(), script(), and seen(), which says where a path of its scripts is for this process."""

    def __init__(self):
        self.gates = {}

    def gate(self, name):
        """PHP code that waits until open_gate(): for the lock on a file."""
        path = self.script(f"{name}.gate", "")
        self.gates[name] = open(self.seen(path))
        fcntl.flock(self.gates[name], fcntl.LOCK_EX)
        return f"flock(fopen('{path}', 'r'), LOCK_SH);"

    def open_gate(self, name):
        self.gates.pop(name).close()

    def open_gates(self):
        for name in list(self.gates):
            self.open_gate(name)

    def request(self, script, **kwargs):
        """One request on a connection of its own."""
        with self.connect() as connection:
            return connection.request(script, **kwargs)

    def get(self, script, **kwargs):
        """The body of the answer to one request, which must succeed."""
        response = self.request(script, **kwargs)
        assert response.status == 200, response
        return response.text

    def crash(self, script):
        """A request that its worker dies of: the connection ends without a byte."""
        with self.connect() as connection:
            connection.start(script)
            assert connection.ended()

    def run(self, code, name="page.php"):
        """Writes a script and requests it once."""
        return self.get(self.script(name, code))
