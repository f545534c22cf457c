# SPDX-License-Identifier: MIT
"""A FastCGI client, written from the specification (1.0). It sends what a test wants, also what is wrong."""

import socket
import struct

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = range(9, 12)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1
REQUEST_COMPLETE, CANT_MPX_CONN, OVERLOADED, UNKNOWN_ROLE = range(4)
CONTENT_MAX = 65535


class Lost(Exception):
    """The connection ended before the answer did."""


def record(kind, content=b"", request_id=1, padding=0, version=1):
    """The bytes of one record."""
    header = struct.pack("!BBHHBx", version, kind, request_id, len(content), padding)
    return header + content + b"\0" * padding


def begin(role=RESPONDER, keep=False, request_id=1):
    return record(BEGIN_REQUEST, struct.pack("!HB5x", role, KEEP_CONN if keep else 0), request_id)


def encode_length(n):
    return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 0x80000000)


def encode_pairs(pairs):
    """Names and values in the form of a PARAMS or GET_VALUES stream."""
    out = bytearray()
    for name, value in pairs.items():
        name, value = (x if isinstance(x, bytes) else str(x).encode() for x in (name, value))
        out += encode_length(len(name)) + encode_length(len(value)) + name + value
    return bytes(out)


def decode_pairs(data):
    pairs, at = {}, 0

    def length():
        nonlocal at
        n = data[at]
        at += 1
        if n & 0x80:
            n = (n & 0x7F) << 24 | int.from_bytes(data[at:at + 3], "big")
            at += 3
        return n

    while at < len(data):
        name_length, value_length = length(), length()
        name = data[at:at + name_length]
        at += name_length
        pairs[name.decode()] = data[at:at + value_length].decode()
        at += value_length
    return pairs


def stream(kind, data, request_id=1, chunk=CONTENT_MAX):
    """A stream of records with the empty one that ends it."""
    parts = [record(kind, data[i:i + chunk], request_id) for i in range(0, len(data), chunk)]
    return b"".join(parts) + record(kind, b"", request_id)


def whole(params, body=b"", role=RESPONDER, keep=False, request_id=1, chunk=CONTENT_MAX):
    """A whole request, with these bytes as the content of its PARAMS stream."""
    return (begin(role, keep, request_id) + stream(PARAMS, params, request_id, chunk)
            + stream(STDIN, body, request_id))


def parameters(script, method="GET", uri=None, query="", body_length=0, extra=None):
    """What a web server would send; `extra` adds, replaces, and with None leaves out."""
    params = {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "test",
        "SERVER_NAME": "localhost", "SERVER_ADDR": "127.0.0.1", "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "1234", "HTTP_HOST": "localhost",
        "REQUEST_METHOD": method, "QUERY_STRING": query, "DOCUMENT_ROOT": script.rpartition("/")[0],
        "SCRIPT_FILENAME": script, "SCRIPT_NAME": "/" + script.rpartition("/")[2],
        "REQUEST_URI": uri or "/" + script.rpartition("/")[2] + ("?" + query if query else ""),
    }
    if method != "GET" or body_length:
        params["CONTENT_LENGTH"] = body_length
        params["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    for name, value in (extra or {}).items():
        if value is None:
            params.pop(name, None)
        else:
            params[name] = value
    return params


class Response:
    """One answer: the CGI headers, the body, what came on STDERR, and how the request ended."""

    def __init__(self, out, err, app_status, protocol_status):
        self.out, self.err = bytes(out), bytes(err)
        self.app_status, self.protocol_status = app_status, protocol_status
        head, _, self.body = self.out.partition(b"\r\n\r\n")
        self.headers = []
        for line in head.split(b"\r\n") if head else []:
            name, _, value = line.partition(b":")
            self.headers.append((name.decode(), value.strip().decode()))

    def header(self, name):
        """The value of the first header of this name, or None."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    @property
    def status(self):
        return int((self.header("Status") or "200").split()[0])

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"<Response {self.status} {self.headers} {self.body[:200]!r} stderr={self.err[:200]!r}>"


class Connection:
    """A connection to a FastCGI server over a connected socket, which it owns."""

    def __init__(self, sock):
        self.sock = sock
        self.reader = sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def read_record(self):
        """The next (type, request id, content), or None at the end of the connection."""
        header = self.reader.read(8)
        if not header:
            return None
        if len(header) < 8:
            raise Lost("connection ended inside a record's header")
        version, kind, request_id, length, padding = struct.unpack("!BBHHBx", header)
        if version != 1:
            raise Lost(f"record of version {version}")
        content = self.reader.read(length + padding)
        if len(content) < length + padding:
            raise Lost("connection ended inside a record")
        return kind, request_id, content[:length]

    def start(self, script, method="GET", body=b"", keep=False, extra=None, request_id=1, query="",
              uri=None):
        """Sends a whole request without waiting for the answer."""
        params = parameters(script, method, uri, query, len(body), extra)
        self.send(whole(encode_pairs(params), body, keep=keep, request_id=request_id))

    def output(self, request_id=1):
        """Yields (STDOUT or STDERR, content) as it comes, at last (END_REQUEST, content)."""
        while True:
            got = self.read_record()
            if got is None:
                raise Lost("connection ended without an answer")
            kind, got_id, content = got
            if got_id != request_id:
                raise Lost(f"record for request {got_id}")
            yield kind, content
            if kind == END_REQUEST:
                return

    def response(self, request_id=1):
        """Reads one whole answer."""
        streams = {STDOUT: bytearray(), STDERR: bytearray()}
        for kind, content in self.output(request_id):
            if kind == END_REQUEST:
                app_status, protocol_status = struct.unpack("!IB3x", content)
                return Response(streams[STDOUT], streams[STDERR], app_status, protocol_status)
            streams[kind] += content

    def request(self, script, **kwargs):
        self.start(script, **kwargs)
        return self.response(kwargs.get("request_id", 1))

    def get_values(self, *names):
        self.send(record(GET_VALUES, encode_pairs({name: "" for name in names}), 0))
        kind, _, content = self.read_record()
        assert kind == GET_VALUES_RESULT, kind
        return decode_pairs(content)

    def ended(self):
        """Waits for the server's end of the connection; true when it closed it without a further byte."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True


def connect_unix(path, timeout=30):
    """A connected Connection; the time-out holds for each later call as well."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(str(path))
    except BaseException:
        sock.close()
        raise
    return Connection(sock)


def connect_tcp(host, port, source=None, timeout=30):
    """The same over TCP; `source` is the client's own address."""
    return Connection(socket.create_connection((host, port), timeout, (source, 0) if source else None))


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
