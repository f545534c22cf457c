# SPDX-License-Identifier: MIT
"""daemon/find-libphp: the library that belongs to a php-config, and why there is none."""

import subprocess

import pytest

from lib import php

PHP_CONFIG = """#!/bin/sh
case $1 in
--version) echo {version} ;;
--prefix) echo {prefix} ;;
--includes) echo -I{prefix}/include ;;
--extension-dir) echo {prefix}/modules ;;
esac
"""


class Prefix:
    """A PHP that was built for a prefix of its own, with libraries that say which PHP they are."""

    def __init__(self, directory, version, zts=False):
        self.directory = directory
        (directory / "include/main").mkdir(parents=True)
        (directory / "include/main/php_config.h").write_text("#define ZTS 1\n" if zts else "/* #undef ZTS */\n")
        (directory / "lib").mkdir()
        self.php_config = directory / "php-config"
        self.php_config.write_text(PHP_CONFIG.format(version=version, prefix=directory))
        self.php_config.chmod(0o755)

    def add_library(self, name, version, soname="libphp.so"):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        source = f'const char header[] = "X-Powered-By: PHP/{version}";'
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", path,
                        *([f"-Wl,-soname,{soname}"] if soname else [])],
                       input=source, text=True, check=True)
        return path

    def find(self, source_dir):
        return subprocess.run([source_dir / "daemon/find-libphp", self.php_config, "cc"], text=True,
                              capture_output=True)


def test_debian(source_dir):
    result = subprocess.run([source_dir / "daemon/find-libphp", f"php-config{php.VERSION}", "cc"], text=True,
                            capture_output=True, check=True)
    version, library, soname, extensions, *includes = result.stdout.splitlines()
    assert (version, library, soname) == (php.VERSION, f"/usr/lib/libphp{php.VERSION}.so", "libphp.so")
    assert extensions.startswith("/usr/lib/php/") and any(directory.endswith("/main") for directory in includes)


@pytest.mark.parametrize("full, version",
                         [("8.2.0", "8.2"), ("8.4.12", "8.4"), ("8.6.0RC3", "8.6"), ("8.10.0-dev", "8.10"),
                                           ("9.0.0", "9.0")])
@pytest.mark.parametrize("name", ["lib/libphp{}.so", "lib/libphp.so", "lib64/libphp.so"])
def test_own_prefix(source_dir, tmp_path, full, version, name):
    prefix = Prefix(tmp_path, full)
    library = prefix.add_library(name.format(version), full)
    result = prefix.find(source_dir)
    assert result.stdout.splitlines() == [version, str(library), "libphp.so", f"{tmp_path}/modules",
                                          f"{tmp_path}/include"], result


def test_a_library_of_another_version_is_none(source_dir, tmp_path):
    """As Debian's /usr/lib/libphp.so, which is any of those that are there."""
    prefix = Prefix(tmp_path, "8.4.2")
    prefix.add_library("lib/libphp.so", "8.5.7")
    prefix.add_library("lib/libphp8.4.so", "8.40.1")
    result = prefix.find(source_dir)
    assert result.returncode == 1 and result.stdout.startswith("no libphp of PHP 8.4 was found below "), result
    right = prefix.add_library("lib64/libphp.so", "8.4.1")
    assert prefix.find(source_dir).stdout.splitlines()[1] == str(right)


def test_a_link_that_others_move_is_followed(source_dir, tmp_path):
    prefix = Prefix(tmp_path, "8.4.2")
    library = prefix.add_library("lib/libphp-84.so", "8.4.2")
    (tmp_path / "lib/libphp.so").symlink_to("libphp-84.so")
    assert prefix.find(source_dir).stdout.splitlines()[1] == str(library)


@pytest.mark.parametrize("full, zts, library, why", [
    ("7.4.33", False, True, "PHP 7.4.33 is too old: php-pool needs libphp 8.2 or later"),
    ("8.1.30", False, True, "PHP 8.1.30 is too old"),
    ("8.4.2", True, True, "its libphp is thread-safe (ZTS)"),
    ("8.4.2", False, False,
     "no libphp of PHP 8.4 was found below {}. It is the embed SAPI: libphp8.4-embed on Debian"),
    ("nonsense", False, True, "it is no php-config"),
    ("", False, True, "it is no php-config"),
])
def test_refused(source_dir, tmp_path, full, zts, library, why):
    prefix = Prefix(tmp_path, full, zts)
    if library:
        prefix.add_library("lib/libphp.so", full)
    result = prefix.find(source_dir)
    assert result.returncode == 1 and result.stdout.startswith(why.format(tmp_path)), result
    assert len(result.stdout.splitlines()) == 1


def test_no_headers(source_dir, tmp_path):
    prefix = Prefix(tmp_path, "8.4.2")
    (tmp_path / "include/main/php_config.h").unlink()
    result = prefix.find(source_dir)
    assert (result.returncode, result.stdout) == (1, "the headers of PHP 8.4 cannot be found (php8.4-dev on Debian)\n")


def test_no_soname(source_dir, tmp_path):
    prefix = Prefix(tmp_path, "8.4.2")
    library = prefix.add_library("lib/libphp.so", "8.4.2", soname=None)
    result = prefix.find(source_dir)
    assert (result.returncode, result.stdout) == (1, f"{library} has no SONAME\n")


# ---- What meson makes of it ----

def configure(source_dir, directory, *options):
    return subprocess.run(["meson", "setup", directory, source_dir, "-Dtests=false", *options], text=True,
                          capture_output=True)


@pytest.mark.parametrize("full, zts, why", [
    ("8.1.30", False, "PHP 8.1.30 is too old"),
    ("8.4.2", True, "thread-safe"),
    ("8.4.2", False, "no libphp of PHP 8.4 was found"),
])
def test_one_that_is_named_has_to_be_of_use(source_dir, tmp_path, full, zts, why):
    prefix = Prefix(tmp_path / "php", full, zts)
    result = configure(source_dir, tmp_path / "build", f"-Dphp-configs=php-config{php.VERSION},{prefix.php_config}")
    assert result.returncode != 0
    assert f"No worker can be built for {prefix.php_config}" in result.stdout and why in result.stdout, result.stdout


def test_one_that_is_named_twice(source_dir, tmp_path):
    link = tmp_path / "php-config"
    link.symlink_to(f"/usr/bin/php-config{php.VERSION}")
    result = configure(source_dir, tmp_path / "build", f"-Dphp-configs=php-config{php.VERSION},{link}")
    assert result.returncode != 0 and f"{link} and another of php-configs are both PHP {php.VERSION}." in result.stdout


def test_one_that_is_named_and_not_there(source_dir, tmp_path):
    result = configure(source_dir, tmp_path / "build", "-Dphp-configs=php-config8.99")
    assert result.returncode != 0 and "php-config8.99" in result.stdout
