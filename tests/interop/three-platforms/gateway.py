"""The gateway under test, and a watch on which of its accounts are ready."""

import json
import signal
import socket
import subprocess
import threading
import time
import urllib.error

from platforms import OPENER


class Gateway:
    def __init__(self, folder, home, config):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.program, self.home = folder / "frontdesk", home
        (home / "frontdesk.toml").write_text(config)
        self.log = open(home / "log", "ab")
        self.process = None
        self.kills = 0

    def start(self):
        command = [self.program, "run", "--home", self.home, "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log)

    def end(self, how):
        self.kills += how == signal.SIGKILL
        self.process.send_signal(how)
        return self.process.wait(timeout=60)

    def ready(self):
        """Whether each account is ready; None while the gateway does not answer."""
        try:
            answer = OPENER.open(f"http://127.0.0.1:{self.port}/ready", timeout=5)
        except urllib.error.HTTPError as error:
            answer = error
        except OSError:
            return None
        with answer:
            return {account["channel"]: account["ready"] for account in json.load(answer)["accounts"]}

    def command(self, *arguments):
        """What a command of the program prints with `--json`."""
        command = [self.program, *arguments, "--home", self.home, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


class Watch(threading.Thread):
    """Notes every change of readiness."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway, self.changes, self.stopped = gateway, [], False

    def run(self):
        while not self.stopped:
            now, state = time.monotonic(), self.gateway.ready()
            if not self.changes or self.changes[-1][1] != state:
                self.changes.append((now, state))
            time.sleep(0.25)

    def now(self):
        return self.changes[-1][1] if self.changes else None

    def all_ready(self):
        state = self.now()
        return bool(state) and all(state.values())

    def wait(self, test, seconds):
        """The seconds until `test` holds, or None if it does not in this time."""
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            if test():
                return passed
            time.sleep(0.1)
        return None

    def unready(self, begun):
        """The accounts that were not ready at some time since `begun`."""
        states = [state for at, state in self.changes if at >= begun]
        return {name for state in states if state is not None for name, ready in state.items() if not ready}
