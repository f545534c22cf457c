# SPDX-License-Identifier: MIT
"""What goes wrong around a manager costs whoever did it, and nobody else anything."""

import resource
import socket

from lib.scripts import HELLO


def test_a_silent_control_client_does_not_hold_the_stop(daemon):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon.control_socket))
        daemon.stop(timeout=10)


def test_a_reason_in_any_encoding(daemon):
    """PHP's words need not be UTF-8, and D-Bus takes nothing else."""
    daemon.conf.write_bytes(b'php = { admin_value = ["extension=caf\xe9.so"]; };')
    result = daemon.ctl("reload", "www")
    assert result.returncode == 1 and "Unable to load" in result.stderr
    assert daemon.run(HELLO) == "hello"


def test_scripts_have_the_limit_on_descriptors_that_they_were_given(daemon):
    """The manager raises its own: it may hold thousands of connections, and never calls select(2)."""
    limit = "<?php echo posix_getrlimit()['soft openfiles'];"
    assert daemon.run(limit) == str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
