# SPDX-License-Identifier: Apache-2.0
"""A mail server of the lab's: it keeps what it is sent, and is as strict as RFC 5321 wants it."""

import base64
import email
import email.policy
import re
import socketserver
import ssl
import threading


class _Session(socketserver.StreamRequestHandler):
    def say(self, *lines):
        for i, line in enumerate(lines):
            code, words = line.split(" ", 1)
            self.wfile.write(f"{code}{' ' if i == len(lines) - 1 else '-'}{words}\r\n".encode())

    def read(self):
        line = self.rfile.readline(2000)
        return line.decode("ascii", "replace").rstrip("\r\n") if line.endswith(b"\r\n") else None

    def setup(self):
        self.tls = self.logged_in = False
        self.sender, self.recipients = None, []
        if self.server.implicit:
            self.request, self.tls = self.server.context.wrap_socket(self.request, server_side=True), True
        super().setup()

    def handle(self):
        self.say("220 lab ESMTP")
        while (line := self.read()) is not None:
            self.server.said.append(line)
            verb = line.split(" ")[0].upper()
            if self.server.refusals and self.server.refusals[0][0] == verb:
                self.say(self.server.refusals.pop(0)[1])
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                getattr(self, f"on_{verb.lower()}", self.on_unknown)(line)

    def on_unknown(self, _line):
        self.say("502 no such command")

    def on_ehlo(self, _line):
        offers = ["250 lab"]
        if self.server.context and not self.tls:
            offers.append("250 STARTTLS")
        if self.server.users and self.tls:
            offers.append("250 AUTH PLAIN LOGIN")
        self.say(*offers)

    def on_starttls(self, _line):
        self.say("220 go ahead")
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.tls = True
        super().setup()

    def on_auth(self, line):
        method, _, given = line[5:].partition(" ")
        if method.upper() == "PLAIN":
            if not given:
                self.say("334 ")
                given = self.read()
            user, password = base64.b64decode(given).split(b"\0")[1:]
        else:
            self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(given or self.read())
            self.say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(self.read())
        self.logged_in = self.server.users.get(user.decode()) == password.decode()
        self.say("235 welcome" if self.logged_in else "535 no such user or password: who are you")

    def on_mail(self, line):
        found = re.fullmatch(r"MAIL FROM:<([^<>\s]+)>(?: \S+)*", line, re.IGNORECASE)
        if self.server.users and not self.logged_in:
            self.say("530 log in first")
        elif not found:
            self.say("501 no address")
        else:
            self.sender, self.recipients = found[1], []
            self.say("250 fine")

    def on_rcpt(self, line):
        found = re.fullmatch(r"RCPT TO:<([^<>\s]+)>", line, re.IGNORECASE)
        if not self.sender or not found:
            self.say("503 not now")
        elif found[1] in self.server.unknown:
            self.say(f"550 {found[1]} is not known here")
        else:
            self.recipients.append(found[1])
            self.say("250 fine")

    def on_data(self, _line):
        if not self.recipients:
            self.say("503 nobody to send it to")
            return
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline(2000)) not in (b".\r\n", b""):
            if not line.endswith(b"\r\n") or len(line) > 1000 or max(line) > 126:
                self.say("554 a line that is none")
                return
            lines.append(line[1:] if line.startswith(b"..") else line)
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        missing = [name for name in ("Date", "From", "To", "Message-ID", "Subject") if mail[name] is None]
        if missing or mail.defects:
            self.say(f"554 no mail: {missing} {mail.defects}")
            return
        self.server.received.append((self.sender, self.recipients, self.tls, mail))
        self.say("250 taken")


class MailServer(socketserver.ThreadingTCPServer):
    """`received` holds (sender, recipients, whether by TLS, mail); `refusals` what the next commands are answered."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, certificate=None, users=None, implicit=False):
        super().__init__(("127.0.0.1", 0), _Session)
        self.received, self.said, self.refusals, self.unknown = [], [], [], set()
        self.users, self.implicit, self.context = users or {}, implicit, None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.address = f"localhost:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """Who hangs up, or trusts nobody, is no fault of the lab's."""

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        self.shutdown()
        self.server_close()
