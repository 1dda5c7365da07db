// The WebSocket to the gateway that served the page. It is opened again after it was lost, with growing pauses.

import { token } from "./storage.js";

/** The longest pause between two tries, in milliseconds. */
const LONGEST = 30_000;

export class Connection {
  socket = null;
  tries = 0;
  timer = 0;

  /** `on` has `frame(frame)`, `state(name, next)` and `refused(why)`. States: connecting, open, waiting. */
  constructor(on) {
    this.on = on;
    addEventListener("online", () => this.tryNow());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.tryNow(); });
  }

  open() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.on.state("connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = this.socket = new WebSocket(`${scheme}//${location.host}/ws`, ["frontdesk.v1", "bearer." + token.get()]);
    let wasOpen = false;
    mine.onopen = () => { wasOpen = true; };
    mine.onmessage = (event) => {
      if (mine !== this.socket) return;
      const frame = JSON.parse(event.data);
      if (frame.type === "ready") {
        this.tries = 0;
        this.on.state("open");
      }
      this.on.frame(frame);
    };
    mine.onclose = (event) => {
      if (mine !== this.socket) return;
      this.socket = null;
      if (event.code === 1008) return this.on.refused("revoked");
      // Browsers do not tell a page why a handshake was refused, so the reason is asked over HTTP.
      if (wasOpen) this.wait(); else this.reason().then((why) => (why ? this.on.refused(why) : this.wait()));
    };
  }

  async reason() {
    try {
      const reply = await fetch("/api/login", { headers: { Authorization: "Bearer " + token.get() }, cache: "no-store" });
      return reply.status === 401 ? "unknown" : null;
    } catch {
      return null;
    }
  }

  wait() {
    if (this.socket || this.timer) return;
    const pause = Math.min(LONGEST, 500 * 2 ** this.tries++) * (0.5 + Math.random() / 2);
    this.on.state("waiting", Date.now() + pause);
    this.timer = setTimeout(() => this.open(), pause);
  }

  /** Tries at once if the next try is still to come. */
  tryNow() { if (this.timer) this.open(); }

  close() {
    clearTimeout(this.timer);
    this.timer = 0;
    const old = this.socket;
    this.socket = null;
    if (old) old.close();
  }

  /** Sends a frame. Returns whether there is a connection. */
  send(frame) {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }
}
