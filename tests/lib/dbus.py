# SPDX-License-Identifier: MIT
"""
The other side of php-poolctl: a peer at a control socket, as a manager is, or as one that a script has taken over
may be. D-Bus by hand, so that it can say what no library would let it say.
"""

import contextlib
import pathlib
import socket
import struct
import threading

METHOD_RETURN, ERROR, SIGNAL = 2, 3, 4
GUID = b"0123456789abcdef" * 2


def padded(data, size):
    return data + b"\0" * (-len(data) % size)


def string(text):
    data = text.encode("utf-8", "surrogateescape")
    return struct.pack("<I", len(data)) + data + b"\0"


def signature(text):
    return struct.pack("B", len(text)) + text.encode() + b"\0"


def message(kind, serial, fields, body=b""):
    """fields: {code: (signature, marshalled value)}"""
    array = b""
    for code, (kind_of_value, value) in fields.items():
        array = padded(array, 8) + struct.pack("B", code) + signature(kind_of_value)
        array = padded(array, 4 if kind_of_value in "su" else 1) + value
    head = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), serial, len(array))
    return padded(head + array, 8) + body


def reply(to, body=b"", kind=""):
    fields = {5: ("u", struct.pack("<I", to))}
    if kind:
        fields[8] = ("g", signature(kind))
    return message(METHOD_RETURN, 1000 + to, fields, body)


def error(to, name, text):
    return message(ERROR, 1000 + to, {4: ("s", string(name)), 5: ("u", struct.pack("<I", to)),
                                      8: ("g", signature("s"))}, string(text))


def signal(body=b"", kind=""):
    fields = {1: ("o", string("/x")), 2: ("s", string("x.y")), 3: ("s", string("z"))}
    if kind:
        fields[8] = ("g", signature(kind))
    return message(SIGNAL, 7, fields, body)


def dictionary(values, at):
    """a{sv} of strings and numbers, as it stands `at` so many bytes into a body."""
    data = b""
    base = at + 4 + -(at + 4) % 8
    for key, value in values.items():
        data += b"\0" * (-(base + len(data)) % 8) + string(key)
        data += signature("s" if isinstance(value, str) else "t")
        if isinstance(value, str):
            data += b"\0" * (-(base + len(data)) % 4) + string(value)
        else:
            data += b"\0" * (-(base + len(data)) % 8) + struct.pack("<Q", value)
    return struct.pack("<I", len(data)) + b"\0" * (-(at + 4) % 8) + data


def status(pool, workers):
    """The body of the reply to GetStatus()."""
    body = dictionary(pool, 0)
    body += b"\0" * (-len(body) % 4)
    base = len(body) + 4
    data = bytearray()
    for worker in workers:
        data += b"\0" * (-(base + len(data)) % 4)
        data += dictionary(worker, base + len(data))
    return body + struct.pack("<I", len(data)) + bytes(data)


class Peer:
    """
    Listens at a path, one thread a connection, in which `behave(peer, connection)` says what it does; see the
    functions below. A context manager.
    """

    def __init__(self, path, behave):
        self.path, self.behave = pathlib.Path(path), behave
        self.calls = []  # the methods that were called

    def __enter__(self):
        self.ended = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        self.connections, self.threads = [], [threading.Thread(target=self._listen, daemon=True)]
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for one in [self.listener, *self.connections]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self.threads:
            thread.join()
        self.path.unlink()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                thread = threading.Thread(target=self._serve, args=[connection], daemon=True)
                self.threads.append(thread)
                thread.start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, EOFError):
            self.behave(self, connection)
        if connection.fileno() >= 0:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # ---- what a behaviour is made of ----

    def authenticate(self, connection):
        """Lets the client in; returns what it has sent behind that."""
        data = b""
        while b"BEGIN\r\n" not in data:
            data += receive(connection)
        words, _, rest = data.partition(b"BEGIN\r\n")
        connection.sendall((b"DATA\r\n" if b"DATA" in words else b"") + b"OK " + GUID + b"\r\n"
                           + (b"AGREE_UNIX_FD\r\n" if b"NEGOTIATE_UNIX_FD" in words else b""))
        return rest

    def each_call(self, connection):
        """(serial, method) of each call."""
        data = self.authenticate(connection)
        while True:
            while len(data) < 16:
                data += receive(connection)
            body, serial, fields = struct.unpack("<III", data[4:16])
            size = 16 + fields + -fields % 8 + body
            while len(data) < size:
                data += receive(connection)
            method = next(m for m in ("GetStatus", "Reload", "Stop", "Ping") if f"\0{m}\0".encode() in data[:size])
            data = data[size:]
            self.calls.append(method)
            yield serial, method


def receive(connection):
    data = connection.recv(65536)
    if not data:
        raise EOFError
    return data


# ---- behaviours ----

def silent(peer, _):
    peer.ended.wait()


def closes(_, connection):
    connection.recv(1)


def garbage(peer, connection):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
    peer.ended.wait()


def never_answers(peer, connection):
    for _ in peer.each_call(connection):
        pass


def closes_at_the_call(peer, connection):
    next(peer.each_call(connection))


def garbage_for_an_answer(peer, connection):
    for _ in peer.each_call(connection):
        connection.sendall(b"\xff" * 100000)


def only_says_that_it_lives(peer, connection):
    for serial, method in peer.each_call(connection):
        if method == "Ping":
            connection.sendall(reply(serial))


def flood(peer, connection):
    """Signals without end, and no answer."""
    next(peer.each_call(connection))
    while True:
        connection.sendall(signal() * 1000)


def endless_message(peer, connection):
    """A message of a megabyte that comes a few bytes at a time: for hours."""
    serial, _ = next(peer.each_call(connection))
    connection.sendall(struct.pack("<cBBBIII", b"l", METHOD_RETURN, 0, 1, 1 << 20, 5, 8))
    while not peer.ended.wait(0.05):
        connection.sendall(b"\0" * 10)


def large_messages(peer, connection):
    """Megabytes without end."""
    next(peer.each_call(connection))
    body = string("x" * (1 << 20))
    while True:
        connection.sendall(signal(body, "s"))


def endless_authentication(peer, connection):
    while not peer.ended.wait(0.01):
        connection.sendall(b"DATA\r\n")


def trickled_authentication(peer, connection):
    while not peer.ended.wait(0.01):
        connection.sendall(b"x")


def answers_nonsense(peer, connection):
    """Replies of the right form that fit no question."""
    for serial, _ in peer.each_call(connection):
        connection.sendall(reply(serial, string("?"), "s"))


def fails_with(text, name="org.phppool.Error.ReloadFailed"):
    def behave(peer, connection):
        for serial, _ in peer.each_call(connection):
            connection.sendall(error(serial, name, text))
    behave.text = f"{name}: {text!r}"
    return behave


def says(pool, workers=()):
    def behave(peer, connection):
        for serial, method in peer.each_call(connection):
            if method == "GetStatus":
                connection.sendall(reply(serial, status(pool, workers), "a{sv}aa{sv}"))
            else:
                connection.sendall(reply(serial))
            if method == "Stop":
                return
    return behave
