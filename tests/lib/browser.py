# SPDX-License-Identifier: MIT
"""A small browser for web sites inside a Machine: cookies, redirects, forms."""

import html.parser
import http.client
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request


class Page:
    def __init__(self, answer):
        self.status, self.url, self.headers = answer.status, answer.url, answer.headers
        self.text = answer.read().decode(errors="replace")

    def __repr__(self):
        words = re.sub(r"\s+", " ", re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", self.text))
        return f"<Page {self.status} {self.url} {words[:1500]}>"

    def fields(self, form_id):
        """The names and values that a form would send as it is."""
        parser = _FormParser(form_id)
        parser.feed(self.text)
        return parser.fields


class _FormParser(html.parser.HTMLParser):
    def __init__(self, form_id):
        super().__init__()
        self.form_id, self.inside, self.fields = form_id, False, {}
        self.textarea = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.inside = attrs.get("id") == self.form_id
        elif self.inside and attrs.get("name"):
            if tag == "textarea":
                self.textarea = attrs["name"]
                self.fields[self.textarea] = ""
            elif tag == "input" and attrs.get("type") not in ("submit", "checkbox", "radio"):
                self.fields[attrs["name"]] = attrs.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea":
            self.textarea = None

    def handle_data(self, data):
        if self.textarea:
            self.fields[self.textarea] += data


class Browser:
    def __init__(self, machine, port):
        self.base = f"http://localhost:{port}"

        class Connection(http.client.HTTPConnection):
            def connect(self):
                self.sock = machine.tcp(self.port, timeout=60)

        class Handler(urllib.request.HTTPHandler):
            def http_open(self, request):
                return self.do_open(Connection, request)

        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), Handler,
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def open(self, path, data=None, headers=None):
        """Follows redirects; a dictionary is posted as a form, bytes as they are. Answers of any status."""
        if isinstance(data, dict):
            data = urllib.parse.urlencode(data).encode()
        request = urllib.request.Request(urllib.parse.urljoin(self.base, path), data, headers or {})
        try:
            with self.opener.open(request) as answer:
                return Page(answer)
        except urllib.error.HTTPError as answer:
            return Page(answer)
