"""Socket Mode: acknowledgement, repetition, several sockets, the change from one to the next, and one that is dead."""

import contextlib
import logging
import threading

from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState
from slack_sdk.socket_mode.response import SocketModeResponse

from fake import (
    APP, APP_TOKEN, OTHER_TEAM, TEAM, check, channel, control, delivery, look, make, open_sockets, say, shows, someone, until,
)


class Listener:
    """A client that notes what it gets, and acknowledges it unless it is told not to."""

    def __init__(self, acknowledges=True, answer=None, **more):
        self.heard = []
        self.answer = answer
        self.acknowledges = acknowledges
        self.client = SocketModeClient(app_token=APP_TOKEN, web_client=make(), **more)
        self.client.socket_mode_request_listeners.append(self.hear)

    def hear(self, client, request):
        self.heard.append(request)
        if self.acknowledges:
            response = SocketModeResponse(envelope_id=request.envelope_id, payload=self.answer)
            client.send_socket_mode_response(response)

    def texts(self):
        return [request.payload["event"]["text"] for request in list(self.heard) if request.type == "events_api"]


@contextlib.contextmanager
def listening(*listeners):
    before = open_sockets()
    for listener in listeners:
        listener.client.connect()
    until("the sockets", lambda: open_sockets() == before + len(listeners))
    try:
        yield listeners[0]
    finally:
        for listener in listeners:
            threading.Thread(target=listener.client.close, daemon=True).start()
        until("no socket", lambda: open_sockets() == before)


def what_is_acknowledged_is_over():
    anna = someone()
    with listening(Listener()) as listener:
        sent = say(anna, "hello")
        until("the acknowledgement", lambda: delivery(sent["number"])["confirmed"])
        control("advance", seconds=400)
        (request,) = listener.heard
        payload = request.payload
        assert (request.type, request.retry_attempt) == ("events_api", 0)
        assert payload["type"] == "event_callback" and payload["api_app_id"] == APP and payload["event_id"]
        assert payload["event"]["channel_type"] == "im" and payload["authorizations"][0]["is_bot"]
        assert [way for _, way in delivery(sent["number"])["delivered"]] == ["socket"]


def what_is_not_acknowledged_comes_three_times_more_and_then_never():
    anna = someone()
    with listening(Listener(acknowledges=False)) as listener:
        sent = say(anna, "hello")
        for many, seconds in ((1, 3), (2, 63), (3, 303), (4, 3)):
            until("an attempt", lambda: len(listener.heard) == many)
            control("advance", seconds=seconds)
        until("its end", lambda: delivery(sent["number"])["expired"])
        attempts = [(request.retry_attempt, request.retry_reason) for request in listener.heard]
        assert attempts == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")], attempts
        assert len({request.payload["event_id"] for request in listener.heard}) == 1


def any_socket_gets_an_event_and_ten_are_enough():
    anna = someone()
    listeners = [Listener() for _ in range(10)]
    with listening(*listeners):
        for number in range(60):
            say(anna, str(number))
        until("all", lambda: sum(len(one.heard) for one in listeners) == 60)
        assert sum(bool(one.heard) for one in listeners) >= 5, "they are spread"
        heard = sorted((text for one in listeners for text in one.texts()), key=int)
        assert heard == [str(number) for number in range(60)]
        messages = []
        url = make().apps_connections_open(app_token=APP_TOKEN)["url"]
        extra = Connection(url=url, logger=logging.getLogger(), on_message_listener=messages.append)
        extra.connect()
        threading.Thread(target=extra.run_until_completion, args=(ConnectionState(),), daemon=True).start()
        until("the refusal", lambda: any("too_many_websockets" in message for message in messages))
        assert open_sockets() == 10


def nothing_is_lost_when_a_socket_is_exchanged():
    anna = someone()
    sent, stop = [], threading.Event()

    def write():
        while not stop.wait(0.01):
            sent.append(say(anna, str(len(sent))))

    with listening(Listener()) as listener:
        before = listener.client.session_id()
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        until("some messages", lambda: len(sent) > 20)
        assert control("disconnect", app=APP, reason="warning") == 1
        until("another session", lambda: listener.client.session_id() != before)
        until("more messages", lambda: len(sent) > 100)
        stop.set()
        writer.join()
        # What went to the old socket in its last moments comes again.
        control("advance", seconds=3)
        until("all of them", lambda: set(listener.texts()) == {str(n) for n in range(len(sent))})
        until("the acknowledgements", lambda: all(delivery(one["number"])["confirmed"] for one in sent[-5:]))
        until("one socket", lambda: open_sockets() == 1)


def a_dead_socket_is_found_by_its_silence():
    anna = someone()
    with listening(Listener(ping_interval=1)) as listener:
        control("dead", app=APP)
        sent = say(anna, "into the void")
        until("a new socket", lambda: open_sockets() == 2, 30)
        control("advance", seconds=31)
        until("one that is good", lambda: open_sockets() == 1)
        control("advance", seconds=60)
        until("the message", lambda: "into the void" in listener.texts())
        until("the acknowledgement", lambda: delivery(sent["number"])["confirmed"])


def a_command_is_answered_with_its_acknowledgement():
    anna = someone()
    with listening(Listener(answer={"text": "at your service"})) as listener:
        control("slash", channel=anna, user=anna, command="/frontdesk", text="status")
        until("the answer", lambda: shows(anna) and shows(anna)[0]["text"] == "at your service")
        (request,) = listener.heard
        assert request.accepts_response_payload
        assert (request.type, request.payload["command"], request.payload["text"]) == ("slash_commands", "/frontdesk", "status")


def a_button_brings_its_message_and_value():
    anna = someone()
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "value": "go", "action_id": "a"}
    posted = make().chat_postMessage(channel=anna, text="?", blocks=[{"type": "actions", "elements": [button]}])
    with listening(Listener()) as listener:
        control("press", channel=anna, ts=posted["ts"], user=anna, button="Go")
        until("the press", lambda: listener.heard)
        payload = listener.heard[0].payload
        assert payload["type"] == "block_actions" and payload["actions"][0]["value"] == "go"
        assert payload["container"]["message_ts"] == posted["ts"] and payload["user"]["team_id"] == TEAM


def two_workspaces_share_the_sockets_and_a_channel():
    anna, carol = someone(), someone("Carol", team=OTHER_TEAM)
    garden = channel([anna, carol], shared=[OTHER_TEAM])
    with listening(Listener()) as listener:
        say(carol, "from outside", channel=garden)
        say(carol, "in private")
        until("both", lambda: len(listener.heard) == 2)
        events = {request.payload["event"]["text"]: request.payload for request in listener.heard}
        outside = events["from outside"]
        assert outside["team_id"] == TEAM and outside["is_ext_shared_channel"]
        assert outside["event"]["user_team"] == OTHER_TEAM
        assert events["in private"]["team_id"] == OTHER_TEAM


def judge():
    for test in (
        what_is_acknowledged_is_over,
        what_is_not_acknowledged_comes_three_times_more_and_then_never,
        any_socket_gets_an_event_and_ten_are_enough,
        nothing_is_lost_when_a_socket_is_exchanged,
        a_dead_socket_is_found_by_its_silence,
        a_command_is_answered_with_its_acknowledgement,
        a_button_brings_its_message_and_value,
        two_workspaces_share_the_sockets_and_a_channel,
    ):
        check(test)
    assert look(f"chat?chat={APP}")["sockets"] == 0
