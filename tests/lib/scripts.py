# SPDX-License-Identifier: MIT
"""Scripts that several tests serve."""

from lib import fastcgi

HELLO = "<?php echo 'hello';"

PID = "<?php echo getmypid();"

# 20 ms, as in the load that PHP-FPM loses requests of.
SHORT = "<?php usleep(20000); echo 'done';"

# Prints a first line at once, and says at the end whether its two seconds were cut short.
LONG = r"""<?php
while (ob_get_level()) ob_end_flush();
echo "begun\n";
flush();
$begun = hrtime(true);
$left = sleep(2);
echo hrtime(true) - $begun >= 1.9e9 && $left === 0 ? "whole" : "cut short, $left left";
"""


def hang(gate):
    """Says that it runs, and ends when the gate, see Client.gate(), is open."""
    return rf"""<?php
while (ob_get_level()) ob_end_flush();
echo "begun\n";
flush();
{gate}
echo "\nwhole";
"""


def streaming(pause):
    """600,000 bytes in thirty pieces, with a pause in microseconds behind each."""
    return f"""<?php
while (ob_get_level()) ob_end_flush();
for ($i = 0; $i < 30; $i++) {{ echo str_repeat('x', 20000); flush(); usleep({pause}); }}
"""


class Running:
    """A request to LONG or hang() that has begun. `pool` is anything that has connect()."""

    def __init__(self, pool, script, **kwargs):
        self.connection = pool.connect()
        self.connection.start(script, **kwargs)
        self.output = self.connection.output()
        self.text = b""
        while b"begun\n" not in self.text:
            self._take(*next(self.output))

    def _take(self, kind, content):
        if kind == fastcgi.STDOUT:
            self.text += content

    def finish(self):
        """Waits for the end; true when the script ran to its own."""
        with self.connection:
            for kind, content in self.output:
                self._take(kind, content)
        return self.text.endswith(b"\nwhole")
