"""Requests to the app's address, and messages that are posted to addresses of Slack."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient

from fake import APP, SECRET, check, channel, control, delivery, look, say, shows, someone, until


class App:
    """An app that verifies what it gets, and answers as it is told."""

    def __init__(self):
        self.heard, self.statuses, self.headers = [], [], {}
        self.verifier = SignatureVerifier(SECRET)
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                app.answer(self, body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def answer(self, request, body):
        signature, at = request.headers["x-slack-signature"], request.headers["x-slack-request-timestamp"]
        assert self.verifier.generate_signature(timestamp=at, body=body) == signature
        content = b""
        status = 200
        if body.startswith("{") and json.loads(body)["type"] == "url_verification":
            content = json.loads(body)["challenge"].encode()
        else:
            self.heard.append((dict(request.headers), body))
            status = self.statuses.pop(0) if self.statuses else 200
        request.send_response(status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


@contextlib.contextmanager
def serving():
    app = App()
    threading.Thread(target=app.server.serve_forever, daemon=True).start()
    control("request_url", app=APP, url=f"http://127.0.0.1:{app.server.server_port}/slack")
    until("the proof", lambda: look(f"chat?chat={APP}")["proved"])
    try:
        yield app
    finally:
        control("request_url", app=APP)
        app.server.shutdown()


def what_comes_is_signed_over_its_bytes():
    anna = someone()
    with serving() as app:
        say(anna, "grüße & so")
        control("slash", channel=anna, user=anna, command="/frontdesk", text="grüße & so")
        until("both", lambda: len(app.heard) == 2)
        bodies = [body for _, body in app.heard]
        event = next(json.loads(body) for body in bodies if body.startswith("{"))
        form = next(parse_qs(body) for body in bodies if not body.startswith("{"))
        assert event["event"]["text"] == "grüße & so" and form["text"] == ["grüße & so"]


def what_fails_comes_again_unless_the_app_says_no():
    anna = someone()
    with serving() as app:
        app.statuses = [500]
        sent = say(anna, "once more")
        until("the second attempt", lambda: len(app.heard) == 2)
        headers = {name.lower(): value for name, value in app.heard[1][0].items()}
        assert (headers["x-slack-retry-num"], headers["x-slack-retry-reason"]) == ("1", "http_error")
        until("the acknowledgement", lambda: delivery(sent["number"])["confirmed"])
        app.statuses, app.headers = [500], {"x-slack-no-retry": "1"}
        refused = say(anna, "never more")
        until("its end", lambda: delivery(refused["number"])["expired"])
        assert len(app.heard) == 3


def messages_are_posted_to_addresses():
    anna = someone()
    garden = channel([anna])
    webhook = WebhookClient(control("webhook", channel=garden)["url"])
    assert webhook.send(text="deployed").body == "ok"
    assert webhook.send(text="").status_code == 400
    with serving():
        command = control("slash", channel=garden, user=anna, command="/frontdesk")
        assert WebhookClient(command["response_url"]).send(text="for you").status_code == 200
        assert WebhookClient(command["response_url"]).send(text="for all", response_type="in_channel").status_code == 200
    assert [(shown["text"], shown["only"]) for shown in shows(garden)] == [
        ("deployed", None), ("for you", anna), ("for all", None),
    ]


def judge():
    for test in (
        what_comes_is_signed_over_its_bytes,
        what_fails_comes_again_unless_the_app_says_no,
        messages_are_posted_to_addresses,
    ):
        check(test)
