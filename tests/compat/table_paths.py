# SPDX-License-Identifier: MIT
"""Which script a request runs, and what becomes of the variables that name it."""

import os

from compat.case import Case as C

DUMP = r"""<?php
require $_SERVER['TREE'] . '/dump.php';
dump();
var_dump(__FILE__, getcwd(), getenv('PATH_INFO'), getenv('SCRIPT_NAME'), getenv('ORIG_PATH_INFO'));
"""
FILES = {
    "index.php": DUMP,
    "dir/a.php": DUMP,
    "dir/sub/b.php": DUMP,
    "page.phar": DUMP,
    "text.txt": DUMP,
    "noext": DUMP,
    "a b.php": DUMP,
    "100%.php": DUMP,
    "ä.php": DUMP,
    "UPPER.PHP": DUMP,
    ".php": DUMP,
    "x.php.txt": DUMP,
    "back\\slash.php": DUMP,
    "dir.php/c.php": DUMP,
    "..dots.php": DUMP,
    "empty.php": b"",
}


def prepare(directory):
    """What is more than files; called again before each server's turn."""
    for name, target in (("link.php", "index.php"), ("linkdir", "dir"), ("dangling.php", "nowhere"),
        ("loop.php", "loop.php"),
                         ("link.txt", "index.php"), ("txtlink.php", "text.txt")):
        if not os.path.lexists(directory / name):
            (directory / name).symlink_to(target)
    for name in ("unreadable.php", "closed/in.php"):
        path = directory / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(DUMP)
    (directory / "unreadable.php").chmod(0)
    (directory / "closed").chmod(0)
    if not (directory / "fifo.php").exists():
        os.mkfifo(directory / "fifo.php", 0o600)


def requests(name, **params):
    """
    The same parameters under each rule of cgi.fix_pathinfo and cgi.discard_path; what Apache's proxy sends, as well
    under fastcgi.script_path_encoded=0, which PHP knows from 8.5 on.
    """
    base = {"DOCUMENT_ROOT": "@", "REQUEST_METHOD": "GET", "QUERY_STRING": "q=1", "TREE": "@ROOT"}
    whole = {k: v for k, v in {**base, **params}.items() if v is not None}
    decoded = ("decoded-path", "decoded-plain-path") if name.startswith("proxy") else ()
    for profile in ("default", "plain-path", "discard-path", *decoded):
        yield C(f"path-{name}-{profile}", None, whole=whole, files=FILES, prepare=prepare, profile=profile)


def path(filename, script=None, info=None, translated=None, **params):
    """The parameters that matter here."""
    named = {"SCRIPT_FILENAME": filename, "SCRIPT_NAME": script, "PATH_INFO": info,
        "PATH_TRANSLATED": translated}
    return {k: v for k, v in {**named, **params}.items() if v is not None}


PROXY = "proxy:fcgi://127.0.0.1:9000"
REQUESTS = {
    "plain": path("@/index.php", "/index.php"),
    "sub": path("@/dir/sub/b.php", "/dir/sub/b.php"),
    "nginx-info": path("@/index.php", "/index.php", "/x/y"),
    "nginx-info-empty": path("@/index.php", "/index.php", ""),
    "nginx-unsplit": path("@/index.php/x/y", "/index.php/x/y", ""),
    "nginx-unsplit-info": path("@/index.php/x/y", "/index.php/x/y", "/index.php/x/y"),
    "nginx-unsplit-same-info": path("@/index.php/x/y", "/index.php", "/x/y"),
    "nginx-unsplit-longer-info": path("@/index.php/x/y", "/index.php", "/z/x/y"),
    "nginx-unsplit-shorter-info": path("@/index.php/x/y", "/index.php", "/y"),
    "nginx-unsplit-no-info": path("@/index.php/x/y", "/index.php/x/y"),
    "nginx-translated": path("@/index.php", "/index.php", "/x", "@/x"),
    "nginx-info-php": path("@/index.php", "/index.php", "/text.txt/x.php"),
    "nginx-txt-info": path("@/text.txt/x.php", "/text.txt/x.php", ""),
    "slash": path("@/index.php/", "/index.php/"),
    "slash-info": path("@/index.php/", "/index.php/", "/"),
    "slashes": path("@//dir//a.php", "//dir//a.php"),
    "slashes-info": path("@/index.php//x", "/index.php//x", "//x"),
    "info-slashes-end": path("@/index.php/x//", "/index.php/x//", "/index.php/x//"),
    "proxy": path(f"{PROXY}@/index.php", "/index.php"),
    "proxy-info": path(f"{PROXY}@/index.php/x/y", "/index.php/x/y"),
    "proxy-info-sent": path(f"{PROXY}@/index.php/x/y", "/index.php", "/x/y"),
    "proxy-info-other": path(f"{PROXY}@/index.php/x/y", "/index.php", "/other"),
    "proxy-info-longer": path(f"{PROXY}@/index.php/x/y", "/index.php", "/more/x/y"),
    "proxy-encoded": path(f"{PROXY}@/index.php/x%20y", "/index.php/x y"),
    "proxy-encoded-raw": path(f"{PROXY}@/index.php/x%20y", "/index.php/x%20y"),
    "proxy-encoded-slash": path(f"{PROXY}@/index.php/x%2Fy", "/index.php/x/y"),
    "proxy-encoded-bad": path(f"{PROXY}@/index.php/x%zzy%", "/index.php/x%zzy%"),
    "proxy-encoded-script": path(f"{PROXY}@/a%20b.php/x", "/a b.php/x"),
    "proxy-encoded-twice": path(f"{PROXY}@/index.php/x%2520y", "/index.php/x%20y"),
    "proxy-encoded-plus": path(f"{PROXY}@/index.php/x+y%2B", "/index.php/x+y+"),
    "proxy-encoded-name-other": path(f"{PROXY}@/index.php/%41", "/other.php"),
    "proxy-encoded-no-name": path(f"{PROXY}@/index.php/%41"),
    "proxy-encoded-info-sent": path(f"{PROXY}@/index.php/x%20y", "/index.php", "/x y"),
    "proxy-encoded-info-raw": path(f"{PROXY}@/index.php/x%20y", "/index.php", "/x%20y"),
    "proxy-encoded-file": path(f"{PROXY}@/%69ndex.php", "/index.php"),
    "proxy-encoded-file-info": path(f"{PROXY}@/%69ndex.php/x%20y", "/index.php/x y"),
    "proxy-encoded-file-query": path(f"{PROXY}@/%69ndex.php/x%3Fy?a=%41", "/index.php/x?y"),
    "proxy-encoded-file-nul": path(f"{PROXY}@/index.php%00.txt", "/index.php"),
    "proxy-encoded-file-dots": path(f"{PROXY}@/dir/%2e%2e/index.php", "/index.php"),
    "proxy-encoded-file-missing": path(f"{PROXY}@/%6eone.php/x", "/none.php/x"),
    "proxy-encoded-no-root": path(f"{PROXY}@/index.php/x%20y", "/index.php/x y", DOCUMENT_ROOT=None),
    "proxy-encoded-nul": path(f"{PROXY}@/index.php/x%00y", "/index.php/x"),
    "proxy-query": path(f"{PROXY}@/index.php?a=b", "/index.php"),
    "proxy-query-info": path(f"{PROXY}@/index.php/x?a=b", "/index.php/x"),
    "proxy-questions": path(f"{PROXY}@/index.php/x?a?b", "/index.php/x"),
    "proxy-name-other": path(f"{PROXY}@/index.php/x", "/alias/index.php/x"),
    "proxy-name-without": path(f"{PROXY}@/index.php/x", "/index.php"),
    "proxy-name-only-info": path(f"{PROXY}@/index.php/x", "/x"),
    "proxy-no-name": path(f"{PROXY}@/index.php/x"),
    "proxy-no-host": path("proxy:fcgi://@/index.php", "/index.php"),
    "proxy-no-path": path("proxy:fcgi://localhost", "/index.php"),
    "proxy-no-path-query": path("proxy:fcgi://localhost?x", "/index.php"),
    "proxy-upper": path("PROXY:FCGI://h@/index.php", "/index.php"),
    "proxy-http": path("proxy:http://h@/index.php", "/index.php"),
    "proxy-balancer": path("proxy:balancer://name@/index.php/x", "/index.php/x"),
    "proxy-balancer-query": path("proxy:balancer://name@/index.php?x", "/index.php"),
    "proxy-both": path("proxy:fcgi://h/proxy:balancer://name@/index.php", "/index.php"),
    "proxy-redirect": path(f"{PROXY}@/index.php/x", "/index.php/x", REDIRECT_URL="/pretty"),
    "proxy-redirect-info": path(f"{PROXY}@/index.php", "/index.php", "/x", "@/x", REDIRECT_URL="/pretty"),
    "proxy-no-root": path(f"{PROXY}@/index.php/x", "/index.php/x", DOCUMENT_ROOT=None),
    "proxy-missing": path(f"{PROXY}@/none.php/x", "/none.php/x"),
    "cgi-redirect": path("/usr/bin/php-cgi", "/php-cgi", "/index.php/x", "@/index.php/x",
        REDIRECT_URL="/index.php/x"),
    "cgi-redirect-plain": path("/usr/bin/php-cgi", "/php-cgi", "/index.php", "@/index.php",
        REDIRECT_URL="/index.php"),
    "cgi-redirect-same": path("@/index.php", "/index.php", "/x", "@/index.php", REDIRECT_URL="/pretty"),
    "cgi-redirect-no-translated": path("@/index.php", "/index.php", "/x", REDIRECT_URL="/pretty"),
    "cgi-redirect-missing": path("/usr/bin/php-cgi", "/php-cgi", "/none.php", "@/none.php",
        REDIRECT_URL="/none.php"),
    "cgi-redirect-name-same": path("/usr/bin/php-cgi", "/index.php", "/index.php/x", "@/index.php/x",
      REDIRECT_URL="/index.php"),
    "translated-only": path(None, "/index.php", None, "@/index.php"),
    "translated-only-info": path(None, "/index.php/x", "/x", "@/index.php/x"),
    "translated-other": path("@/index.php", "/index.php", "/x", "@/dir/a.php"),
    "translated-missing": path("@/index.php", "/index.php", "/x", "@/nothing/x"),
    "translated-with-missing": path("@/none.php", "/index.php", None, "@/index.php"),
    "iis": path("@/index.php", "/index.php", "/index.php/x", SERVER_SOFTWARE="Microsoft-IIS/10.0"),
    "iis-plain": path("@/index.php", "/index.php", "/index.php", SERVER_SOFTWARE="Microsoft-IIS/10.0"),
    "iis-unsplit": path("@/index.php/x", "/index.php", "/index.php/x", SERVER_SOFTWARE="Microsoft-IIS/10.0"),
    "iis-other": path("@/index.php", "/index.php", "/other/x", SERVER_SOFTWARE="Microsoft-IIS/10.0"),
    "no-root": path("@/index.php/x", "/index.php", "/y/x", DOCUMENT_ROOT=None),
    "no-root-no-name": path("@/index.php/x", None, "/y/x", DOCUMENT_ROOT=None),
    "root-slash": path("@/index.php/x", "/index.php", "/y/x", DOCUMENT_ROOT="@/"),
    "root-slashes": path("@/index.php/x", "/index.php", "/y/x", DOCUMENT_ROOT="@//"),
    "root-empty": path("@/index.php/x", "/index.php", "/y/x", DOCUMENT_ROOT=""),
    "root-is-slash": path("@/index.php/x", "/index.php", "/y/x", DOCUMENT_ROOT="/"),
    "root-other": path("@/index.php/x", "/index.php", "/y/x", DOCUMENT_ROOT="/elsewhere"),
    "name-empty": path("@/index.php", ""),
    "name-none": path("@/index.php"),
    "name-none-info": path("@/index.php", None, "/x"),
    "name-is-info": path("@/index.php/x", "/y", "/y/x"),
    "script-empty": path("", "/index.php"),
    "script-empty-translated": path("", "/index.php", None, "@/index.php"),
    "script-slash": path("/", "/"),
    "script-relative": path("index.php", "/index.php"),
    "script-relative-missing": path("none/x.php", "/none/x.php"),
    "script-dev-null": path("/dev/null", "/x"),
    "script-etc-passwd": path("/etc/passwd", "/x"),
    "script-passwd-info": path("/etc/passwd/x.php", "/x"),
    "script-long": path("@/" + "x" * 5000 + ".php", "/x.php"),
    "script-long-info": path("@/index.php/" + "x/" * 2500, "/index.php"),
    "script-long-name": path("@/" + "x" * 300 + ".php", "/x.php"),
    "script-url": path("http://example.invalid/x.php", "/x.php"),
    "script-stream": path("php://stdin", "/x.php"),
    "script-file-url": path("file://@/index.php", "/index.php"),
    "script-phar": path("phar://@/page.phar/x.php", "/x.php"),
    "script-data": path("data:text/plain,<?php echo 1;//x.php", "/x.php"),
    "script-newline": path("@/no\nsuch.php", "/x.php"),
    "script-nul": path("@/index.php\0.txt", "/index.php"),
    "missing": path("@/none.php", "/none.php"),
    "missing-dir": path("@/none/none.php", "/none/none.php"),
    "missing-info": path("@/none.php/x/y", "/none.php/x/y", "/x/y"),
    "missing-txt": path("@/none.txt", "/none.txt"),
    "missing-no-ext": path("@/none", "/none"),
    "directory": path("@/dir", "/dir"),
    "directory-slash": path("@/dir/", "/dir/"),
    "directory-php": path("@/dir.php", "/dir.php"),
    "directory-php-slash": path("@/dir.php/", "/dir.php/"),
    "directory-php-in": path("@/dir.php/c.php", "/dir.php/c.php"),
    "directory-php-in-info": path("@/dir.php/c.php/x", "/dir.php/c.php", "/x"),
    "root-itself": path("@", "/"),
    "dots": path("@/dir/../index.php", "/dir/../index.php"),
    "dots-end": path("@/dir/..", "/dir/.."),
    "dots-start": path("../index.php", "/index.php"),
    "dots-info": path("@/index.php/../x", "/index.php/../x", "/../x"),
    "dots-name": path("@/..dots.php", "/..dots.php"),
    "dots-in-part": path("@/dir/a..php", "/dir/a..php"),
    "dots-proxy": path(f"{PROXY}@/dir/../index.php", "/index.php"),
    "dot": path("@/./index.php", "/./index.php"),
    "dot-proxy-info": path(f"{PROXY}@/./index.php/./x", "/index.php/./x"),
    "symlink": path("@/link.php", "/link.php"),
    "symlink-info": path("@/link.php/x", "/link.php/x", "/link.php/x"),
    "symlink-dir": path("@/linkdir/a.php", "/linkdir/a.php"),
    "symlink-dangling": path("@/dangling.php", "/dangling.php"),
    "symlink-loop": path("@/loop.php", "/loop.php"),
    "symlink-txt": path("@/link.txt", "/link.txt"),
    "symlink-to-txt": path("@/txtlink.php", "/txtlink.php"),
    "unreadable": path("@/unreadable.php", "/unreadable.php"),
    "unreadable-info": path("@/unreadable.php/x", "/unreadable.php/x", "/unreadable.php/x"),
    "unreadable-dir": path("@/closed/in.php", "/closed/in.php"),
    "fifo": path("@/fifo.php", "/fifo.php"),
    "ext-txt": path("@/text.txt", "/text.txt"),
    "ext-none": path("@/noext", "/noext"),
    "ext-phar": path("@/page.phar", "/page.phar"),
    "ext-upper": path("@/UPPER.PHP", "/UPPER.PHP"),
    "ext-only": path("@/.php", "/.php"),
    "ext-double": path("@/x.php.txt", "/x.php.txt"),
    "ext-txt-info": path("@/text.txt/x", "/text.txt/x", "/text.txt/x"),
    "ext-proxy-txt": path(f"{PROXY}@/text.txt/x.php", "/text.txt/x.php"),
    "name-space": path("@/a b.php", "/a b.php"),
    "name-percent": path("@/100%.php", "/100%.php"),
    "name-percent-encoded": path("@/100%25.php", "/100%25.php"),
    "name-utf8": path("@/ä.php", "/ä.php"),
    "name-backslash": path("@/back\\slash.php", "/back\\slash.php"),
    "name-backslash-info": path("@/index.php\\x", "/index.php\\x"),
    "info-utf8": path("@/index.php/ä", "/index.php/ä", "/index.php/ä"),
    "info-encoded": path("@/index.php/%2e", "/index.php/%2e", "/index.php/%2e"),
    "info-long": path("@/index.php", "/index.php", "/" + "y" * 9000),
    "empty-file": path("@/empty.php", "/empty.php"),
    "head": path("@/none.php", "/none.php", REQUEST_METHOD="HEAD"),
    "head-denied": path("@/text.txt", "/text.txt", REQUEST_METHOD="HEAD"),
    "missing-post": path("@/none.php", "/none.php", REQUEST_METHOD="POST", CONTENT_LENGTH="0"),
    "orig-sent": path("@/index.php/x", "/index.php/x", "/index.php/x", ORIG_PATH_INFO="own",
      ORIG_SCRIPT_NAME="own", ORIG_SCRIPT_FILENAME="own"),
}


def doc_root(name, profile, **params):
    return C(f"path-{name}", None, profile=profile, files=FILES,
        whole={"REQUEST_METHOD": "GET", "TREE": "@ROOT", **params})


CASES = [
    *(case for name, params in REQUESTS.items() for case in requests(name, **params)),
    C("path-any-extension-txt", None, profile="any-extension", files=FILES, whole={"SCRIPT_FILENAME":
      "@/text.txt", "REQUEST_METHOD": "GET", "TREE": "@ROOT"}),
    C("path-any-extension-none", None, profile="any-extension", files=FILES, whole={"SCRIPT_FILENAME":
      "@/noext", "REQUEST_METHOD": "GET", "TREE": "@ROOT"}),
    C("path-any-extension-directory", None, profile="any-extension", files=FILES, whole={"SCRIPT_FILENAME":
      "@/dir", "REQUEST_METHOD": "GET", "TREE": "@ROOT"}),
    C("path-any-extension-passwd", None, profile="any-extension", whole={"SCRIPT_FILENAME": "/etc/hostname",
      "REQUEST_METHOD": "GET"}),
    doc_root("doc-root", "doc-root", SCRIPT_FILENAME="@/index.php", SCRIPT_NAME="/index.php"),
    doc_root("doc-root-absolute-name", "doc-root", SCRIPT_FILENAME="@/index.php",
        SCRIPT_NAME="/in-doc-root.php"),
    doc_root("doc-root-info", "doc-root", SCRIPT_FILENAME="@/index.php/x", SCRIPT_NAME="/index.php",
      PATH_INFO="/y/x"),
    doc_root("doc-root-sent", "doc-root", SCRIPT_FILENAME="@/index.php/x", SCRIPT_NAME="/index.php",
      PATH_INFO="/y/x", DOCUMENT_ROOT="@"),
    doc_root("doc-root-missing", "doc-root", SCRIPT_FILENAME="@/none.php", SCRIPT_NAME="/none.php"),
    doc_root("doc-root-no-name", "doc-root", SCRIPT_FILENAME="@/index.php"),
    doc_root("user-dir", "user-dir", SCRIPT_FILENAME="@/index.php", SCRIPT_NAME="/~www-data/index.php"),
    doc_root("user-dir-root", "user-dir", SCRIPT_FILENAME="@/index.php", SCRIPT_NAME="/~root/index.php"),
    doc_root("user-dir-nobody", "user-dir", SCRIPT_FILENAME="@/index.php",
        SCRIPT_NAME="/~no-such-user/index.php"),
    doc_root("user-dir-plain", "user-dir", SCRIPT_FILENAME="@/index.php", SCRIPT_NAME="/index.php"),
    doc_root("user-dir-short", "user-dir", SCRIPT_FILENAME="@/index.php", SCRIPT_NAME="/~"),
]
