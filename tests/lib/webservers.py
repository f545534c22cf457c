# SPDX-License-Identifier: MIT
"""
Web servers inside a Machine, configured with the very texts of php-pool(7): each has a site for a Unix and
one for a TCP socket of a pool `www`, and, where it can keep connections, either both ways.
"""

import contextlib

from lib.manual import examples

SECTION = "Point a web server at it"
STATUS_SECTION = "See what a pool does"
HOST = "example.test"
SOCKETS = {"unix": "/run/php-pool/www.sock", "tcp": "127.0.0.1:9000"}
PORTS = iter(range(8100, 8200))


def example(title, section=SECTION):
    """The example of a section of the manual whose first line is a comment with this title."""
    for block in examples("php-pool.7", "HOW TO", section):
        first, _, text = block.partition("\n")
        if first.removeprefix("# ").partition(" (")[0] == title:
            return text
    raise LookupError(f"php-pool(7) has no example “{title}”")


def replace(text, old, new):
    assert old in text, f"php-pool(7) has no “{old}” in:\n{text}"
    return text.replace(old, new)


class Site:
    """A port of a web server that passes everything *.php below `root` to the pool."""

    def __init__(self, server, socket, keep):
        self.server, self.socket, self.keep = server, socket, keep
        self.port = next(PORTS)

    def __str__(self):
        return f"{self.server.name}-{self.socket}-{'kept' if self.keep else 'closed'}"

    def address(self, unix="{}", tcp="{}"):
        return (unix if self.socket == "unix" else tcp).format(SOCKETS[self.socket])


class WebServer:
    name, unit, path = None, None, None
    keeps = (False, True)  # its choices: to close connections, to keep them
    takes_chunks = True    # a body whose length the client does not say
    notices_abort = True   # that the client is gone, while it passes an answer on
    head = ""              # of its configuration
    prepare = []           # commands
    drop_in = ""           # for its unit

    def __init__(self):
        self.sites = [Site(self, socket, keep) for socket in SOCKETS for keep in self.keeps]

    def configuration(self, root):
        return self.head.format(root=root, port=self.sites[0].port) + "".join(
            self.site(site, root) for site in self.sites)

    def site(self, site, root):
        raise NotImplementedError

    def start(self, machine, root):
        for command in self.prepare:
            machine.run(*command)
        machine.write(self.path, self.configuration(root))
        if self.drop_in:
            machine.write(f"/etc/systemd/system/{self.unit}.service.d/test.conf", self.drop_in)
            machine.systemctl("daemon-reload")
        machine.systemctl("start", self.unit)

    def stop(self, machine):
        machine.systemctl("stop", self.unit)
        machine.systemctl("reset-failed", self.unit, check=False)  # lighttpd fails with clients
        machine.remove(self.path, f"/etc/systemd/system/{self.unit}.service.d")


class Nginx(WebServer):
    name, unit, path = "nginx", "nginx", "/etc/nginx/sites-enabled/sites"
    prepare = [["rm", "-f", "/etc/nginx/sites-enabled/default"]]

    def site(self, site, root):
        upstream, address = "", site.address(unix="unix:{}")
        status = replace(example("nginx", STATUS_SECTION), "unix:" + SOCKETS["unix"], address)
        location = replace(example("nginx"), "unix:" + SOCKETS["unix"], address)
        if site.keep:
            upstream, use = example("nginx, keeping connections").split("# and in the location\n")
            upstream = replace(upstream, "unix:" + SOCKETS["unix"], address)
            upstream = replace(upstream, "upstream www", f"upstream www{site.port}")
            use = replace(use, "fastcgi_pass www;", f"fastcgi_pass www{site.port};")
            location = replace(location, f"fastcgi_pass {address};\n", use.lstrip())
        return f"""
{upstream}
server {{
    listen 127.0.0.1:{site.port};
    server_name {HOST};
    root {root};
    client_max_body_size 8m;
{location}
{status}
}}
"""


class Apache(WebServer):
    name, unit, path = "Apache", "apache2", "/etc/apache2/sites-enabled/sites.conf"
    prepare = [["rm", "-f", "/etc/apache2/sites-enabled/000-default.conf"],
               ["cp", "/dev/null", "/etc/apache2/ports.conf"], ["a2enmod", "-q", "proxy_fcgi"]]

    def site(self, site, root):
        text = example("Apache") + (example("Apache, keeping connections") if site.keep else "")
        if site.socket == "tcp":
            text = text.replace("unix:/run/php-pool/www.sock|fcgi://www", "fcgi://www")
            text = text.replace("fcgi://www", site.address(tcp="fcgi://{}"))
        return f"""
Listen 127.0.0.1:{site.port}
<VirtualHost 127.0.0.1:{site.port}>
ServerName {HOST}
DocumentRoot {root}
<Directory {root}>
    Require all granted
</Directory>
{text}
</VirtualHost>
"""


class Caddy(WebServer):
    name, unit, path = "Caddy", "caddy", "/etc/caddy/Caddyfile"
    keeps = (False,)
    prepare = [["usermod", "-aG", "www-data", "caddy"]]

    def site(self, site, root):
        text = replace(example("Caddy"), "/srv/www", root)
        text = replace(text, "unix//run/php-pool/www.sock", site.address(unix="unix/{}"))
        return f"http://:{site.port} {{\n{text}\n}}\n"


class Lighttpd(WebServer):
    name, unit, path = "lighttpd", "lighttpd", "/etc/lighttpd/lighttpd.conf"
    keeps = (False,)
    notices_abort = False
    head = """
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{root}"
server.username = "www-data"
server.groupname = "www-data"
server.errorlog = "/var/log/lighttpd/error.log"
"""

    def site(self, site, root):
        modules, _, text = example("lighttpd").partition("\n")
        if site.socket == "tcp":
            modules = ""
            host, port = site.address().split(":")
            text = replace(text, f'"socket" => "{SOCKETS["unix"]}"', f'"host" => "{host}", "port" => {port}')
        return f'{modules}\n$SERVER["socket"] == "127.0.0.1:{site.port}" {{\n{text}\n}}\n'


class HAProxy(WebServer):
    name, unit, path = "HAProxy", "haproxy", "/etc/haproxy/haproxy.cfg"
    takes_chunks = False
    head = """
global
    chroot /var/lib/haproxy
    user haproxy
    group www-data
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""
    drop_in = "[Service]\nBindPaths=/run/php-pool:/var/lib/haproxy/run/php-pool\n"

    def site(self, site, root):
        text = replace(example("HAProxy"), "/srv/www", root)
        text = replace(text, "unix@/run/php-pool/www.sock", site.address(unix="unix@{}"))
        for name in ("app", "backend"):
            text = replace(text, f"{name} www", f"{name} www{site.port}")
        if not site.keep:
            text = replace(text, "docroot", "no option keep-conn\n        docroot")
        return f"""
frontend front{site.port}
    bind 127.0.0.1:{site.port}
    default_backend www{site.port}
{text}
"""


SERVERS = [server() for server in (Nginx, Apache, Caddy, Lighttpd, HAProxy)]
SITES = [site for server in SERVERS for site in server.sites]


@contextlib.contextmanager
def running(machine, root):
    """All of them, with this document root."""
    started = []
    try:
        for server in SERVERS:
            started.append(server)
            server.start(machine, root)
        yield
    finally:
        for server in started:
            server.stop(machine)
