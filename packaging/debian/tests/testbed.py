# SPDX-License-Identifier: MIT
"""
The machine that a test runs on, as root, with the packages installed and nothing of them running: what tests do to
it and ask it. The machine is theirs: none of them cleans up.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = next(path for path in HERE.parents if (path / "tests/lib/fastcgi.py").exists())
sys.path.insert(0, str(SOURCE / "tests"))

from lib import fastcgi, readme  # noqa: E402
from lib.debs import debs  # noqa: E402
from lib.load import Load  # noqa: E402
from lib.wait import wait_until  # noqa: E402

__all__ = ["Load", "Pool", "Restarts", "apt", "debs", "dpkg", "fastcgi", "fetch", "installed", "mappers_of_deleted",
           "newest_php", "nginx", "readme", "repack", "run", "say", "two_versions", "units", "version", "wait_until",
           "write"]

LIBEXEC = pathlib.Path("/usr/libexec/php-pool")
RELOADED = "100c40cd4a1c48c181e7987e6d628335"  # of daemon/base/messages.def
SKIPPED = 77  # what autopkgtest takes for it
ENVIRONMENT = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": ""}


def say(text):
    print(f"== {text}", flush=True)


def run(*argv, check=True, input=None, timeout=300):
    """Both outputs as one text, of which one may cut into a character of the other."""
    result = subprocess.run([str(arg) for arg in argv], env=ENVIRONMENT, input=input, text=True, errors="replace",
                            timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: status {result.returncode}\n{result.stdout}")
    return result.stdout


def apt(*args):
    return run("apt-get", "-q", "-y", "--allow-downgrades", "-o", "Dpkg::Use-Pty=0",
               "-o", "Dpkg::Options::=--force-unsafe-io", *args)


def dpkg(*args):
    return run("dpkg", "--force-unsafe-io", *args)


def write(path, text, mode=0o644):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


# ---- Packages ----

def installed(package):
    status = run("dpkg-query", "-W", "-f", "${db:Status-Status}", package, check=False)
    return status == "installed"


def version(package):
    return run("dpkg-query", "-W", "-f", "${Version}", package)


def newest_php():
    versions = [path.name.rpartition("-")[2] for path in LIBEXEC.glob("php-pool-worker-*")]
    return max(versions, key=lambda text: [int(part) for part in text.split(".")])


def two_versions():
    """The debs of the older and of the newer version; the older one is installed. Ends the test without them."""
    root = os.environ.get("PHP_POOL_DEBS")
    if not root:
        say("no debs of two versions in $PHP_POOL_DEBS")
        sys.exit(SKIPPED)
    return debs(f"{root}/1"), debs(f"{root}/2")


def repack(package, version, change=None):
    """A deb of an installed package, with another version; change(directory) may change its files first."""
    directory = pathlib.Path(tempfile.mkdtemp())
    tree = directory / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    tree.chmod(0o755)
    paths = [path for path in run("dpkg-query", "-L", package).splitlines()
             if os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path))]
    run("sh", "-c", 'tar -c --no-recursion -T - | tar -xp -C "$0"', tree, input="\n".join(paths))
    control = run("dpkg-query", "-s", package)
    control = re.sub(r"^Conffiles:\n( .*\n)*", "", control, flags=re.M)
    control = re.sub(r"^Status:.*\n", "", control, flags=re.M)
    control = re.sub(r"^Version:.*", f"Version: {version}", control, flags=re.M)
    write(tree / "DEBIAN/control", control)
    for kind in ("preinst", "postinst", "prerm", "postrm", "triggers"):
        script = pathlib.Path(run("dpkg-query", "--control-path", package, kind, check=False).strip() or "/none")
        if script.exists():
            write(tree / "DEBIAN" / kind, script.read_text(), script.stat().st_mode & 0o777)
    if change:
        change(tree)
    deb = directory / f"{package}_test.deb"
    run("dpkg-deb", "--root-owner-group", "-b", "-Znone", tree, deb)
    return str(deb)


# ---- systemd ----

def show(unit, name):
    return run("systemctl", "show", "--value", "-p", name, unit).strip()


def units(*patterns, options=("--all",)):
    """What systemd knows of them."""
    return run("systemctl", "list-units", "--plain", "--no-legend", "--full", *options, *patterns).splitlines()


# ---- Pools ----

class Pool:
    """A pool with a script that takes 100 ms and prints "done"; `text` is its file."""

    def __init__(self, name, text=""):
        self.name, self.file = name, f"/etc/php-pool/conf.d/{name}.conf"
        self.service, self.socket = f"php-pool@{name}.service", f"php-pool@{name}.socket"
        self.script = f"/srv/{name}/short.php"
        write(self.file, text)
        write(self.script, "<?php usleep(100000); echo 'done';")
        run("systemctl", "enable", "--now", self.socket)

    def connect(self):
        return fastcgi.connect_unix(f"/run/php-pool/{self.name}.sock", timeout=60)

    def get(self, code=None):
        script = self.script
        if code:
            script = f"/srv/{self.name}/page.php"
            write(script, code)
        with self.connect() as connection:
            return connection.request(script).text

    @property
    def active(self):
        return show(self.service, "ActiveState")

    @property
    def manager(self):
        return int(show(self.service, "MainPID"))

    @property
    def restarts(self):
        """How often systemd had to start it again."""
        return int(show(self.service, "NRestarts"))

    @property
    def reloads(self):
        """How many reloads were not refused."""
        return len(self.journal(f"MESSAGE_ID={RELOADED}").splitlines())

    def status(self):
        return json.loads(run("php-poolctl", "status", self.name, "--json"))

    @property
    def generation(self):
        return self.status()["generation"]

    def processes(self):
        return [int(pid) for pid in
                pathlib.Path(f"/sys/fs/cgroup{show(self.service, 'ControlGroup')}/cgroup.procs").read_text().split()]

    def journal(self, *matches):
        run("journalctl", "--sync")
        return run("journalctl", "-q", "-u", self.service, "-o", "cat", "--no-pager", *matches)


def of_process(pid, read, file):
    """What a file below /proc/PID says; nothing where the process has ended meanwhile."""
    try:
        return read(f"/proc/{pid}/{file}")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def mappers_of_deleted(pool, name):
    """The pool's processes that still have a deleted file of this name in memory."""
    return [pid for pid in pool.processes()
            if re.search(rf"{re.escape(name)}[^/]* \(deleted\)",
                         of_process(pid, lambda path: pathlib.Path(path).read_text(), "maps"))]


class Restarts:
    """Each call answers whether another manager of the pool's serves since the last one, with the files of today."""

    def __init__(self, pool):
        self.pool, self.manager = pool, pool.manager

    def __call__(self):
        before, self.manager = self.manager, self.pool.manager
        files = [of_process(pid, os.readlink, "exe") for pid in self.pool.processes()]
        return self.manager not in (0, before) and not [file for file in files if file.endswith("(deleted)")]


# ---- nginx ----

def nginx(pool):
    """nginx in front of a pool: /new/ opens a connection for each request, /kept/ keeps them."""
    write("/etc/nginx/sites-enabled/default", f"""
upstream kept {{ server unix:/run/php-pool/{pool.name}.sock; keepalive 8; }}
server {{
    listen 127.0.0.1:80;
    location /new/ {{
        include fastcgi_params;
        fastcgi_param SCRIPT_FILENAME {pool.script};
        fastcgi_pass unix:/run/php-pool/{pool.name}.sock;
    }}
    location /kept/ {{
        include fastcgi_params;
        fastcgi_param SCRIPT_FILENAME {pool.script};
        fastcgi_keep_conn on;
        fastcgi_next_upstream off;
        fastcgi_pass kept;
    }}
}}
""")
    run("systemctl", "restart", "nginx")


def fetch(path):
    with urllib.request.urlopen(f"http://127.0.0.1{path}", timeout=60) as response:
        return response.read().decode()
