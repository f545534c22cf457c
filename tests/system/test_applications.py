# SPDX-License-Identifier: MIT
"""
Real applications behind nginx, as Debian packages them: WordPress on MariaDB is installed and browsed, a
page of DokuWiki is edited. The same with PHP-FPM in php-pool's place shows that the test is right.
"""

import json
import re

import pytest

from lib.browser import Browser
from lib.php import FPM_NAME, FPM_SERVICE, FPM_SOCKET

WORDPRESS_PORT, DOKUWIKI_PORT = 8001, 8002

NGINX = """
server {{
    listen 127.0.0.1:8001;
    server_name localhost;
    root /usr/share/wordpress;
    index index.php;
    location /wp-content/ {{ root /var/lib/wordpress; }}
    location / {{ try_files $uri $uri/ /index.php?$args; }}
    location ~ \\.php$ {{
        include snippets/fastcgi-php.conf;
        fastcgi_pass unix:{socket};
    }}
}}
server {{
    listen 127.0.0.1:8002;
    server_name localhost;
    root /usr/share/dokuwiki;
    index doku.php;
    location / {{ try_files $uri $uri/ =404; }}
    location ~ \\.php(/|$) {{
        include snippets/fastcgi-php.conf;
        fastcgi_pass unix:{socket};
    }}
}}
"""

WORDPRESS = """<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', 'secret');
define('DB_HOST', 'localhost');
define('WP_HTTP_BLOCK_EXTERNAL', true);
"""

DATABASE = """
DROP DATABASE IF EXISTS wordpress;
CREATE DATABASE wordpress;
GRANT ALL ON wordpress.* TO wordpress@localhost IDENTIFIED BY 'secret';
"""


@pytest.fixture(params=["php-pool", FPM_NAME])
def server(request, machine):
    """nginx in front of PHP, served by either; yields its journal's unit."""
    if request.param == "php-pool":
        with machine.pool("www") as pool:
            yield from nginx(machine, "/run/php-pool/www.sock", pool.unit)
    else:
        machine.systemctl("start", FPM_NAME)
        yield from nginx(machine, FPM_SOCKET, FPM_SERVICE)
        machine.systemctl("stop", FPM_NAME)


def nginx(machine, socket, unit):
    machine.remove("/etc/nginx/sites-enabled/default")
    machine.write("/etc/nginx/sites-enabled/test", NGINX.format(socket=socket))
    machine.systemctl("start", "nginx")
    yield unit
    machine.systemctl("stop", "nginx")


@pytest.fixture
def database(machine):
    """MariaDB with an empty database for WordPress."""
    machine.write("/etc/wordpress/config-default.php", WORDPRESS)
    machine.systemctl("start", "mariadb")
    machine.run("mariadb", input=DATABASE)
    yield
    machine.systemctl("stop", "mariadb")


def test_wordpress(machine, server, database):
    browser = Browser(machine, WORDPRESS_PORT)

    page = browser.open("/")
    assert page.url.endswith("/wp-admin/install.php"), page.url
    page = browser.open("/wp-admin/install.php?step=2", {
        "weblog_title": "Pool of Words", "user_name": "admin", "admin_password": "correct horse",
        "admin_password2": "correct horse", "pw_weak": "1", "admin_email": "admin@example.org",
        "blog_public": "1", "Submit": "Install WordPress", "language": ""})
    assert page.status == 200 and "WordPress has been installed" in page.text, page

    page = browser.open("/")
    assert page.status == 200 and "Pool of Words" in page.text and "Hello world!" in page.text, page

    page = browser.open("/wp-admin/")
    assert "/wp-login.php" in page.url
    page = browser.open("/wp-login.php", {"log": "admin", "pwd": "correct horse", "wp-submit": "Log In",
                                          "redirect_to": browser.base + "/wp-admin/", "testcookie": "1"})
    assert page.status == 200 and page.url.endswith("/wp-admin/") and "Dashboard" in page.text, page

    page = browser.open("/wp-admin/post-new.php")
    nonce = re.search(r'wpApiSettings = .*?"nonce":"([0-9a-f]+)"', page.text)
    assert nonce, page
    post = {"title": "Written behind the pool", "content": "<p>Zwölf Boxkämpfer.</p>", "status": "publish"}
    page = browser.open("/index.php?rest_route=/wp/v2/posts", json.dumps(post).encode(),
                        {"Content-Type": "application/json", "X-WP-Nonce": nonce[1]})
    assert page.status == 201, page
    link = json.loads(page.text)["link"]

    page = Browser(machine, WORDPRESS_PORT).open(link)  # as a visitor
    assert page.status == 200 and "Written behind the pool" in page.text and "Zwölf Boxkämpfer." in page.text
    page = browser.open("/")
    assert "Written behind the pool" in page.text


def test_dokuwiki(machine, server):
    password = machine.run("php", "-r", "echo password_hash('tea and cake', PASSWORD_BCRYPT);").stdout
    machine.write("/etc/dokuwiki/users.auth.php", f"writer:{password}:A Writer:writer@example.org:user\n")
    machine.write("/etc/dokuwiki/acl.auth.php", "* @ALL 1\n* @user 8\n")
    browser = Browser(machine, DOKUWIKI_PORT)

    page = browser.open("/doku.php?id=test:pool&do=login")
    form = page.fields("dw__login")
    assert "sectok" in form, page
    page = browser.open("/doku.php?id=test:pool", {**form, "u": "writer", "p": "tea and cake"})
    assert page.status == 200 and "A Writer" in page.text, page

    page = browser.open("/doku.php?id=test:pool&do=edit")
    assert page.status == 200, page
    form = page.fields("dw__editform")
    assert form.get("sectok") and "wikitext" in form, page

    form["wikitext"] = f"====== A pool ======\nKept by **{server}**.\n"
    form |= {"do[save]": "Save", "summary": "new"}
    page = browser.open("/doku.php?id=test:pool", form)
    assert page.status == 200 and f"<strong>{server}</strong>" in page.text, page

    page = Browser(machine, DOKUWIKI_PORT).open("/doku.php?id=test:pool")
    assert f"<strong>{server}</strong>" in page.text and "A pool" in page.text
