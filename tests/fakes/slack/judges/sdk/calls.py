"""The Web API: bodies as JSON and as forms, files, streams, limits and lost answers."""

import time
import urllib.request

from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from fake import BOT, OTHER_TOKEN, TEAM, TOKEN, check, channel, control, make, refused, say, shows, someone

client = make()


def an_app_knows_itself_in_each_workspace():
    first, other = client.auth_test(), make(OTHER_TOKEN).auth_test()
    assert first["user_id"] == BOT and first["team_id"] == TEAM
    assert other["team_id"] != TEAM and other["user_id"] != BOT
    refused("invalid_auth", make("xoxb-wrong").auth_test)
    refused("not_authed", make(None).auth_test)
    control("app", id="A2", token="xapp-2", secret="s", team=TEAM, bot_token="xoxb-3", bot="UBOT2", name="Second")
    assert make("xoxb-3").auth_test()["user_id"] == "UBOT2"
    control("revoke", token="xoxb-3", error="token_revoked")
    refused("token_revoked", make("xoxb-3").auth_test)


def a_post_a_reply_an_edit_and_a_deletion():
    anna = someone()
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}]
    posted = client.chat_postMessage(channel=anna, text="hello", blocks=blocks)
    assert posted["channel"].startswith("D") and posted["message"]["blocks"][0]["block_id"]
    reply = client.chat_postMessage(channel=posted["channel"], text="more", thread_ts=posted["ts"])
    parent, child = shows(anna)
    assert child["thread"] == parent["ts"] and parent["message"]["reply_count"] == 1
    client.chat_update(channel=posted["channel"], ts=posted["ts"], text="changed", parse="none")
    assert "blocks" not in shows(anna)[0]["message"], "a text alone takes the blocks away"
    client.chat_delete(channel=posted["channel"], ts=reply["ts"])
    assert [shown["text"] for shown in shows(anna)] == ["changed"]
    refused("msg_too_long", client.chat_update, channel=posted["channel"], ts=posted["ts"], text="a" * 4001)


def metadata_is_kept():
    anna = someone()
    metadata = {"event_type": "part", "event_payload": {"key": "t1/0"}}
    posted = client.chat_postMessage(channel=anna, text="hello", metadata=metadata)
    kept = client.conversations_history(channel=posted["channel"], include_all_metadata=True)["messages"][0]["metadata"]
    assert kept["event_payload"]["key"] == "t1/0"
    assert "metadata" not in client.conversations_history(channel=posted["channel"])["messages"][0]
    thread = client.conversations_replies(channel=posted["channel"], ts=posted["ts"], include_all_metadata=True)
    assert thread["messages"][0]["metadata"] == metadata


def reactions_are_listed_with_who_gave_them():
    anna = someone()
    posted = client.chat_postMessage(channel=anna, text="hello")
    client.reactions_add(channel=posted["channel"], timestamp=posted["ts"], name="eyes")
    shown = client.reactions_get(channel=posted["channel"], timestamp=posted["ts"], full=True)["message"]
    assert shown["reactions"] == [{"name": "eyes", "count": 1, "users": [BOT]}]
    refused("message_not_found", client.reactions_get, channel=posted["channel"], timestamp="1.000001")


def a_file_goes_up_and_comes_down():
    anna = someone()
    garden = channel([anna])
    done = client.files_upload_v2(channel=garden, content="bytes of a file", filename="a.txt", title="A", initial_comment="see")
    shown = shows(garden)[0]
    assert shown["files"] == ["a.txt"] and shown["text"] == "see"
    url = client.files_info(file=done["file"]["id"])["file"]["url_private_download"]
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == b"bytes of a file"
    refused("file_not_found", client.files_completeUploadExternal, files=[{"id": "F404"}])


def a_message_grows():
    anna = someone()
    sent = say(anna, "tell me")
    stream = client.chat_stream(
        channel=sent["channel"], thread_ts=sent["ts"], recipient_user_id=anna, recipient_team_id=TEAM, buffer_size=1
    )
    stream.append(markdown_text="one ")
    assert shows(anna)[-1]["grows"]
    stream.append(markdown_text="two ")
    stream.stop(markdown_text="three")
    assert shows(anna)[-1]["text"] == "one two three" and not shows(anna)[-1]["grows"]


def a_status_is_shown_until_the_reply():
    anna = someone()
    sent = say(anna, "hello")
    client.assistant_threads_setStatus(channel_id=sent["channel"], thread_ts=sent["ts"], status="is thinking")
    client.chat_postMessage(channel=sent["channel"], thread_ts=sent["ts"], text="done")
    refused("invalid_thread_ts", client.assistant_threads_setStatus, channel_id=sent["channel"], thread_ts="1.0", status="x")


def a_limit_says_how_long_to_wait():
    anna = someone()
    control("limits", on=True)
    client.chat_postMessage(channel=anna, text="1")
    limited = refused("ratelimited", client.chat_postMessage, channel=anna, text="2")
    assert limited.status_code == 429 and limited.headers["retry-after"] == "1"
    patient = make()
    patient.retry_handlers = [RateLimitErrorRetryHandler(max_retry_count=1)]
    began = time.monotonic()
    patient.chat_postMessage(channel=anna, text="3")
    assert time.monotonic() - began > 0.5
    assert [shown["text"] for shown in shows(anna)] == ["1", "3"]


def an_answer_is_lost_and_a_proxy_is_ill():
    anna = someone()
    control("fault", kind="lost", times=1)
    try:
        client.chat_postMessage(channel=anna, text="lost")
        raise AssertionError("there was an answer")
    except OSError:
        pass
    except Exception as error:  # noqa: BLE001 - how a connection breaks is the library's to say
        assert "Remote" in type(error).__name__ or "Incomplete" in type(error).__name__, error
    assert [shown["text"] for shown in shows(anna)] == ["lost"]
    control("fault", kind={"refuse": [500, "internal_error"]}, times=1)
    assert refused("internal_error", client.chat_postMessage, channel=anna, text="x").status_code == 500


def judge():
    for test in (
        an_app_knows_itself_in_each_workspace,
        a_post_a_reply_an_edit_and_a_deletion,
        metadata_is_kept,
        reactions_are_listed_with_who_gave_them,
        a_file_goes_up_and_comes_down,
        a_message_grows,
        a_status_is_shown_until_the_reply,
        a_limit_says_how_long_to_wait,
        an_answer_is_lost_and_a_proxy_is_ill,
    ):
        check(test)
