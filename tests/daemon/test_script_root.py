# SPDX-License-Identifier: MIT
"""security.script_root: which scripts are inside of it, however they are named."""

import pytest

from lib.daemon import given_away
from lib.scripts import HELLO
from lib.wait import wait_until

WHERE = "<?php echo __FILE__, ' ', $_SERVER['PATH_INFO'] ?? '-';"
CONF = """pm = {{ mode = "static"; max_children = 1; }};
security = {{ script_root = "{root}"; {security} }};
php = {{ admin_value = [{values}]; }};"""
OPCACHE = '"opcache.enable=1", "opcache.file_update_protection=0", "opcache.validate_timestamps=0"'
PHAR = r"""<?php
$phar = new Phar("%s");
$phar["inner.php"] = "<?php echo 'inner';";
$phar->setStub("<?php Phar::mapPhar('a'); include 'phar://a/inner.php'; __HALT_COMPILER();");
"""


class Site:
    """
    site/ is the root; site2/ and elsewhere/ are beside it. Each has an index.php; the links in site/ go where
    their names say.
    """

    def __init__(self, directory):
        self.path = directory
        for name in ("site/sub", "site2", "elsewhere"):
            (directory / name).mkdir(parents=True)
            (directory / name / "index.php").write_text(WHERE)
        (directory / "site/index.php").write_text(WHERE)
        for link, target in {"site/out.php": "../elsewhere/index.php", "site/outdir": "../elsewhere",
                             "site/in.php": "sub/index.php", "site/back.php": "../into/sub/index.php",
                             "into": "site", "elsewhere/in.php": "../site/index.php",
                             "site/dangling.php": "nowhere.php"}.items():
            (directory / link).symlink_to(target)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def start(make_daemon, site):
    """Starts a pool with this root, a path from the site's directory."""
    def make(root="site", security="", values=""):
        return make_daemon(CONF.format(root=site.path / root if root else "", security=security, values=values))
    return make


def runs(daemon, site, path, **extra):
    response = daemon.request(str(site.path) + "/" + path, extra=extra)
    assert response.status == 200, response
    return response.text.replace(str(site.path) + "/", "")


def is_refused(daemon, site, path, **extra):
    response = daemon.request(str(site.path) + "/" + path, extra=extra)
    said = f"Access to the script '{site.path}/{path.partition('.php')[0]}.php"
    assert (response.status, response.text) == (403, "Access denied.\n"), response
    assert response.err.decode().startswith(said) and b"(see security.script_root)" in response.err, response
    wait_until(lambda: said in daemon.logged(), what=f"a line for {path}")
    return True


@pytest.mark.parametrize("root", ["site", "site/", "site/sub/..", "into", "into/./"],
                         ids=["plain", "slash", "dots", "link", "link-slash"])
def test_what_is_inside(start, site, root):
    with start(root) as daemon:
        assert runs(daemon, site, "site/index.php") == "site/index.php -"
        assert runs(daemon, site, "site/sub/index.php") == "site/sub/index.php -"
        assert runs(daemon, site, "into/index.php") == "site/index.php -"
        assert runs(daemon, site, "site//sub/./index.php") == "site/sub/index.php -"
        assert runs(daemon, site, "site/in.php") == "site/sub/index.php -"
        assert runs(daemon, site, "site/back.php") == "site/sub/index.php -"
        assert runs(daemon, site, "elsewhere/in.php") == "site/index.php -"
        for path in ("site2/index.php", "elsewhere/index.php", "site/out.php", "site/outdir/index.php",
                     "into/out.php"):
            assert is_refused(daemon, site, path)
        # Not found goes before not allowed, as with limit_extensions; ".." is nowhere.
        for path in ("site/none.php", "elsewhere/none.php", "site/dangling.php", "site/../site2/index.php",
                     "site/sub/../index.php"):
            assert daemon.request(f"{site.path}/{path}").status == 404, path


def test_path_info(start, site):
    """What is behind the script is no part of it, and not what is judged."""
    with start() as daemon:
        assert runs(daemon, site, "site/index.php/a/b", PATH_INFO="/a/b") == "site/index.php /a/b"
        assert is_refused(daemon, site, "site2/index.php/site/index.php")
        assert is_refused(daemon, site, "site/out.php/sub/index.php")
        assert is_refused(daemon, site, f"elsewhere/index.php{site.path}/site/index.php")


def test_without_fix_pathinfo(start, site):
    """The path is not looked for before it is opened then, and PATH_TRANSLATED counts."""
    with start(values='"cgi.fix_pathinfo=0"') as daemon:
        assert runs(daemon, site, "site/in.php") == "site/sub/index.php -"
        assert is_refused(daemon, site, "site/out.php")
        response = daemon.request(f"{site.path}/site/index.php",
                                  extra={"PATH_TRANSLATED": f"{site.path}/site2/index.php"})
        assert response.status == 403, response
        assert daemon.request(f"{site.path}/elsewhere/none.php").status == 404


def test_of_doc_root(start, site):
    """With doc_root PHP opens another file than SCRIPT_FILENAME says: it is that one that counts."""
    with start(values=f'"doc_root={site.path}"') as daemon:
        response = daemon.request(f"{site.path}/site/index.php", extra={"SCRIPT_NAME": "/site2/index.php"})
        assert response.status == 403, response
        response = daemon.request(f"{site.path}/site/index.php", extra={"SCRIPT_NAME": "/site/sub/index.php"})
        assert response.text.startswith(f"{site.path}/site/sub/index.php"), response


def test_phar(start, site):
    with start(values='"phar.readonly=0"') as daemon:
        make = site.path / "site/make.php"
        for name in ("site/a.phar", "site2/a.phar"):
            make.write_text(PHAR % (site.path / name))
            given_away((site.path / name).parent)
            daemon.get(str(make))
        assert runs(daemon, site, "site/a.phar") == "inner"
        assert runs(daemon, site, "site/a.phar/x.php") == "inner"
        assert daemon.request(f"{site.path}/site2/a.phar").status == 403
        assert daemon.request(f"{site.path}/site2/a.phar/x.php").status == 403
        assert daemon.request(f"phar://{site.path}/site2/a.phar/inner.php").status == 404


def test_with_a_warm_opcache(start, site):
    """Nothing is opened then: what counts is where the code came from."""
    with start(values=OPCACHE) as daemon:
        warm = site.path / "site/warm.php"
        warm.write_text(f"<?php include '{site.path}/site/out.php'; include '{site.path}/site/in.php';"
                        "echo json_encode(array_keys(opcache_get_status()['scripts']));")
        assert daemon.request(str(warm)).status == 200
        cached = runs(daemon, site, "site/warm.php")
        assert "elsewhere\\/index.php" in cached and "site\\/sub\\/index.php" in cached
        for _ in range(3):
            assert runs(daemon, site, "site/in.php") == "site/sub/index.php -"
            assert runs(daemon, site, "site/index.php") == "site/index.php -"
            assert is_refused(daemon, site, "site/out.php")
            assert is_refused(daemon, site, "elsewhere/index.php")


@pytest.mark.parametrize("values", ["", OPCACHE], ids=["plain", "opcache"])
def test_a_directory_that_becomes_a_link(start, site, values):
    """PHP remembers where paths lead; it is not asked."""
    with start(values=f'"realpath_cache_ttl=3600"{", " if values else ""}{values}') as daemon:
        path = "site/sub/index.php"
        assert runs(daemon, site, path) == "site/sub/index.php -"
        (site.path / "site/sub").rename(site.path / "was-sub")
        (site.path / "site/sub").symlink_to("../elsewhere")
        response = daemon.request(f"{site.path}/{path}")
        if values:  # what was inside when it was compiled runs on
            assert response.text == f"{site.path}/{path} -", response
        else:
            assert (response.status, response.text) == (403, "Access denied.\n"), response


def test_includes_are_not_concerned(start, site):
    prepended = site.path / "elsewhere/before.php"
    prepended.write_text("<?php echo 'before ';")
    with start(values=f'"auto_prepend_file={prepended}"') as daemon:
        (site.path / "site/includes.php").write_text("<?php include '../elsewhere/index.php';")
        assert daemon.get(f"{site.path}/site/includes.php").startswith(f"before {site.path}/elsewhere/index.php")


def test_without_a_root_everything_runs(start, site):
    with start(root="") as daemon:
        assert runs(daemon, site, "elsewhere/index.php") == "elsewhere/index.php -"


def test_the_whole_file_system(make_daemon, site):
    with make_daemon(CONF.format(root="/", security="", values="")) as daemon:
        assert runs(daemon, site, "elsewhere/index.php") == "elsewhere/index.php -"


def test_a_link_that_changes_counts_from_the_next_reload(start, site):
    # Neither may remember where the link led: opcache does as soon as a script is two seconds old.
    with start("into", values='"realpath_cache_size=0", "opcache.enable=0"') as daemon:
        assert runs(daemon, site, "into/index.php") == "site/index.php -"
        (site.path / "next").symlink_to("site2")
        (site.path / "next").rename(site.path / "into")
        assert daemon.request(f"{site.path}/into/index.php").status == 403
        daemon.reload()
        assert runs(daemon, site, "into/index.php") == "site2/index.php -"
        assert is_refused(daemon, site, "site/index.php")


@pytest.mark.parametrize("root, reason", [("none", "No such file or directory"),
                                          ("site/index.php", "Not a directory")])
def test_a_root_that_cannot_be_used(start, make_daemon, site, root, reason):
    """It is no root to start with; a reload is refused, and the old one holds."""
    with start() as daemon:
        daemon.conf.write_text(CONF.format(root=site.path / root, security="", values=""))
        result = daemon.ctl("reload", "www")
        assert result.returncode != 0
        said = f'security.script_root "{site.path}/{root}" cannot be used: {reason}.'
        assert said in result.stderr, result
        assert runs(daemon, site, "site/index.php") == "site/index.php -"
        assert is_refused(daemon, site, "site2/index.php")


def test_a_start_with_a_root_that_cannot_be_used(start, site):
    daemon = start("none")
    with daemon.failing() as status:
        assert status != 0
        assert f'security.script_root "{site.path}/none" cannot be used: No such file or directory.' in daemon.logged()


def test_it_goes_with_limit_extensions(start, site):
    (site.path / "elsewhere/x.inc").write_text(HELLO)
    with start(security='limit_extensions = [".php"];') as daemon:
        response = daemon.request(f"{site.path}/elsewhere/x.inc")
        assert (response.status, response.text) == (403, "Access denied.\n")
        assert b"(see security.limit_extensions)" in response.err
