# SPDX-License-Identifier: MIT
"""mail() and its like from a default pool, by Debian's Postfix, Exim and msmtp: as from PHP-FPM."""

import re

import pytest

from lib import fastcgi
from lib.client import Client
from lib.machine import Machine
from lib.manual import examples
from lib.mta import Mta
from lib.php import FPM_SERVICE, FPM_SOCKET
from lib.wait import wait_until

# Each has /usr/sbin/sendmail, and excludes the others.
PACKAGES = ["postfix", "exim4-daemon-light", "msmtp-mta"]

BODY = r"Body\n.\n=?utf-8 \xc3\xa4\nend\n"

PIPE = f"""
$p = proc_open(%s, [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], "To: Alice <alice@localhost>\\nFrom: Bob <bob@example.com>\\nSubject: Hi\\n\\n{BODY}");
fclose($pipes[0]);
echo stream_get_contents($pipes[1]), stream_get_contents($pipes[2]), json_encode(proc_close($p) === 0);
"""

PROGRAM = "explode(' ', ini_get('sendmail_path'))[0]"

MAIL_BY_BOB = "<?php var_dump(mail('alice@localhost', 'Hi', 'x', '', '-fbob@example.com'));"

# What applications do to send a message: name -> (code that prints true, php.ini settings).
FORMS = {
    "plain": (f'echo json_encode(mail("alice@localhost", "Hi", "{BODY}"));', ""),
    "WordPress": (f'echo json_encode(mail("Alice <alice@localhost>", "=?UTF-8?Q?H=C3=A4?=", "{BODY}",'
                  ' "From: WordPress <wordpress@example.com>\\r\\nMIME-Version: 1.0\\r\\n'
                  'Content-Type: text/html; charset=UTF-8\\r\\nX-Mailer: PHPMailer 6.7.1",'
                  ' "-fbounce@example.com"));', ""),
    "headers of PHP": ('echo json_encode(mail("alice@localhost", "Hi", "x", ["From" => "bob@example.com"]));',
                       "mail.add_x_header=1"),
    "forced": ('echo json_encode(mail("alice@localhost", "Hi", "x", "", "-fignored@example.com"));',
               "mail.force_extra_parameters=-fforced@example.com"),
    "PHPMailer": (PIPE % "escapeshellcmd(ini_get('sendmail_path')) . ' -oi -fbob@example.com -t'", ""),
    "Symfony": (PIPE % "ini_get('sendmail_path')", ""),
    "Roundcube": (PIPE % f"{PROGRAM} . ' -i -f bounce@example.com -- alice@localhost'", ""),
    "Sendmail's -F": (PIPE % f"{PROGRAM} . ' -t -i -F \"B. Bob\" -f bounce@example.com'", ""),
}

# What Symfony's sendmail://default and SwiftMailer do.
SMTP = f"""<?php
$p = proc_open({PROGRAM} . ' -bs', [['pipe', 'r'], ['pipe', 'w']], $pipes);
fgets($pipes[1]);
foreach (['HELO test', 'MAIL FROM:<bob@example.com>', 'RCPT TO:<alice@localhost>', 'DATA',
          "Subject: by SMTP\\r\\n\\r\\nBody\\r\\n.", 'QUIT'] as $line) {{
    fwrite($pipes[0], "$line\\r\\n");
    echo substr(fgets($pipes[1]), 0, 3), ' ';
}}
fclose($pipes[0]);
echo proc_close($p);
"""


class Fpm(Client):
    """Debian's PHP-FPM with its own pool."""

    def __init__(self, machine):
        super().__init__()
        self.machine = machine

    def script(self, name, code):
        self.machine.write(f"/srv/fpm/{name}", code)
        return f"/srv/fpm/{name}"

    def connect(self, timeout=30):
        return fastcgi.connect_unix(self.machine.path(FPM_SOCKET), timeout)


@pytest.fixture(scope="module", params=PACKAGES)
def mta(request, build_dir):
    with Machine(build_dir) as machine:
        mta = Mta(machine, request.param)
        machine.systemctl("start", FPM_SERVICE)
        yield mta


@pytest.fixture(scope="module")
def default_pool(mta):
    with mta.machine.pool("default") as pool:
        yield pool


@pytest.fixture
def pool(mta, default_pool):
    """A pool with every default; what a test has it send is sent when the test ends."""
    mta.empty()
    yield default_pool
    nothing_is_left(mta.machine)


def nothing_is_left(machine):
    """Neither in the pool, which has its manager, its template and its workers, nor outside."""

    def others():
        lines = machine.run("ps", "-eo", "pid=,user=,args=").stdout.splitlines()
        return [line for line in lines if re.search(r"sendmail -|postdrop|exim4 -Mc|msmtp -", line)
                or (line.split()[1] in ("www-data", "shop")
                    and not re.search(r"php-fpm|php-poold|php-pool-worker", line))]

    wait_until(lambda: others() == [], 30, "end of all that sends mail")


def send(client, form):
    code, ini = FORMS[form]
    path = client.script("form.php", "<?php " + code)
    extra = {"PHP_ADMIN_VALUE": ini} if ini else {}
    assert client.get(path, extra=extra) == "true"


def normal(message):
    """Without what is of its time and number, or of where the script was called."""
    text = message.as_string(unixfrom=False)
    text = re.sub(r"(?m)^(Date|Delivery-date): .*", r"\1:", text)
    text = re.sub(r"(?mi)^Message-Id: .*", "Message-Id:", text)
    text = re.sub(r"\bid [\w-]+;?", "id", text)
    return re.sub(r"\w{3}, +\d+ \w{3} \d{4} [\d:]{8} .*", "", text)


@pytest.mark.parametrize("form", FORMS)
def test_as_from_fpm(mta, pool, form):
    """The same message with the same envelope, of the same user."""
    send(Fpm(mta.machine), form)
    [theirs] = mta.received()
    send(pool, form)
    [ours] = mta.received()
    assert normal(ours) == normal(theirs)
    assert ours.get_from().split()[0] == theirs.get_from().split()[0]


def test_as_the_pools_user(mta):
    machine = mta.machine
    machine.run("useradd", "--system", "--user-group", "shop")
    mta.empty()
    with machine.pool("shop", service="[Service]\nUser=shop\nGroup=shop\n") as pool:
        assert pool.run("<?php var_dump(mail('alice@localhost', 'Hi', 'x'));") == "bool(true)\n"
        [message] = mta.received()
        assert message["From"].startswith("shop") if mta.name != "msmtp" else "shop@" in message["From"]
        uid = machine.run("id", "-u", "shop").stdout.strip()
        by = {"postfix": f"from userid {uid}", "exim4": "from shop by", "msmtp": ""}[mta.name]
        assert by in (message["Received"] or "")
        nothing_is_left(machine)
    machine.run("userdel", "shop")


def test_smtp_on_standard_input(mta, pool):
    if mta.name == "msmtp":
        pytest.skip("msmtp has no -bs")
    assert pool.run(SMTP) == "250 250 250 354 250 221 0"
    [message] = mta.received()
    assert message["Subject"] == "by SMTP" and message.get_from().split()[0] == "bob@example.com"


def test_the_mail_server_is_stopped(mta, pool):
    """What it does then is what it does for PHP-FPM: Postfix's and Exim's sendmail queue, msmtp fails."""
    code = "<?php var_dump(mail('alice@localhost', 'later', 'x'));"
    mta.machine.systemctl("stop", mta.unit)
    try:
        theirs = Fpm(mta.machine).run(code)
        assert pool.run(code) == theirs == f"bool({str(mta.name != 'msmtp').lower()})\n"
    finally:
        mta.machine.systemctl("start", mta.unit)
    if mta.name != "msmtp":
        assert [message["Subject"] for message in mta.received(2)] == ["later"] * 2


def test_many_at_once(mta, pool):
    """A newsletter: more messages than one user may have sent at the same time."""
    begun = mta.machine.journal_end()
    path = pool.script("one.php", "<?php var_dump(mail('alice@localhost', 'Hi', 'x'));")
    connections = [pool.connect(timeout=90) for _ in range(40)]
    for connection in connections:
        connection.start(path)
    texts = [connection.response().text for connection in connections]
    wrong = [text for text in texts if text != "bool(true)\n"]
    assert wrong == [], [record["MESSAGE"] for record in mta.machine.journal(since=begun)]
    mta.received(40)


# ---- What the manual prints ----

def send_mail_example(number):
    return examples("php-pool.7", "HOW TO", "Send mail")[number]


def test_programs_that_run_sendmail_themselves(mta):
    drop_in = send_mail_example(2).split("\n", 1)[1]
    mta.empty()
    code = PIPE % "'/usr/sbin/sendmail -t -i -fbob@example.com'"
    with mta.machine.pool("www", service=drop_in) as pool:
        assert pool.run("<?php " + code) == "true"
        assert pool.run(MAIL_BY_BOB) == "bool(true)\n"
        assert [message.get_from().split()[0] for message in mta.received(2)] == ["bob@example.com"] * 2
        nothing_is_left(mta.machine)


def test_msmtp_in_the_sandbox(mta):
    """For a machine without a mail server: the socket is masked, and msmtp speaks SMTP itself."""
    if mta.name != "msmtp":
        pytest.skip("its machine has no msmtp")
    conf = send_mail_example(1).split("\n", 1)[1]
    mta.empty()
    with mta.machine.pool("www", conf) as pool:
        pool.start()
        mta.machine.systemctl("stop", "php-pool-sendmail.socket", "php-pool-sendmail.service")
        code = "<?php var_dump(mail('alice@localhost', 'Hi', 'x', %s));"
        assert pool.run(code % "''") == "bool(true)\n"
        assert pool.run(code % "'From: bob@example.com'") == "bool(true)\n"
        assert pool.run(code % "'', '-fbob@example.com'") == "bool(true)\n"
        senders = [message.get_from().split()[0] for message in mta.received(3)]
        assert senders == ["www-data@example.com", "www-data@example.com", "bob@example.com"]
        read = conf.replace("--from=www-data@example.com", "--read-envelope-from")
        mta.machine.write(pool.file, read)
        pool.ctl("reload", "www")
        assert pool.run(code % "''") == "bool(false)\n"
        assert pool.run(code % "'From: bob@example.com'") == "bool(true)\n"
        assert mta.received()[0].get_from().split()[0] == "bob@example.com"


def test_a_pool_in_another_root(mta):
    machine = mta.machine
    service = examples("php-pool.7", "HOW TO", "Show a pool only part of the file system")[0]
    machine.run("sh", "-c", "mkdir -p /srv/shop/root /srv/shop/www /etc/ssl && touch /etc/resolv.conf")
    machine.write("/srv/shop/www/mail.php", MAIL_BY_BOB)
    mta.empty()
    with machine.pool("shop", service=service) as pool:
        assert pool.get("/www/mail.php") == "bool(true)\n"
        assert mta.received()[0].get_from().split()[0] == "bob@example.com"
