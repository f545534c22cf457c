# SPDX-License-Identifier: MIT
"""
What a case is, and the tree of files that all cases work on. A case is a line in one of the table_*.py: a
name, the script's code, and what the request brings beyond the ordinary.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import tempfile

from compat.masks import ACCESS_FORMAT
from compat.pair import USER, Profile
from lib import fastcgi

# The largest record that PHP-FPM takes.
CHUNK = 65528

PROFILES = {profile.name: profile for profile in (
    Profile("default"),
    Profile("plain-path", ini="cgi.fix_pathinfo = 0\n"),
    Profile("decoded-path", ini="fastcgi.script_path_encoded = 0\n"),
    Profile("decoded-plain-path", ini="cgi.fix_pathinfo = 0\nfastcgi.script_path_encoded = 0\n"),
    Profile("discard-path", ini="cgi.fix_pathinfo = 0\ncgi.discard_path = 1\n"),
    Profile("doc-root", ini="doc_root = {root}/docroot\n"),
    Profile("user-dir", ini="user_dir = public_php\n"),
    # Here FPM, too, forgets what PHP_VALUE said: each of its workers serves one request.
    Profile("values", fpm="pm.max_requests=1"),
    Profile("tcp", fpm="pm.max_requests=1", tcp="127.0.0.1"),
    Profile("pool-values",
            fpm="php_value[precision]=5\nphp_admin_value[serialize_precision]=6\nphp_flag[html_errors]=off\n"
                "php_admin_value[disable_functions]=strrev,str_rot13\nphp_admin_flag[short_open_tag]=on\n"
                "php_admin_value[disable_classes]=SplStack\n",
            pool_php='value = ["precision=5", "html_errors=0"]; admin_value = ["serialize_precision=6", '
                     '"disable_functions=strrev,str_rot13", "disable_classes=SplStack", '
                     '"short_open_tag=1"];'),
    Profile("monitors", fpm="pm.status_path=/status\nping.path=/ping\npm.status_listen={dir}/status"),
    Profile("monitors-own", fpm="pm.status_path=/s/t\nping.path=/p\nping.response=\"<a b='c'> \xe4\"",
            pool='status = { path = "/s/t"; }; ping = { path = "/p"; response = "<a b=\'c\'> \xe4"; };'),
    Profile("monitors-kept", fpm="pm.status_path=/status\nping.path=/ping"),
    Profile("monitors-off", pool='status = { path = ""; }; ping = { path = ""; };'),
    Profile("access-log", fpm="access.log={dir}/access.log\naccess.suppress_path[]=/health\n"
            "access.suppress_path[]=/ping\nping.path=/ping\n" f"access.format='{ACCESS_FORMAT}'",
            pool='access = { log = "{dir}/access.log"; suppress_path = ["/health", "/ping"]; '
                 f'format = {json.dumps(ACCESS_FORMAT)}; }};'),
    Profile("access-log-default", fpm="access.log={dir}/access.log",
            pool='access = { log = "{dir}/access.log"; };'),
    Profile("access-log-tcp", tcp="127.0.0.1", fpm="access.log={dir}/access.log\naccess.format='%R %r'",
            pool='access = { log = "{dir}/access.log"; format = "%R %r"; };'),
    Profile("clients-ipv6", tcp="[::1]", fpm="listen.allowed_clients=::1",
            pool='security = { allowed_clients = ["::1"]; };'),
    Profile("clients-ipv6-other", tcp="[::1]", fpm="listen.allowed_clients=::2",
            pool='security = { allowed_clients = ["::2"]; };', refuses=True),
    Profile("clients", tcp="127.0.0.1", fpm="listen.allowed_clients=127.0.0.1,127.0.0.3",
            pool='security = { allowed_clients = ["127.0.0.1", "127.0.0.3"]; };'),
    Profile("filter", ini="filter.default = special_chars\n"),
    Profile("any-extension", fpm="security.limit_extensions=",
        pool="security = { limit_extensions = []; };"),
    Profile("time-limit", fpm="request_terminate_timeout=1s",
        pool='request = { terminate_timeout = "1s"; };'),
)}


@dataclasses.dataclass
class Case:
    name: str
    code: str = ""             # of the script; without "<?php" in front PHP is assumed. None: no script
    method: str = "GET"
    query: str = ""
    body: bytes = b""
    params: dict = dataclasses.field(default_factory=dict)  # beyond the usual ones; None leaves one out
    whole: dict = None         # the parameters, all of them
    ini: str = ""              # in a [PATH=] section of php.ini for the script's directory
    user_ini: str = ""         # in .user.ini beside the script
    files: dict = dataclasses.field(default_factory=dict)   # name -> content, beside the script
    script: str = None         # SCRIPT_FILENAME, "@" stands for the case's directory
    profile: str = "default"
    keep: bool = False
    role: int = fastcgi.RESPONDER
    raw: object = None         # function of the case's Wire that gives the chunks to send
    ends: int = 1              # how many ends of requests to wait for
    times: int = 2             # how often each server is asked: the second time comes from caches
    timeout: float = 1.5
    prepare: object = None     # function of the directory, before either server is asked
    mask: object = None        # function of the answer's bytes, and of the access log's lines: see Answer
    source: str = None         # the client's address

    def directory(self, root):
        return root / "cases" / self.name

    def filename(self, root):
        directory = self.directory(root)
        if self.script is None:
            return str(directory / "index.php")
        return self.script.replace("@", str(directory))

    def expand(self, value, root):
        if not isinstance(value, str):
            return value
        return value.replace("@ROOT", str(root)).replace("@", str(self.directory(root)))

    def parameters(self, root):
        if self.whole is not None:
            return {name: self.expand(value, root) for name, value in self.whole.items()}
        script = self.filename(root)
        extra = {name: self.expand(value, root) for name, value in self.params.items()}
        base = {"DOCUMENT_ROOT": str(self.directory(root)), "SERVER_SOFTWARE": "test/1.0"}
        return fastcgi.parameters(script, self.method, None, self.query, len(self.body), {**base, **extra})

    def chunks(self, root):
        wire = Wire(self, root)
        return self.raw(wire) if self.raw else [wire.request()]


class Wire:
    """Makes a case's bytes."""

    def __init__(self, case, root):
        self.case, self.root = case, root

    def params(self, **extra):
        params = {**self.case.parameters(self.root), **extra}
        return fastcgi.encode_pairs({name: value for name, value in params.items() if value is not None})

    def request(self, keep=None, id=1, body=None, **extra):
        body = self.case.body if body is None else body
        keep = self.case.keep if keep is None else keep
        return (fastcgi.begin(self.case.role, keep, id)
            + fastcgi.stream(fastcgi.PARAMS, self.params(**extra), id, CHUNK)
                + fastcgi.stream(fastcgi.STDIN, body, id, CHUNK))


class Tree:
    """The files of all cases, below a directory that the servers' user can read. A context manager."""

    def __init__(self, cases):
        self.cases = cases

    def __enter__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="php-pool-compat-", dir="/tmp"))
        self.root.chmod(0o755)
        (self.root / "probe.php").write_text("<?php echo 'probe';")
        (self.root / "dump.php").write_text(DUMP)
        for name in ("sessions", "uploads", "docroot"):
            (self.root / name).mkdir()
            os.chown(self.root / name, USER.pw_uid, USER.pw_gid)
        for case in self.cases:
            self.write(case)
        return self.root

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def write(self, case):
        directory = case.directory(self.root)
        directory.mkdir(parents=True)
        files = dict(case.files)
        if case.code is not None:
            files.setdefault("index.php", case.code)
        if case.user_ini:
            files[".user.ini"] = case.expand(case.user_ini, self.root)
        for name, content in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str) and name.endswith(".php") and not content.startswith(("<", "#")):
                content = "<?php " + content
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def sections(cases, root):
    """The [HOST=] and [PATH=] sections of php.ini."""
    hosts = "[HOST=special.example]\nprecision = 11\nmemory_limit = 88M\n"
    return hosts + "".join(f"[PATH={case.directory(root)}]\n{case.expand(case.ini, root)}\n"
        for case in cases if case.ini)


def clean(root):
    """What requests leave behind, before the next one."""
    for name in ("sessions", "uploads"):
        for path in (root / name).iterdir():
            path.unlink(missing_ok=True)  # who wrote it may be about to


DUMP = r"""<?php
function dump($array = null) {
    $array ??= $_SERVER;
    unset($array['REQUEST_TIME'], $array['REQUEST_TIME_FLOAT']);
    foreach ($array as $name => $value)
        echo $name, '=', var_export($value, true), "\n";
}
"""


def record(kind, content=b"", id=1, **kwargs):
    return fastcgi.record(kind, content, id, **kwargs)


def multipart(*parts, boundary="XX", end=True):
    """A multipart/form-data body: (name, content) for a field, (name, filename, content) for a file."""
    out = b""
    for part in parts:
        filename = f'; filename="{part[1]}"' if len(part) == 3 else ""
        kind = "\r\nContent-Type: text/plain" if len(part) == 3 else ""
        content = part[-1] if isinstance(part[-1], bytes) else part[-1].encode()
        head = f'Content-Disposition: form-data; name="{part[0]}"{filename}{kind}'
        out += (f"--{boundary}\r\n{head}\r\n\r\n".encode()
                + content + b"\r\n")
    return out + (f"--{boundary}--\r\n".encode() if end else b"")


MULTIPART = {"CONTENT_TYPE": "multipart/form-data; boundary=XX"}
