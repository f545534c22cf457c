# SPDX-License-Identifier: MIT
"""What goes wrong around a manager costs whoever did it, and nobody else anything."""

import resource
import socket

from lib.scripts import HELLO
from lib.wait import wait_until

PRELOAD = 'php = {{ admin_value = ["opcache.enable=1", "opcache.preload={}", "opcache.preload_user=root"]; }};\n'


def test_a_silent_control_client_does_not_hold_the_stop(daemon):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon.runtime / "control"))
        daemon.stop(timeout=10)


def test_a_reason_in_any_encoding(daemon):
    """PHP's words need not be UTF-8, and D-Bus takes nothing else."""
    daemon.conf.write_bytes(b'php = { admin_value = ["extension=caf\xe9.so"]; };')
    result = daemon.ctl("reload", "www")
    assert result.returncode == 1 and "Unable to load" in result.stderr
    assert daemon.run(HELLO) == "hello"


def test_a_reload_while_starting_is_answered_for_itself(make_daemon):
    """It is not the start that it waits for, but a reload of its own, after that."""
    daemon = make_daemon()
    daemon.conf.write_text(PRELOAD.format(daemon.script("preload.php", "<?php sleep(1);")))
    with daemon.launched():
        wait_until((daemon.runtime / "control").exists, what="the control socket")
        daemon.conf.write_text("nonsense = 1;")
        result = daemon.ctl("reload", "www")
        assert result.returncode == 1 and "nonsense" in result.stderr
        assert daemon.run(HELLO) == "hello"


def test_a_template_that_writes_without_end(make_daemon):
    """It keeps the manager from nothing: the deadline of its start passes as ever."""
    with make_daemon() as daemon:
        script = daemon.script("preload.php", "<?php $f = fopen('php://stderr', 'w'); for (;;) fwrite($f, 'on and ');")
        daemon.conf.write_text(PRELOAD.format(script) + 'reload = { start_timeout = "1s"; };')
        result = daemon.ctl("reload", "www")
        assert result.returncode == 1 and "start_timeout" in result.stderr
        assert daemon.run(HELLO) == "hello"


def test_scripts_have_the_limit_on_descriptors_that_they_were_given(daemon):
    """The manager raises its own: it may hold thousands of connections, and never calls select(2)."""
    limit = "<?php echo posix_getrlimit()['soft openfiles'];"
    assert daemon.run(limit) == str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
