"""The three fake platforms: who is there, how a message is written, and how each one fails."""

import collections
import json
import re
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
CHATS = 50
# Of them, chats in which a group of people writes.
GROUPS = 5


@dataclass
class Chat:
    # The place of the chat as the platform's control port names it.
    place: str | int
    person: str | int
    # The first letters of all marks in its messages.
    mark: str


class Platform:
    name = program = letter = ""
    # The bot's account, as the platform shows it.
    bot: str | int = 0
    # The field in which the platform shows who wrote a message, and that of the text.
    author, text = "user", "text"

    def __init__(self, folder):
        command = [folder / self.program, "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = found[0]
                break
        else:
            raise RuntimeError(f"{self.program} does not start")
        self.chats = [self.arrange(n, n >= CHATS - GROUPS) for n in range(CHATS)]

    def chat(self, n, place, person):
        return Chat(place, person, f"{self.letter}{n:02}")

    def control(self, action, **body):
        request = urllib.request.Request(f"{self.url}/control/{action}", json.dumps(body).encode())
        with OPENER.open(request, timeout=30) as answer:
            return json.load(answer)

    def shows(self, chat):
        """The bot's texts in a chat, as people see them now."""
        query = urllib.parse.urlencode({"chat": chat.place})
        with OPENER.open(f"{self.url}/control/chat?{query}", timeout=30) as answer:
            shown = self.messages(json.load(answer))
        return [message[self.text] for message in shown if str(message[self.author]) == str(self.bot)]

    def messages(self, shown):
        return shown

    def refusals(self):
        """Which requests were answered 429 and how often, and how many were not carried out at all."""
        with OPENER.open(f"{self.url}/control/journal", timeout=60) as answer:
            calls = json.load(answer)["calls"]
        refused = [call for call in calls if isinstance(call["outcome"], dict)]
        methods = collections.Counter(call["method"] for call in refused if call["outcome"]["refused"][0] == 429)
        many = ", ".join(f"{method} {count}" for method, count in methods.most_common(4))
        unheard = sum(call["outcome"] == "unheard" for call in calls)
        return f"429 {methods.total()} ({many}), not carried out {unheard}, of {len(calls)} requests"

    def groups(self):
        return [chat.place for chat in self.chats[-GROUPS:]]

    def config(self):
        lines = [f"[channels.{self.name}]", 'dm_policy = "open"', *self.keys()]
        for place in self.groups():
            lines += [f'[channels.{self.name}.groups."{place}"]', "require_mention = false"]
        return "\n".join(lines) + "\n"

    def fault(self, kind, method, times):
        self.control("fault", kind=kind, method=method, times=times)

    def troubles(self):
        """Requests fail in ways that pass."""
        self.fault({"too_many": 2}, self.post, 10)
        self.fault({"status": 502}, self.post, 3)
        self.fault("hangup", self.post, 3)


class Telegram(Platform):
    name, program, letter, bot, post = "telegram", "frontdesk-botapi", "t", 123456, "sendMessage"
    author = "from"

    def arrange(self, n, is_group):
        person, place = 1000 + n, 1000 + n
        self.control("user", id=person, name=f"P{n}")
        if is_group:
            place = -1_000_000_001_000 - n
            self.control("new_chat", id=place, kind="supergroup", title=f"G{n}", admin=True)
            self.control("join", chat=place, user=person)
        return self.chat(n, place, person)

    def keys(self):
        return ['token = "123456:TEST-token"', f'api_url = "{self.url}"']

    def limit(self):
        self.control("flood")

    def say(self, chat, text):
        self.control("say", **{"chat": chat.place, "from": chat.person, "text": text})

    def disconnect(self):
        yield lambda: self.fault("hangup", "getUpdates", 2)
        yield lambda: self.fault({"status": 502}, "getUpdates", 2)
        yield lambda: self.fault({"too_many": 3}, "getUpdates", 1)

    def go_deaf(self):
        self.control("fault", kind="silent", method="getUpdates")

    def come_back(self):
        self.control("clear_faults")
        self.limit()


class Discord(Platform):
    name, program, letter, post = "discord", "frontdesk-fakediscord", "d", "create_message"
    bot, guild = 1_000_000_000_000_000_001, 9000
    author, text = "author", "content"

    def arrange(self, n, is_group):
        person = 1000 + n
        self.control("user", id=person, name=f"P{n}")
        if not is_group:
            return self.chat(n, self.control("dm", user=person)["channel_id"], person)
        if n == CHATS - GROUPS:
            self.control("guild", id=self.guild, name="Garden", owner=person)
        self.control("member", guild=self.guild, user=person)
        self.control("channel", id=5000 + n, guild=self.guild, name=f"c{n}")
        return self.chat(n, 5000 + n, person)

    def keys(self):
        return ['token = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.test.token"', f'api_url = "{self.url}/api"']

    def limit(self):
        self.control("limits")

    def say(self, chat, text):
        self.control("say", user=chat.person, channel=chat.place, content=text)

    def disconnect(self):
        yield lambda: self.control("disconnect")
        yield lambda: self.control("disconnect", code=4000)
        yield lambda: self.control("reconnect")
        yield lambda: self.control("invalidate", resumable=True)
        yield lambda: self.control("invalidate", resumable=False)

    def troubles(self):
        super().troubles()
        for scope, after in [("user", 650), ("shared", 1500), ("global", 3000)]:
            self.control("too_many", operation=self.post, scope=scope, retry_after_ms=after, times=3)

    def go_deaf(self):
        self.control("deaf", on=True)

    def come_back(self):
        self.control("deaf", on=False)


class Slack(Platform):
    name, program, letter, post = "slack", "frontdesk-fakeslack", "s", "chat.postMessage"
    bot, app = "U0000FRONT", "A0000FRONT"

    def arrange(self, n, is_group):
        person = f"U0000P{n:03}"
        self.control("user", id=person, name=f"P{n}")
        if not is_group:
            return self.chat(n, person, person)
        self.control("channel", id=f"C0000C{n:03}", name=f"c{n}", members=[person])
        return self.chat(n, f"C0000C{n:03}", person)

    def keys(self):
        tokens = ['token = "xoxb-1-first-test"', 'app_token = "xapp-1-A0000FRONT-1-test"']
        return [*tokens, f'api_url = "{self.url}/api/"']

    def limit(self):
        self.control("limits", on=True)

    def say(self, chat, text):
        self.control("say", channel=chat.place, user=chat.person, text=text)

    def messages(self, shown):
        return shown["messages"]

    def disconnect(self):
        for reason in ["warning", "refresh_requested"]:
            yield lambda reason=reason: self.control("disconnect", app=self.app, reason=reason)

    def go_deaf(self):
        # The open socket stays silent, and so does whatever would open another one.
        self.control("fault", kind="silent", method="apps.connections.open")
        self.control("dead", app=self.app)

    def come_back(self):
        self.control("clear_faults")
        self.limit()


ALL = [Telegram, Discord, Slack]
