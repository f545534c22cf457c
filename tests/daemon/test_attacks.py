# SPDX-License-Identifier: MIT
"""
What is known to have worked against PHP-FPM, and what somebody who can send requests, or run a script, would
try next. After each the pool goes on: the same manager, and the next client is served.
"""

import base64
import contextlib
import http.server
import json
import pathlib
import struct
import threading

import pytest

from lib import fastcgi
from lib.scripts import HELLO, Running, hang
from lib.wait import wait_until

STATIC = 'pm = { mode = "static"; max_children = %d; };\n'
OWNED = "<?php echo 'OW', 'NED';"
PREPEND = "allow_url_include=1\nauto_prepend_file=php://input"


@contextlib.contextmanager
def unharmed(daemon):
    """Whatever happens inside, the manager and its workers are the same after it, and they serve."""
    manager, workers = daemon.pid, daemon.workers()
    yield
    assert daemon.process.poll() is None and daemon.pid == manager, daemon.logged()
    hello = daemon.script("unharmed.php", HELLO)
    for _ in range(2 * len(workers)):
        assert daemon.get(hello) == "hello"
    assert daemon.workers() == workers, daemon.logged()


# ---- PATH_INFO (CVE-2019-11043) ----

SETTINGS = "<?php echo json_encode([ini_get('session.auto_start'), ini_get('short_open_tag'), ini_get('log_errors'),"\
           " ini_get('error_log'), ini_get('auto_prepend_file'), $_SERVER['PHP_VALUE'] ?? null]);"

# As in the exploit that went round: what each request of it set, in PATH_INFO's place, padded to 34 bytes.
CHAIN = ["session.auto_start=1", "short_open_tag=1", "html_errors=0", "include_path=/tmp", "auto_prepend_file=a",
         "log_errors=1", "error_reporting=2", "error_log=/tmp/a"]


def underflow(script, setting, query, padding):
    """
    What nginx makes of /index.php/PHP_VALUE%0Asetting?QQQ…: the line break defeats fastcgi_split_path_info, so
    PATH_INFO is empty, and FPM computed a place before it, by the length of what it had cut off the script.
    The query and a header of the right length put another parameter there.
    """
    tail = "/PHP_VALUE\n" + setting
    tail += ";" * (34 - len(tail))
    uri = "/" + script.rpartition("/")[2] + tail.replace("\n", "%0A")
    return {"SCRIPT_FILENAME": script + tail, "SCRIPT_NAME": "/" + script.rpartition("/")[2] + tail, "PATH_INFO": "",
            "PATH_TRANSLATED": script.rpartition("/")[0], "REQUEST_URI": f"{uri}?{'Q' * query}",
            "DOCUMENT_URI": uri, "QUERY_STRING": "Q" * query,
            "HTTP_D_PISOS": "8" + "=" * padding + "D", "HTTP_EBUT": "mamku tvoyu"}


def test_path_info_underflow(daemon):
    script = daemon.script("index.php", SETTINGS)
    normal = daemon.get(script)
    with unharmed(daemon), daemon.connect() as connection:
        for query in range(1500, 2041, 5):
            response = connection.request(script, keep=True, extra=underflow(script, CHAIN[0], query, query % 256))
            assert (response.status, response.text) == (200, normal), (query, response)
        for setting in CHAIN:
            for padding in range(0, 257, 16):
                connection.request(script, keep=True, extra=underflow(script, setting, 1735, padding))
    for _ in range(4):
        assert daemon.get(script) == normal


@pytest.mark.parametrize("tail", ["/", "//", "/a/../b", "/\n", "/%0a", "/" + "x" * 4000, "/x" * 2000, "/\xff\xfe"])
@pytest.mark.parametrize("info", ["", "/", "x", None, "/" + "y" * 5000])
def test_path_info_that_does_not_fit(daemon, tail, info):
    """PATH_INFO is shorter or longer than what is cut off the script, or there is none."""
    script = daemon.script("index.php", HELLO)
    with unharmed(daemon):
        extra = {"SCRIPT_FILENAME": script + tail, "SCRIPT_NAME": "/index.php" + tail, "PATH_INFO": info}
        assert daemon.request(script, extra=extra).status in (200, 404)


# ---- Settings that a request brings ----


@pytest.mark.parametrize("name", ["PHP_VALUE", "PHP_ADMIN_VALUE"])
def test_ini_parameters_over_tcp(make_daemon, name):
    """The known way to run code on an FPM whose port is open: the body is made a script."""
    port = fastcgi.free_port()
    with make_daemon(STATIC % 1, tcp=[f"127.0.0.1:{port}"]) as daemon:
        hello = daemon.script("hello.php", HELLO)
        with unharmed(daemon), fastcgi.connect_tcp("127.0.0.1", port) as connection:
            response = connection.request(hello, method="POST", body=OWNED.encode(), extra={name: PREPEND})
        assert response.text == "hello"
        wait_until(lambda: "which security.ini_params does not allow" in daemon.logged(), what="a line about it")
        # The attack itself is sound: over the Unix socket, the web server's, it is a feature.
        response = daemon.request(hello, method="POST", body=OWNED.encode(), extra={name: PREPEND})
        assert response.text == "OWNEDhello"
        assert daemon.request(hello, method="POST", body=OWNED.encode()).text == "hello"


# ---- Parameters that look like something else ----


def test_http_proxy(daemon):
    """A header "Proxy:" is no setting for HTTP clients (CVE-2016-5385)."""
    script = daemon.script("proxy.php", """<?php echo json_encode([getenv('HTTP_PROXY'), getenv('HTTP_PROXY', true),
        getenv()['HTTP_PROXY'] ?? null, $_SERVER['HTTP_PROXY'] ?? null, $_ENV['HTTP_PROXY'] ?? null,
        getenv('http_proxy'), shell_exec('echo -n $HTTP_PROXY $http_proxy')]);""")
    extra = {"HTTP_PROXY": "http://evil/"}
    assert json.loads(daemon.get(script, extra=extra)) == [False, False, None, None, None, False, None]


NAMES = ["_SERVER", "_GET", "_POST", "_COOKIE", "_SESSION", "_FILES", "_ENV", "GLOBALS", "this", "argv", "argc",
         "_SERVER[SCRIPT_FILENAME]", "GLOBALS[_GET][x]", "_GET[x]", "a[b", "a]b[", "[x]", "a[[]]", "a" + "[a]" * 500,
         " x", ".", "", "\0", "_SERVER\0x", "PHP_SELF", "php_errormsg", "x" * 10000]


@pytest.mark.parametrize("name", NAMES, ids=[str(i) for i in range(len(NAMES))])
def test_parameters_with_names_of_variables(daemon, name):
    """They are entries of $_SERVER at most."""
    script = daemon.script("names.php", """<?php
        $own = ['_GET', '_POST', '_COOKIE', '_FILES', '_SERVER', 'argv', 'argc', 'own'];
        $names = array_diff(array_keys($GLOBALS), $own);
        echo json_encode([$_GET, $_POST, $_COOKIE, $_FILES, isset($_SESSION), array_values($names),
                          $_SERVER['SCRIPT_FILENAME'], $_SERVER['PHP_SELF'], isset($this)]);""")
    with unharmed(daemon):
        got = json.loads(daemon.get(script, extra={name: "evil"}))
    assert got == [[], [], [], [], False, [], script, "/names.php", False]


def test_zeros_in_parameters(daemon):
    """A string ends at the first one, for the test of the extension too."""
    script, secret = daemon.script("hello.php", HELLO), daemon.script("secret.txt", "secret")
    with unharmed(daemon):
        for path, status in {secret + "\0.php": 403, secret + "\0": 403, script + "\0.txt": 200, "\0" + script: 403,
                             "": 403, secret + "/\0x.php": 403, secret + "\0/x.php": 403}.items():
            response = daemon.request(script, extra={"SCRIPT_FILENAME": path})
            assert response.status == status and "secret" not in response.text, (path, response)
        for name in ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "HTTP_COOKIE", "REQUEST_URI", "PATH_INFO",
                     "PHP_VALUE", "HTTP_AUTHORIZATION", "SERVER_NAME", "DOCUMENT_ROOT", "PATH_TRANSLATED",
                     "REQUEST_BODY_FILE"):
            for value in ("\0", "a\0b", "\0" * 1000):
                daemon.request(script, extra={name: value})


# ---- SCRIPT_FILENAMEs that are no scripts ----


@pytest.fixture
def web_server():
    """Serves PHP code to whoever asks."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(OWNED.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("fix_pathinfo", [0, 1])
@pytest.mark.parametrize("extensions", ['".php", ".phar"', ""], ids=["extensions", "any"])
def test_scripts_that_are_none(make_daemon, web_server, fix_pathinfo, extensions):
    conf = (STATIC % 1 + f"security = {{ limit_extensions = [{extensions}]; }};\n" + f"""php = {{ admin_value = [
            "cgi.fix_pathinfo={fix_pathinfo}", "allow_url_fopen=1", "allow_url_include=1", "phar.readonly=0"]; }};""")
    with make_daemon(conf) as daemon:
        hello, secret = daemon.script("hello.php", HELLO), daemon.script("secret.txt", "secret")
        make = daemon.script("make.php", "<?php $p = new Phar(__DIR__ . '/x.phar'); $p['a.php'] = '%s';"
                             % OWNED.replace("'", '"'))
        daemon.get(make)
        code = base64.b64encode(OWNED.encode()).decode()
        with unharmed(daemon):
            for path in ("php://input", "php://stdin", "php://fd/0", f"data:text/plain,{OWNED}",
                         f"data:text/plain;base64,{code}", f"data://text/plain;base64,{code}#.php",
                         f"php://filter/convert.base64-encode/resource={secret}",
                         f"php://filter/resource={secret}/x.php", f"php://filter/read=string.rot13/resource={hello}",
                         f"phar://{daemon.directory}/x.phar/a.php", f"http://{web_server}/x.php",
                         f"http://{web_server}/x.php/y.php", "ftp://127.0.0.1/x.php", "expect://id",
                         f"glob://{daemon.directory}/*.php", f"zip://{daemon.directory}/x.phar#a.php",
                         f"compress.zlib://{secret}", "ssh2.exec://x@y/z.php", f"//{web_server}/x.php",
                         f"proxy:fcgi://{web_server}/x.php", f"proxy:fcgi://{web_server}"):
                for name in ("SCRIPT_FILENAME", "PATH_TRANSLATED"):
                    extra = {name: path} if name == "SCRIPT_FILENAME" else {"SCRIPT_FILENAME": None, name: path}
                    response = daemon.request(hello, method="POST", body=OWNED.encode(), extra=extra)
                    assert response.status in (403, 404), (path, response)
                    assert "OWNED" not in response.text and "secret" not in response.text, (path, response)
                    assert base64.b64encode(b"secret").decode() not in response.text


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/environ/x.php", "/proc/self/fd/0", "/etc/passwd",
                                  "/proc/self/cmdline/.php", "/proc/self/mem", "/dev/zero", "/etc/passwd/x.php",
                                  "/", "/etc", ".", "/proc/self/root/etc/passwd"])
def test_files_that_are_no_scripts(daemon, path):
    with unharmed(daemon):
        response = daemon.request(path, extra={"SCRIPT_FILENAME": path})
        assert response.status in (403, 404) and len(response.text) < 100, response


@pytest.mark.parametrize("name, status", {
    "x.php": 200, "x.phar": 200, "x.PHP": 403, "x.php.jpg": 403, "x.jpg.php": 200, "x.php.": 403, "x.php ": 403,
    "x.php~": 403, "x.php5": 403, "x.phtml": 403, "x.inc": 403, "xphp": 403, ".php": 200, "php": 403, "x.php%00": 403,
    "x.php::$DATA": 403, "x.php;.jpg": 403, "x.php\n": 403, "x.txt": 403}.items())
def test_extensions(daemon, name, status):
    """As in PHP-FPM: the end of the name, as it is written."""
    (daemon.directory / "in").mkdir()
    script = daemon.script(f"in/{name}", HELLO)
    response = daemon.request(script)
    assert response.status == status, response
    assert (response.text == "hello") == (status == 200)
    if status == 200:
        assert daemon.get(script, extra={"SCRIPT_FILENAME": script + "/x.jpg", "PATH_INFO": "/x.jpg"}) == "hello"
    else:
        assert b"(see security.limit_extensions)" in response.err
        # The classic: an upload that is named as if it were a directory.
        assert daemon.request(script + "/x.php").status == 403


# ---- What the tools show ----


MARKUP = '/<script>alert(1)</script>"\'&]]>?\x1b[2J\x1b]0;owned\x07\r\n\x00\x9b\u202e\xff{"pid":1}\n# HELP'


def test_markup_in_the_status(daemon):
    """A URI is a stranger's text: it forges no field, no line and no escape sequence."""
    script = daemon.script("hello.php", HELLO)
    extra = {"REQUEST_URI": MARKUP.encode("utf-8", "surrogateescape"), "REQUEST_METHOD": "<b>\x1b[31m",
             "REMOTE_USER": '"}],"x":[{"\n', "QUERY_STRING": "a"}
    with unharmed(daemon):
        for _ in range(8):
            daemon.request(script, extra=extra)
        status = daemon.status()
        assert len(status["processes"]) == 2 and "x" not in status
        assert any("<script>" in p["request-uri"] for p in status["processes"]), status
        raw = daemon.ctl("status", "www", "--json").stdout
        text = daemon.ctl("status", "www").stdout
        for out in (raw, text):
            assert not any(c in out for c in "\x1b\x07\r\0\x9b"), out
        assert not any(line.startswith("# HELP") or line.startswith('"') for line in text.splitlines()), text


def test_markup_in_the_status_pages(make_daemon):
    """In what a running request sent, and in what asks for the status, over the pool's socket and the manager's."""
    daemon = make_daemon(STATIC % 2)
    daemon.with_status_socket = True
    with daemon:
        daemon.wait_idle(2)
        extra = {"REQUEST_URI": MARKUP.encode("utf-8", "surrogateescape"), "REQUEST_METHOD": "<b>",
                 "REMOTE_USER": "</td><script>alert(1)</script>"}
        running = Running(daemon, daemon.script("hang.php", hang(daemon.gate("hang"))), extra=extra)
        pages = {}
        for socket in (daemon.socket, daemon.status_socket):
            for form in ("html", "xml"):
                query = f"{form}&full&<script>alert(2)</script>\"'><img src=x>"
                with fastcgi.connect_unix(socket) as connection:
                    pages[socket, form] = connection.request("/status", query=query, extra={
                        "SCRIPT_NAME": "/status", "REQUEST_URI": f"/status?{query}"}).text
        daemon.open_gate("hang")
        assert running.finish()
    for (socket, form), page in pages.items():
        assert "&lt;script&gt;alert(1)" in page and "&lt;script&gt;alert(2)" in page, page
        for markup in ("<script>alert", "<b>", "<img", "\x1b", "\x07", "\x9b"):
            assert markup not in page, (socket, form, markup)


# ---- A script against its own pool ----

TAMPER = r"""<?php
preg_match_all('/^(\w+)-(\w+) rw-s .*php-pool-scoreboard/m', file_get_contents('/proc/self/maps'), $m, PREG_SET_ORDER);
count($m) == 1 or exit('no scoreboard');
[$begin, $size] = [hexdec($m[0][1]), hexdec($m[0][2]) - hexdec($m[0][1])];
$memory = fopen('/proc/self/mem', 'r+b');
stream_set_write_buffer($memory, 0);
fseek($memory, $begin);
$board = fread($memory, $size);
while (strlen($board) < $size) $board .= fread($memory, $size - strlen($board));
$what = $_GET['what'];
if ($what == 'slot') {
    $at = strpos($board, pack('l', getmypid()));
    $garbage = [0 => str_repeat("\xff", 1000)];
    fseek($memory, $begin + $at);
    fwrite($memory, $garbage[0]);
} else {
    $garbage = ['zeros' => str_repeat("\0", $size), 'ones' => str_repeat("\xff", $size),
                'random' => random_bytes($size), 'sevens' => str_repeat(pack('P', 7), $size >> 3),
                'pids' => str_repeat(pack('l', posix_getppid()), $size >> 2),
                'strings' => str_repeat('A', $size)][$what];
    fseek($memory, $begin);
    for ($n = 0; $n < $size; $n += $k) if (!($k = fwrite($memory, substr($garbage, $n)))) exit('cannot write');
}
echo 'tampered';
"""


@pytest.mark.parametrize("what", ["slot", "zeros", "ones", "random", "sevens", "pids", "strings"])
@pytest.mark.parametrize("mode", ["static", "dynamic", "ondemand"])
def test_scoreboard_tampering(make_daemon, what, mode):
    """
    The shared memory is all in a worker's hands (CVE-2021-21703): it can lie, about others too, and the
    manager goes on. What is wrong then ends with the generation at the latest.
    """
    conf = f'pm = {{ mode = "{mode}"; max_children = 4; process_idle_timeout = "1s"; }};\n'
    conf += 'request = { terminate_timeout = "10s"; slowlog_timeout = "5s"; };'
    conf += 'process = { dumpable = true; };'  # it has no other way to the memory than /proc/self/mem
    with make_daemon(conf) as daemon:
        tamper, hello = daemon.script("tamper.php", TAMPER), daemon.script("hello.php", HELLO)
        manager = daemon.pid
        for _ in range(3):
            response = daemon.request(tamper, query=f"what={what}")
            assert response.text == "tampered", response
            assert daemon.get(hello) == "hello"
            status = daemon.status()
            assert status["max-active-processes"] <= 4 and len(status["processes"]) <= 8, status
            daemon.ctl("status", "www")
        assert daemon.process.poll() is None
        daemon.reload()
        assert daemon.pid == manager
        for _ in range(10):
            assert daemon.get(hello) == "hello"
        wait_until(lambda: all(p["script"] in ("", hello, tamper) for p in daemon.status()["processes"]),
                   what="a scoreboard as it should be")


def test_the_environment_of_the_manager(make_daemon):
    """What systemd tells it is not for scripts, nor for programs that they start."""
    with make_daemon(STATIC % 1) as daemon:
        script = daemon.script("environment.php", """<?php echo json_encode([getenv(), $_SERVER,
            explode("\\0", file_get_contents('/proc/self/environ')), explode("\\n", shell_exec('env'))]);""")
        text = daemon.get(script)
    for name in ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_"):
        assert name not in text, name


def test_descriptors_of_a_worker(daemon):
    """No script of PHP alone gets at them, and programs that it starts inherit none."""
    script = daemon.script("descriptors.php", r"""<?php
        $opened = [];
        foreach (scandir('/proc/self/fd') as $fd) {
            $name = @readlink("/proc/self/fd/$fd");
            if ($fd < 3 || !$name || $name[0] == '/') continue;
            foreach (["php://fd/$fd", "/proc/self/fd/$fd", "file:///dev/fd/$fd"] as $path)
                if (@fopen($path, 'r+') || @fopen($path, 'r') || @fopen($path, 'w')) $opened[] = "$path: $name";
        }
        echo json_encode([$opened, shell_exec('ls -l /proc/self/fd')]);""")
    with unharmed(daemon):
        opened, inherited = json.loads(daemon.get(script))
    assert opened == []
    links = [line.split()[-3:] for line in inherited.splitlines() if " -> " in line]
    assert len(links) >= 4, inherited
    # PHP leaves them its script.
    assert all(name.startswith("/") and "memfd" not in name for fd, _, name in links if int(fd) > 2), inherited


# ---- The protocol ----


def pair(name, value, name_length=None, value_length=None):
    return (struct.pack("!II", 0x80000000 | (len(name) if name_length is None else name_length),
                        0x80000000 | (len(value) if value_length is None else value_length)) + name + value)


PROTOCOL = {
    "lengths that overflow when added": fastcgi.whole(pair(b"A", b"B", 0x7FFFFFFF, 0x7FFFFFFF)),
    "a length that is -1": fastcgi.whole(pair(b"A", b"B", 1, 0xFFFFFFFF)),
    "a sum of 0 in 32 bits": fastcgi.whole(pair(b"A", b"B", 0x7FFFFFFF, 0x80000001)),
    "lengths of 0 in 4 bytes": fastcgi.whole(pair(b"", b"") * 1000),
    "one byte more than there is": fastcgi.whole(pair(b"NAME", b"VALUE", 4, 6)),
    "begin with id 0": fastcgi.begin(request_id=0) + fastcgi.stream(fastcgi.PARAMS, pair(b"A", b"B"), 0),
    "begin again": fastcgi.begin() * 2,
    "many begins": b"".join(fastcgi.begin(request_id=i % 65535 + 1) for i in range(20000)),
    "many begins of one": fastcgi.begin() * 20000,
    "aborts of nothing": fastcgi.record(fastcgi.ABORT_REQUEST) * 20000,
    "empty records": fastcgi.begin() + fastcgi.record(fastcgi.DATA) * 20000,
    "types of replies": b"".join(fastcgi.record(i, b"x" * 9) for i in (3, 6, 7, 10, 11, 0, 255)),
    "management of unknown types": b"".join(fastcgi.record(i % 200 + 12, b"", 0) for i in range(5000)),
    "padding only": fastcgi.begin() + fastcgi.record(fastcgi.PARAMS, b"", padding=255) * 100,
    "a body without parameters": fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, b"") * 2,
    "values that are asked for": fastcgi.record(fastcgi.GET_VALUES, pair(b"FCGI_MPXS_CONNS", b"", 0x7FFFFFFF), 0),
}


@pytest.mark.parametrize("case", PROTOCOL)
def test_protocol(daemon, case):
    with unharmed(daemon):
        for _ in range(4):
            with daemon.connect() as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(PROTOCOL[case])


def test_endless_parameters(daemon):
    """Somebody who never comes to an end of them is answered, and takes no more memory than others."""
    with unharmed(daemon), daemon.connect() as connection:
        connection.send(fastcgi.begin())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for i in range(1000):
                connection.send(fastcgi.record(fastcgi.PARAMS, pair(b"N%d" % i, b"x" * 60000)))
        for pid in daemon.workers():
            peak = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                        if line.startswith("VmData"))
            assert int(peak.split()[1]) < 400 * 1024 or "libasan" in pathlib.Path(f"/proc/{pid}/maps").read_text()


QUESTIONS = {"get-values": fastcgi.record(fastcgi.GET_VALUES, fastcgi.encode_pairs({"FCGI_MPXS_CONNS": ""}), 0),
             "unknown": fastcgi.record(99, b"", 0)}


@pytest.mark.parametrize("record", QUESTIONS.values(), ids=QUESTIONS)
def test_a_flood_of_questions(make_daemon, record):
    """A client that asks and never reads the answers holds its worker no longer than one that is slow."""
    with make_daemon(STATIC % 1 + 'request = { header_timeout = "300ms"; };') as daemon:
        with unharmed(daemon), daemon.connect() as flood:
            flood.sock.setblocking(False)
            data = record * 1000
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                for _ in range(10000):
                    flood.sock.send(data)
            assert daemon.run(HELLO) == "hello"
