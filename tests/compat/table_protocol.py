# SPDX-License-Identifier: MIT
"""FastCGI itself: records in every order and form, right and wrong."""

import fcntl
import os
import socket
import struct
import termios
import time

from compat.case import CHUNK, Case as C
from lib import fastcgi
from lib.fastcgi import ABORT_REQUEST, BEGIN_REQUEST, DATA, GET_VALUES, PARAMS, STDIN, begin, record, stream

ECHO = ("echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['QUERY_STRING'], ' ', "
        "file_get_contents('php://input');")
HELLO = "echo 'hello';"
# Of a request with these, 216 bytes, each cut is a case.
SHORT = {"REQUEST_METHOD": "POST", "QUERY_STRING": "a=1", "SCRIPT_FILENAME": "@/index.php",
         "CONTENT_LENGTH": "9", "CONTENT_TYPE": "text/plain"}


def p(name, raw, code=HELLO, **kwargs):
    """What waits in vain does so for a short time, and once."""
    return C(f"protocol-{name}", code, raw=raw, **{"timeout": 0.4, "times": 1, **kwargs})


def taken(connection):
    """Waits until the server has read all that was sent, so that it sees a cut where there is one."""
    deadline = time.monotonic() + 1
    while struct.unpack("i", fcntl.ioctl(connection.sock, termios.TIOCOUTQ, b"\0" * 4))[0] > 0:
        if time.monotonic() > deadline:
            break
        os.sched_yield()


def split(at):
    def chunks(w):
        whole = w.request()
        assert at < len(whole)
        return [whole[:at], taken, whole[at:]]
    return chunks


def bytewise(w):
    return [bytes([b]) for b in w.request()]


def pairs(w, chunk, id=1, **extra):
    return stream(PARAMS, w.params(**extra), id, chunk)


def whole_pairs(w):
    """A PARAMS record for each pair."""
    params = w.case.parameters(w.root)
    return b"".join(record(PARAMS, fastcgi.encode_pairs({name: value})) for name,
        value in params.items()) + record(PARAMS)


def padded(w, n):
    return (record(BEGIN_REQUEST, struct.pack("!HB5x", 1, 0), padding=n)
        + record(PARAMS, w.params(), padding=n) + record(PARAMS)
            + record(STDIN, w.case.body, padding=n) + record(STDIN, padding=n))


def values(*names, id=0):
    return record(GET_VALUES, fastcgi.encode_pairs({name: "" for name in names}), id)


def half_close(connection):
    connection.sock.shutdown(socket.SHUT_WR)


def begun(w, id=1, keep=False):
    return begin(keep=keep, request_id=id) + pairs(w, CHUNK, id)


def keep(*requests):
    """Several requests on one connection, all sent at once."""
    return lambda w: [b"".join(w.request(keep=i < len(requests) - 1, **extra) for i,
        extra in enumerate(requests))]


POST = {"method": "POST", "body": b"some body", "code": ECHO, "params": {"CONTENT_TYPE": "text/plain"}}
CASES = [
    *(p(f"split-{at:03}", split(at), ECHO, timeout=2, body=b"some body", whole=SHORT)
      for at in range(1, 216)),
    p("bytewise", bytewise, times=2),
    p("bytewise-post", bytewise, times=2, **POST),
    *(p(f"padding-{n}", lambda w, n=n: [padded(w, n)], times=2, **POST)
      for n in (1, 2, 3, 4, 5, 6, 7, 8, 100, 254, 255)),
    p("padding-of-the-end", lambda w: [begin() + record(PARAMS, w.params()) + record(PARAMS, padding=8)
      + stream(STDIN, w.case.body)], **POST),
    p("params-record-per-pair", lambda w: [begin() + whole_pairs(w) + stream(STDIN, b"")], times=2),
    p("params-cut-pairs", lambda w: [begin() + pairs(w, 7) + stream(STDIN, b"")]),
    p("params-bytewise", lambda w: [begin() + pairs(w, 1) + stream(STDIN, b"")]),
    p("params-large-record", lambda w: [begin() + pairs(w, 65535, BIG="x" * 65000) + stream(STDIN, b"")]),
    p("params-over-a-record", lambda w: [begin() + pairs(w, CHUNK, BIG="x" * 100000) + stream(STDIN, b"")]),
    p("params-garbage", lambda w: [begin() + record(PARAMS, b"\x80\xff\xff") + stream(PARAMS, w.params())
      + stream(STDIN, b"")]),
    p("params-length-too-long", lambda w: [begin() + record(PARAMS, b"\x05\x7fshort") + record(PARAMS)
      + stream(STDIN, b"")]),
    p("params-long-form", lambda w: [begin() + record(PARAMS, w.params()
      + struct.pack("!II", 0x80000003, 0x80000002) + b"ABCde") + record(PARAMS) + stream(STDIN, b"")],
          code="var_dump($_SERVER['ABC']);"),
    p("params-none", lambda w: [begin() + record(PARAMS) + stream(STDIN, b"")]),
    p("params-missing", lambda w: [begin() + stream(STDIN, b"")]),
    p("params-too-many", lambda w: [begin() + b"".join(
      stream(PARAMS, fastcgi.encode_pairs({f"N{i}": "v" for i in range(k * 500, k * 500 + 500)}))[:-8]
      for k in range(10)) + pairs(w, CHUNK) + stream(STDIN, b"")], code="echo count($_SERVER) > 5000;"),
    p("params-too-large", lambda w: [begin() + b"".join(
      record(PARAMS, fastcgi.encode_pairs({f"N{k}": "v" * 60000})) for k in range(20)) + pairs(w, CHUNK)
      + stream(STDIN, b"")], code="echo strlen($_SERVER['N19']);"),
    *(p(f"id-{n}", lambda w, n=n: [w.request(id=n)], times=2) for n in (0, 1, 2, 255, 256, 32768, 65535)),
    *(p(f"role-{n}", lambda w, n=n: [record(BEGIN_REQUEST, struct.pack("!HB5x", n, 0)) + pairs(w, CHUNK)
      + stream(STDIN, b"")]) for n in (0, 4, 256, 65535)),
    p("role-unknown-keep", lambda w: [record(BEGIN_REQUEST, struct.pack("!HB5x", 9, 1)) + pairs(w, CHUNK)
      + stream(STDIN, b"")], keep=True),
    p("role-filter-data", lambda w: [begin(3) + pairs(w, CHUNK, FCGI_DATA_LENGTH="4",
      FCGI_DATA_LAST_MOD="0") + stream(STDIN, b"body") + stream(DATA, b"data")],
      **{**POST, "body": b"body"}),
    p("role-authorizer-no-stdin", lambda w: [begin(2) + pairs(w, CHUNK)]),
    p("flags-all", lambda w: [record(BEGIN_REQUEST, struct.pack("!HB5x", 1, 0xfe)) + pairs(w, CHUNK)
      + stream(STDIN, b"")]),
    p("flags-all-keep", lambda w: [record(BEGIN_REQUEST, struct.pack("!HB5x", 1, 0xff)) + pairs(w, CHUNK)
      + stream(STDIN, b"")], keep=True),
    p("begin-reserved", lambda w: [record(BEGIN_REQUEST, b"\0\1\0hello") + pairs(w, CHUNK) + stream(STDIN,
      b"")]),
    p("begin-short", lambda w: [record(BEGIN_REQUEST, b"\0\1\0") + pairs(w, CHUNK) + stream(STDIN, b"")]),
    p("begin-long", lambda w: [record(BEGIN_REQUEST, b"\0\1" + b"\0" * 10) + pairs(w, CHUNK) + stream(STDIN,
      b"")]),
    p("begin-twice", lambda w: [begin() + w.request()]),
    p("no-begin", lambda w: [pairs(w, CHUNK) + stream(STDIN, b"")]),
    p("version-0", lambda w: [w.request().replace(b"\1", b"\0", 1)]),
    p("version-2", lambda w: [record(BEGIN_REQUEST, struct.pack("!HB5x", 1, 0), version=2) + pairs(w, CHUNK)
      + stream(STDIN, b"")]),
    p("version-2-all", lambda w: [record(BEGIN_REQUEST, struct.pack("!HB5x", 1, 0), version=2)
      + record(PARAMS, w.params(), version=2) + record(PARAMS, version=2) + record(STDIN, version=2)]),
    p("http", lambda w: [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]),
    p("garbage", lambda w: [b"\xff" * 64]),
    p("zeros", lambda w: [b"\0" * 64]),
    p("nothing-half-close", lambda w: [half_close]),
    p("header-half-close", lambda w: [begin()[:5], half_close]),
    p("begin-half-close", lambda w: [begin(), half_close]),
    p("params-half-close", lambda w: [begin() + pairs(w, CHUNK)[:-8], half_close]),
    p("stdin-missing", lambda w: [begun(w)]),
    p("stdin-missing-half-close", lambda w: [begun(w), half_close]),
    p("stdin-missing-keep", lambda w: [begun(w, keep=True)], keep=True),
    p("stdin-partial-half-close", lambda w: [begun(w) + record(STDIN, b"some"), half_close], **POST),
    p("stdin-no-end", lambda w: [begun(w) + record(STDIN, w.case.body)], **POST),
    p("stdin-no-end-half-close", lambda w: [begun(w) + record(STDIN, w.case.body), half_close], **POST),
    p("half-close-whole", lambda w: [w.request(), half_close], times=2),
    p("half-close-keep", lambda w: [w.request(), half_close], keep=True),
    p("stdin-before-params", lambda w: [begin() + stream(STDIN, b"") + pairs(w, CHUNK)]),
    p("stdin-more-after-end", lambda w: [w.request() + stream(STDIN, b"more")]),
    p("params-after-stdin", lambda w: [w.request() + pairs(w, CHUNK)]),
    p("params-in-body", lambda w: [begun(w) + record(STDIN, b"some") + record(PARAMS, b"") + record(STDIN,
      b" body") + record(STDIN)], **POST),
    p("body-small-records", lambda w: [begun(w) + stream(STDIN, w.case.body, chunk=1)], times=2, **POST),
    p("body-padded-records", lambda w: [begun(w)
      + b"".join(record(STDIN, bytes([b]), padding=7) for b in w.case.body) + record(STDIN)], times=2,
      **POST),
    p("body-other-id", lambda w: [begun(w) + record(STDIN, b"OTHER", 2) + stream(STDIN, w.case.body)],
      **POST),
    p("params-other-id", lambda w: [begin() + record(PARAMS, fastcgi.encode_pairs({"OTHER": "1"}), 2)
      + pairs(w, CHUNK) + stream(STDIN, b"")], code="var_dump($_SERVER['OTHER'] ?? null);"),
    p("second-begin-in-body", lambda w: [begun(w) + record(STDIN, b"some") + begin(request_id=2)
      + record(STDIN, b" body") + record(STDIN)], ends=2, **POST),
    p("interleaved", lambda w: [begin() + begin(request_id=2) + pairs(w, CHUNK, 1) + pairs(w, CHUNK, 2)
      + stream(STDIN, b"", 1) + stream(STDIN, b"", 2)], ends=2),
    p("abort-before-params", lambda w: [begin() + record(ABORT_REQUEST)]),
    p("abort-in-params", lambda w: [begin() + record(PARAMS, w.params()) + record(ABORT_REQUEST)]),
    p("abort-after-params", lambda w: [begun(w) + record(ABORT_REQUEST)]),
    p("abort-in-body", lambda w: [begun(w) + record(STDIN, b"some") + record(ABORT_REQUEST)], **POST),
    p("abort-after-all", lambda w: [w.request() + record(ABORT_REQUEST)]),
    p("abort-no-request", lambda w: [record(ABORT_REQUEST) + w.request()]),
    p("abort-other-id", lambda w: [begun(w) + record(ABORT_REQUEST, b"", 2) + stream(STDIN, b"")]),
    p("abort-keep", lambda w: [begin(keep=True) + record(ABORT_REQUEST)], keep=True),
    p("unknown-type", lambda w: [record(99, b"data", 0)]),
    p("unknown-type-then", lambda w: [record(99, b"data", 0) + w.request()]),
    p("unknown-type-id", lambda w: [record(99, b"data", 1) + w.request()]),
    p("unknown-type-in-request", lambda w: [begin() + record(99, b"data", 1) + pairs(w, CHUNK)
      + stream(STDIN, b"")]),
    p("unknown-type-in-body", lambda w: [begun(w) + record(99, b"data", 1) + stream(STDIN, w.case.body)],
      **POST),
    p("stdout-from-client", lambda w: [record(fastcgi.STDOUT, b"x") + w.request()]),
    p("end-from-client", lambda w: [record(fastcgi.END_REQUEST, b"\0" * 8) + w.request()]),
    p("data-record", lambda w: [begun(w) + record(DATA, b"x") + stream(STDIN, b"")]),
    *(p(f"values-{n}", lambda w, names=names: [values(*names) + w.request()], times=2) for n, names in ((
      "conns", ("FCGI_MPXS_CONNS",)), ("all", ("FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS")), (
      "unknown", ("NO_SUCH",)), ("both", ("NO_SUCH", "FCGI_MPXS_CONNS")), ("none", ()),
      ("empty-name", ("",)))),
    p("values-only", lambda w: [values("FCGI_MPXS_CONNS"), half_close]),
    p("values-id", lambda w: [values("FCGI_MPXS_CONNS", id=5) + w.request()]),
    p("values-twice", lambda w: [values("FCGI_MPXS_CONNS") + values("FCGI_MPXS_CONNS") + w.request()]),
    p("values-with-value", lambda w: [record(GET_VALUES, fastcgi.encode_pairs({"FCGI_MPXS_CONNS": "7"}), 0)
      + w.request()]),
    p("values-in-params", lambda w: [begin() + values("FCGI_MPXS_CONNS") + pairs(w, CHUNK) + stream(STDIN,
      b"")]),
    p("values-in-body", lambda w: [begun(w) + values("FCGI_MPXS_CONNS") + stream(STDIN, w.case.body)],
      **POST),
    p("values-between", lambda w: [w.request(keep=True) + values("FCGI_MPXS_CONNS")
      + w.request(keep=False)], ends=2, code="var_dump(isset($_SERVER['FCGI_MPXS_CONNS']));"),
    p("values-malformed", lambda w: [record(GET_VALUES, b"\x20", 0) + w.request()]),
    p("values-long", lambda w: [values(*(f"N{i}" for i in range(200))) + w.request()]),
    p("values-large", lambda w: [values(*(f"N{i}" for i in range(2000))) + w.request()]),
    p("values-large-name", lambda w: [values("N" * 300, "FCGI_MPXS_CONNS") + w.request()]),
    p("keep", keep({}, {}), ends=2, times=2),
    p("keep-many", keep(*({"QUERY_STRING": f"n={i}"} for i in range(50))), ends=50, times=2, code=ECHO,
      timeout=5),
    p("keep-bodies", keep({"body": b"first", "CONTENT_LENGTH": "5"}, {"body": b"second!", "CONTENT_LENGTH":
      "7"}, {"body": b"", "CONTENT_LENGTH": "0"}), ends=3, times=2, **POST),
    p("keep-ids", lambda w: [w.request(keep=True, id=7) + w.request(keep=True, id=9)
      + w.request(keep=False, id=7)], ends=3, times=2),
    p("keep-then-close", keep({}, {}, {}), ends=3, times=2),
    p("keep-open", lambda w: [w.request(keep=True)], keep=True),
    p("keep-unread-bodies", keep(*[{"body": b"b" * 5000, "CONTENT_LENGTH": "5000"}] * 3), ends=3, times=2,
      method="POST", params={"CONTENT_TYPE": "x/y"}),
    p("keep-env-gone", keep({"EXTRA": "1"}, {}), ends=2, code="var_dump(isset($_SERVER['EXTRA']), "
      "getenv('EXTRA'));", times=2),
    p("keep-missing-script", keep({"SCRIPT_FILENAME": "/none.php"}, {}), ends=2, times=2),
    p("keep-waits", lambda w: [w.request(keep=True), w.request(keep=False)], ends=2, times=2),
    p("keep-garbage-after", lambda w: [w.request(keep=True) + b"\xff" * 16]),
    p("pipelined-no-keep", lambda w: [w.request(keep=False) + w.request(keep=False)], ends=2),
    p("stderr-and-stdout", lambda w: [w.request()], code="echo 'a'; flush(); error_log('x'); echo 'b'; "
      "flush(); error_log('y'); echo 'c';", times=2),
    p("stderr-large", lambda w: [w.request()], code="for ($i = 0; $i < 3000; $i++) error_log(\"message "
      "$i\");", times=2, timeout=3),
    p("stderr-only", lambda w: [w.request()], code="header_remove(); ini_set('default_mimetype', ''); "
      "error_log('x');", times=2),
]
