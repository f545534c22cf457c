# SPDX-License-Identifier: MIT
"""Requests to a pool, whatever it runs in."""


class Client:
    """For what has connect() and script()."""

    def request(self, script, **kwargs):
        """One request on a connection of its own."""
        with self.connect() as connection:
            return connection.request(script, **kwargs)

    def get(self, script, **kwargs):
        """The body of the answer to one request, which must succeed."""
        response = self.request(script, **kwargs)
        assert response.status == 200, response
        return response.text

    def run(self, code, name="page.php"):
        """Writes a script and requests it once."""
        return self.get(self.script(name, code))
