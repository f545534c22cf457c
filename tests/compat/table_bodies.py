# SPDX-License-Identifier: MIT
"""What a request brings in its body: forms, files, anything."""

from compat.case import MULTIPART, Case as C, multipart
from lib import fastcgi

SEE = r"""
$files = $_FILES;
array_walk_recursive($files, function (&$v, $k) {
    if (is_string($v) && str_contains($v, '/uploads/'))
        $v = [dirname($v), is_uploaded_file($v), file_get_contents($v), fileperms($v)];
});
$body = file_get_contents('php://input');
var_dump($_POST, $files, $_GET, strlen($body), md5($body), $_SERVER['CONTENT_LENGTH'] ?? null,
    $_SERVER['CONTENT_TYPE'] ?? null, glob(dirname(__DIR__, 2) . '/uploads/php*') !== []);
"""


def post(name, body=b"", code=SEE, **kwargs):
    kwargs.setdefault("method", "POST")
    return C(f"body-{name}", code, body=body, **kwargs)


def upload(name, *parts, code=SEE, end=True, **kwargs):
    return post(f"upload-{name}", multipart(*parts, end=end), code,
        params={**MULTIPART, **kwargs.pop("params", {})}, **kwargs)


def length(name, value, body=b"a=1&b=2", **kwargs):
    """What waits in vain does so once."""
    kwargs = {"timeout": 0.4, "times": 1, **kwargs}
    return post(f"length-{name}", body, params={"CONTENT_LENGTH": value, **kwargs.pop("params", {})},
        **kwargs)


def raw_type(name, content_type, body=b'{"a": 1}', **kwargs):
    return post(f"type-{name}", body, params={"CONTENT_TYPE": content_type}, **kwargs)


def chunked(w):
    """A body in small records, as it came, without its length."""
    return [fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS,
        w.params(CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked"))
            + fastcgi.stream(fastcgi.STDIN, w.case.body, chunk=3)]


def unsized(w):
    return [fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, w.params(CONTENT_LENGTH=None))
        + fastcgi.stream(fastcgi.STDIN, w.case.body)]


FORM = "application/x-www-form-urlencoded"
BIG = bytes(range(256)) * 1200
CASES = [
    post("form", b"a=1&b[]=2&b[]=3&c[x]=4"),
    post("form-empty"),
    post("form-odd", b"=1&a&b=&&c=%00%zz+"),
    post("form-dup", b"a=1&a=2"),
    post("form-dots", b"a.b=1&c d=2&e[f=3"),
    post("form-many", "&".join(f"v{i}=1" for i in range(1200)).encode()),
    post("form-big", b"a=" + b"x" * 300000),
    post("form-records", b"a=" + b"x" * 200000, raw=lambda w:
      [fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, w.params())
      + fastcgi.stream(fastcgi.STDIN, w.case.body, chunk=1000)]),
    post("form-get", b"a=1", method="GET"),
    post("form-put", b"a=1", method="PUT"),
    post("form-lower-post", b"a=1", method="post"),
    post("form-delete", b"a=1", method="DELETE"),
    post("form-patch", b"a=1", method="PATCH"),
    post("form-head", b"a=1", method="HEAD"),
    post("form-separator", b"a=1;b=2", ini='arg_separator.input = ";"'),
    post("form-limit", b"a[b][c][d]=1", ini="max_input_nesting_level = 2"),
    post("no-reading", b"a=1", ini="enable_post_data_reading = 0"),
    upload("no-reading", ("f", "n.txt", "content"), ini="enable_post_data_reading = 0"),
    raw_type("json", "application/json"),
    raw_type("none", None),
    raw_type("empty", ""),
    raw_type("upper", FORM.upper(), b"a=1"),
    raw_type("charset", f"{FORM}; charset=utf-8", b"a=1"),
    raw_type("comma", f"{FORM},x", b"a=1"),
    raw_type("space", f" {FORM}", b"a=1"),
    raw_type("text", "text/plain", b"a=1"),
    raw_type("long", "x/" + "y" * 5000),
    raw_type("binary", "application/octet-stream", BIG),
    raw_type("form-prefix", FORM + "x", b"a=1"),
    post("input-twice", b"a=1", "var_dump(file_get_contents('php://input'), "
      "file_get_contents('php://input'));"),
    post("input-partial", b"0123456789", "$f = fopen('php://input', 'r'); var_dump(fread($f, 3), "
      "ftell($f), fread($f, 3), feof($f), rewind($f),fread($f, 2), fseek($f, 8), fgets($f), feof($f), "
      "fstat($f)['size']); var_dump(stream_get_meta_data($f));"),
    post("input-two-handles", b"0123456789", "$f = fopen('php://input', 'r'); $g = fopen('php://input', "
      "'r'); var_dump(fread($f, 3), fread($g, 5), fread($f, 3));"),
    post("input-seek", b"x" * 30000, "$f = fopen('php://input', 'r'); fseek($f, 20000); "
      "var_dump(strlen(fread($f, 8192)), fseek($f, 0, SEEK_END), ftell($f));"),
    post("input-lines", b"a\nb\r\nc", "var_dump(file('php://input'));"),
    post("input-write", b"x", "var_dump(@fopen('php://input', 'w') !== false);"),
    post("input-binary", BIG, "echo md5(file_get_contents('php://input'));"),
    post("input-put", BIG, "echo md5(file_get_contents('php://input'));", method="PUT"),
    post("input-untouched", BIG, "echo 'ignored';", method="PUT"),
    post("input-untouched-keep", BIG, "echo 'ignored';", method="PUT", keep=True),
    post("input-some-keep", BIG, "echo strlen(fread(fopen('php://input', 'r'), 100));", method="PUT",
      keep=True),
    post("input-form-keep", b"a=1", keep=True),
    post("input-in-shutdown", b"abc",
      "register_shutdown_function(fn() => print(file_get_contents('php://input')));", method="PUT"),
    post("input-in-destructor", b"abc",
      "class D { function __destruct() { echo file_get_contents('php://input'); } } $d = new D;",
          method="PUT"),
    post("input-include", b"<?php echo 'code';", "var_dump(@include 'php://input');"),
    post("input-stdin", b"abc", "var_dump(file_get_contents('php://stdin'));", method="PUT"),
    post("input-copy", BIG, "var_dump(copy('php://input', '/dev/null'), "
      "stream_copy_to_stream(fopen('php://input', 'r'), fopen('php://memory', 'w')));", method="PUT"),
    post("input-parse", b"a=1", "parse_str(file_get_contents('php://input'), $x); var_dump($x);",
        method="PUT"),
    length("longer", "20"),
    length("shorter", "3"),
    length("zero", "0"),
    length("negative", "-1"),
    length("garbage", "abc"),
    length("garbage-end", "7abc"),
    length("plus", "+7"),
    length("space", " 7 "),
    length("empty", ""),
    length("hex", "0x7"),
    length("octal", "07"),
    length("float", "7.0"),
    length("huge", "99999999999999999999"),
    length("over-post-max", "9000000"),
    length("min", "-9223372036854775808"),
    length("shorter-keep", "3", keep=True),
    length("zero-keep", "0", keep=True),
    length("longer-put", "20", method="PUT"),
    length("shorter-put", "3", method="PUT"),
    length("empty-put", "", method="PUT"),
    length("zero-put", "0", method="PUT"),
    length("garbage-put", "abc", method="PUT"),
    length("negative-put", "-1", method="PUT"),
    length("get-zero", "0", b"", method="GET"),
    length("get-empty", "", b"", method="GET"),
    length("get-none", None, b"", method="GET"),
    length("post-none-no-body", None, b""),
    post("unsized-form", b"a=1&b=2", raw=unsized),
    post("unsized-put", b"a=1&b=2", method="PUT", raw=unsized),
    post("unsized-json", b"{}", raw=unsized, params={"CONTENT_TYPE": "application/json"}),
    post("unsized-get", b"a=1", method="GET", raw=unsized),
    post("chunked-form", b"a=1&b=2", raw=chunked),
    post("chunked-put", BIG[:1000], method="PUT", raw=chunked),
    post("chunked-upload", multipart(("f", "n.txt", "content")), raw=chunked, params=MULTIPART),
    post("chunked-empty", b"", raw=chunked),
    post("chunked-json", b'{"a": [1, 2]}', raw=chunked, params={"CONTENT_TYPE": "application/json"}),
    post("chunked-large", BIG, raw=unsized, method="PUT"),
    post("chunked-post-max", b"a=" + b"x" * 2000, raw=chunked, ini="post_max_size = 1000"),
    post("chunked-unread", BIG[:5000], raw=chunked, method="PUT", code="echo 'unread';"),
    post("chunked-type-none", b"a=1", raw=chunked, params={"CONTENT_TYPE": None}),
    post("chunked-upload-cut", multipart(("f", "n.txt", "content"), end=False), raw=chunked,
        params=MULTIPART),
    post("chunked-upload-many", multipart(*((f"f{i}", f"n{i}", "x" * 100) for i in range(20))), raw=chunked,
         params=MULTIPART),
    post("post-max", b"a=" + b"x" * 2000, ini="post_max_size = 1000"),
    post("post-max-put", b"x" * 2000, ini="post_max_size = 1000", method="PUT"),
    post("post-max-zero", b"a=" + b"x" * 2000, ini="post_max_size = 0"),
    post("post-max-default", b"a=" + b"x" * (9 << 20), times=1),
    post("post-max-default-keep", b"a=" + b"x" * (9 << 20), times=1, keep=True),
    upload("post-max", ("f", "n.txt", "x" * 2000), ini="post_max_size = 1000"),
    C("body-file", SEE, method="POST", params={"REQUEST_BODY_FILE": "@/body", "CONTENT_LENGTH": "7",
      "CONTENT_TYPE": FORM}, files={"body": b"f=9&g=8"}),
    C("body-file-missing", SEE, method="POST", params={"REQUEST_BODY_FILE": "@/nobody", "CONTENT_LENGTH":
      "7", "CONTENT_TYPE": FORM}),
    C("body-file-shorter", SEE, method="POST", params={"REQUEST_BODY_FILE": "@/body", "CONTENT_LENGTH":
      "70", "CONTENT_TYPE": FORM}, files={"body": b"f=9&g=8"}),
    C("body-file-put", SEE, method="PUT", params={"REQUEST_BODY_FILE": "@/body", "CONTENT_LENGTH": "7",
      "CONTENT_TYPE": "x/y"}, files={"body": b"f=9&g=8"}),
    upload("one", ("f", "n.txt", "content")),
    upload("empty-file", ("f", "n.txt", "")),
    upload("no-file", ("f", "", "")),
    upload("field-and-file", ("a", "1"), ("f", "n.txt", "c"), ("b", "2")),
    upload("many", *((f"f{i}", f"n{i}.txt", "x") for i in range(25))),
    upload("many-same", *(("f[]", f"n{i}.txt", "x") for i in range(5))),
    upload("nested", ("f[a][b]", "n.txt", "x"), ("f[a][c]", "m.txt", "y"), ("g[x]", "o", "z")),
    upload("path-name", ("f", "../../etc/passwd", "x"), ("g", "C:\\\\dir\\\\n.txt", "y")),
    upload("odd-name", ("f.g h", "ä ö.txt", "x"), ("", "n", "y"), ("f[", "m", "z")),
    upload("binary", ("f", "n.bin", BIG)),
    upload("over-size", ("f", "n", "x" * 2000), ini="upload_max_filesize = 1000"),
    upload("over-default", ("f", "n", b"x" * (3 << 20)), times=1),
    upload("max-files", *((f"f{i}", "n", "x") for i in range(5)), ini="max_file_uploads = 3"),
    upload("max-files-zero", ("f", "n", "x"), ini="max_file_uploads = 0"),
    upload("off", ("f", "n", "x"), ini="file_uploads = 0"),
    upload("no-end", ("f", "n", "x"), end=False),
    upload("max-size-field", ("MAX_FILE_SIZE", "3"), ("f", "n", "12345")),
    upload("dup-name", ("f", "n", "1"), ("f", "m", "2")),
    upload("move", ("f", "n", "content"), code="$t = __DIR__ . '/../../uploads/moved'; "
      "var_dump(move_uploaded_file($_FILES['f']['tmp_name'], $t), file_get_contents($t),"
      "fileperms($t), file_exists($_FILES['f']['tmp_name']), is_uploaded_file($t), unlink($t));"),
    upload("gone-after", ("f", "n", "content"), code="echo count(glob(__DIR__ . '/../../uploads/*'));"),
    upload("input", ("f", "n", "c"), code="var_dump(file_get_contents('php://input'));"),
    upload("put", ("f", "n", "c"), method="PUT"),
    upload("many-fields", *((f"a{i}", "1") for i in range(1200))),
    upload("bad-dir", ("f", "n", "c"), ini="upload_tmp_dir = /nonexistent"),
    upload("vars-limit", ("a", "1"), ("b", "2"), ini="max_input_vars = 1"),
    upload("parts-limit", ("a", "1"), ("b", "2"), ("c", "n", "3"), ini="max_multipart_body_parts = 2"),
    upload("session-progress", ("PHP_SESSION_UPLOAD_PROGRESS", "p"), ("f", "n", "c")),
    post("upload-no-boundary", multipart(("a", "1")), params={"CONTENT_TYPE": "multipart/form-data"}),
    post("upload-empty-boundary", multipart(("a", "1")), params={"CONTENT_TYPE":
      "multipart/form-data; boundary="}),
    post("upload-quoted", multipart(("a", "1"), boundary="X Y"), params={"CONTENT_TYPE":
      'multipart/form-data; boundary="X Y"'}),
    post("upload-wrong-boundary", multipart(("a", "1"), boundary="YY"), params=MULTIPART),
    post("upload-nothing", b"", params=MULTIPART),
    post("upload-garbage", b"garbage", params=MULTIPART),
    post("upload-cut-header", b"--XX\r\nContent-Disposition: form-da", params=MULTIPART),
    post("upload-no-name", b'--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--\r\n',
      params=MULTIPART),
    post("upload-lf", multipart(("a", "1"), ("f", "n", "x")).replace(b"\r\n", b"\n"), params=MULTIPART),
    post("upload-preamble", b"hello\r\n" + multipart(("a", "1")), params=MULTIPART),
    post("upload-shorter-length", multipart(("a", "1"), ("f", "n", "x" * 100)), params={**MULTIPART,
      "CONTENT_LENGTH": "150"}),
    post("upload-longer-length", multipart(("a", "1")), params={**MULTIPART, "CONTENT_LENGTH": "5000"},
      timeout=0.4, times=1),
    post("upload-mixed", multipart(("a", "1")), params={"CONTENT_TYPE": "multipart/mixed; boundary=XX"}),
    post("expect", b"a=1", params={"HTTP_EXPECT": "100-continue"}),
    post("memory", b"a=" + b"x" * 500000, code="echo strlen($_POST['a']);", ini="memory_limit = 4M"),
    post("memory-exhausted", b"a=" + b"x" * 3000000, code="echo strlen($_POST['a']);",
        ini="memory_limit = 2M", times=1),
    post("large-records", BIG, raw=lambda w: [fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, w.params())
      + fastcgi.stream(fastcgi.STDIN, w.case.body, chunk=65535)]),
    post("stream-slowly", b"a=1&b=2", raw=lambda w:
      [fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, w.params()),
      *(fastcgi.record(fastcgi.STDIN, bytes([b])) for b in w.case.body), fastcgi.record(fastcgi.STDIN)]),
]
