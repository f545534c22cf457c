# SPDX-License-Identifier: MIT
"""nginx and Apache, started by hand in front of the servers, and what ab(1) measures through them."""

import contextlib
import csv
import re
import subprocess
import tempfile
from pathlib import Path

from lib import fastcgi
from lib.wait import wait_until

NGINX = """
user www-data;
worker_processes 1;
worker_rlimit_nofile 10000;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    fastcgi_temp_path {directory}/fastcgi;
    keepalive_requests 100000000;
    {sites}
}}
"""
NGINX_SITE = """
    upstream up{port} {{ server unix:{socket}; {keepalive} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {script};
            fastcgi_pass up{port};
            fastcgi_keep_conn {keep};
        }}
    }}
"""
APACHE = """
ServerName localhost
ServerRoot {directory}
DefaultRuntimeDir {directory}
PidFile {directory}/pid
ErrorLog {directory}/error.log
User www-data
Group www-data
MaxKeepAliveRequests 0
{modules}
{sites}
"""
APACHE_SITE = """
Listen 127.0.0.1:{port}
<Proxy "fcgi://up{port}" enablereuse={keep}>
</Proxy>
<VirtualHost 127.0.0.1:{port}>
DocumentRoot {root}
<Directory {root}>
    Require all granted
</Directory>
<FilesMatch "\\.php$">
    SetHandler "proxy:unix:{socket}|fcgi://up{port}"
</FilesMatch>
</VirtualHost>
"""
APACHE_MODULES = ("mpm_event", "authz_core", "proxy", "proxy_fcgi")


def nginx_sites(sites, ports):
    return "".join(NGINX_SITE.format(port=port, socket=server.address, script=script, keep="on" if keep else "off",
                                     keepalive="keepalive 32;" if keep else "")
                   for port, (server, script, keep) in zip(ports, sites))


def apache_sites(sites, ports):
    return "".join(APACHE_SITE.format(port=port, socket=server.address, root=script.parent,
                                      keep="on" if keep else "off")
                   for port, (server, script, keep) in zip(ports, sites))


def write_nginx(directory, sites, ports):
    (directory / "conf").write_text(NGINX.format(directory=directory, sites=nginx_sites(sites, ports)))
    return ["nginx", "-e", directory / "error.log", "-c", directory / "conf", "-g", "daemon off;"]


def write_apache(directory, sites, ports):
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                        for name in APACHE_MODULES)
    (directory / "conf").write_text(APACHE.format(directory=directory, modules=modules,
                                                  sites=apache_sites(sites, ports)))
    return ["apache2", "-f", directory / "conf", "-DFOREGROUND"]


@contextlib.contextmanager
def frontend(write, sites):
    """
    Runs what write_nginx() or write_apache() says; `sites` are (server, script, whether FastCGI connections are
    kept). Yields their URLs.
    """
    with tempfile.TemporaryDirectory() as tmp:
        directory = Path(tmp)
        directory.chmod(0o777)
        ports = [fastcgi.free_port() for _ in sites]
        process = subprocess.Popen(write(directory, sites, ports), stderr=subprocess.DEVNULL)
        try:
            urls = [f"http://127.0.0.1:{port}/{script.name}" for port, (_, script, _) in zip(ports, sites)]
            for url in urls:
                wait_until(lambda: subprocess.run(["curl", "-fs", "-o", "/dev/null", url]).returncode == 0,
                           what=f"answer from {url}: " + str(directory))
            yield urls
        finally:
            process.terminate()
            process.wait()


def ab(url, clients, *amount):
    """`amount` as ab's options: -t SECONDS or -n REQUESTS. Clients keep their HTTP connections."""
    with tempfile.NamedTemporaryFile("r") as percentiles:
        limit = [] if "-n" in amount else ["-n", "100000000"]
        out = subprocess.run(["ab", "-q", "-k", "-l", "-c", str(clients), *amount, *limit,
                              "-e", percentiles.name, url], capture_output=True, text=True).stdout
        latency = {row[0]: float(row[1]) * 1000 for row in list(csv.reader(percentiles))[1:]}

    def number(what):
        found = re.search(rf"^{what}:\s+([\d.]+)", out, re.M)
        return float(found[1]) if found else 0

    return {"rate": number("Requests per second"), "answered": number("Complete requests"),
            "errors": number("Failed requests") + number("Non-2xx responses"),
            "p50": latency.get("50"), "p99": latency.get("99")}
