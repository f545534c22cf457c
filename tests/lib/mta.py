# SPDX-License-Identifier: MIT
"""Debian's mail servers inside a Machine: installed from their packages, set up to deliver to local users."""

import fcntl
import mailbox
import shutil

from lib.debs import download
from lib.wait import wait_until

DEBS = "/srv/debs"

# Takes a message over SMTP and appends it to the mailbox of its recipients, with its envelope.
SMTP_SERVER = r'''
import socketserver

class Handler(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        sender, recipients = "", []
        self.say("220 test")
        for line in self.rfile:
            line = line.decode().strip()
            verb = line.upper()
            if verb.startswith("MAIL FROM:"):
                sender = line[10:].split(">")[0].strip(" <")
            elif verb.startswith("RCPT TO:"):
                recipients.append(line[8:].split(">")[0].strip(" <"))
            elif verb == "DATA":
                self.say("354 go on")
                body = b""
                for data in iter(self.rfile.readline, b".\r\n"):
                    body += data.removeprefix(b".").replace(b"\r\n", b"\n")
                for recipient in recipients:
                    with open("/var/mail/" + recipient.split("@")[0], "ab") as f:
                        f.write(b"From %s Thu Jan  1 00:00:00 1970\nReturn-path: <%s>\n%s\n"
                                % (sender.encode(), sender.encode(), body))
                recipients = []
            elif verb == "QUIT":
                self.say("221 bye")
                return
            self.say("250 test" if verb != "DATA" else "250 queued")

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64  # clients that find it full try again after a second, three, seven

Server(("127.0.0.1", 25), Handler).serve_forever()
'''


class Mta:
    """A mail server, by the name of its package; alice gets what it delivers to alice@localhost."""

    def __init__(self, machine, package):
        self.machine, self.package = machine, package
        self.name = package.partition("-")[0]
        self.unit = {"postfix": "postfix", "exim4": "exim4", "msmtp": "smtp-test"}[self.name]
        self.install()
        getattr(self, f"set_up_{self.name}")()

    def install(self):
        """From files, without a network."""
        self.machine.run("mkdir", "-p", DEBS)
        for deb in download(self.machine.build_dir, self.package):
            shutil.copy(deb, self.machine.path(DEBS))
        self.machine.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io --no-triggers "
                         f"-i {DEBS}/*.deb; echo 'test.example' >/etc/mailname; useradd -m alice")
        self.machine.run("test", "-x", "/usr/sbin/sendmail")

    def set_up_postfix(self):
        self.machine.run("postconf", "-e", "mydestination=localhost", "inet_interfaces=loopback-only",
                         "myhostname=test.example", "myorigin=test.example", "mailbox_command=")
        self.machine.systemctl("restart", "postfix")

    def set_up_exim4(self):
        self.machine.systemctl("restart", "exim4")

    def set_up_msmtp(self):
        self.machine.write("/etc/msmtprc", "account default\nhost 127.0.0.1\nport 25\n"
                           "from %U@test.example\nallow_from_override on\n")
        self.machine.write("/srv/smtp-test.py", SMTP_SERVER)
        self.machine.write("/etc/systemd/system/smtp-test.service",
                           "[Service]\nExecStart=/usr/bin/python3 /srv/smtp-test.py\n")
        self.machine.systemctl("daemon-reload")
        self.machine.systemctl("start", "smtp-test.service")
        wait_until(lambda: self.machine.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/25", check=False)
                   .returncode == 0)

    # ---- what it delivered ----

    def empty(self):
        self.machine.run("sh", "-c", "rm -f /var/mail/alice")

    def inbox(self):
        """What alice has got."""
        path = self.machine.path("/var/mail/alice")
        try:
            with open(path, "rb") as file:
                fcntl.lockf(file, fcntl.LOCK_SH)  # mail servers write with the lock
                box = mailbox.mbox(path, create=False)
                messages = [box.get_message(key) for key in box.keys()]
                box.close()
        except FileNotFoundError:
            return []
        return messages

    def received(self, n=1, timeout=30):
        """Waits for so many messages, and empties the mailbox."""
        messages = wait_until(lambda: got if len(got := self.inbox()) >= n else None, timeout,
                              f"{n} messages in the mailbox")
        assert len(messages) == n
        self.empty()
        return messages
