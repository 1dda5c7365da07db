// What the head of the page says about the connection, and the banner while there is none.

import { byId } from "./dom.js";

const words = { connecting: "Connecting…", open: "Connected", waiting: "Offline", out: "" };

let timer = 0;

/** Shows a state of the connection. `next` is when the next try comes. */
export function show(state, next) {
  const head = byId("state");
  head.textContent = words[state];
  head.dataset.state = state;
  clearInterval(timer);
  if (state === "waiting") {
    byId("banner").hidden = false;
    byId("banner-text").textContent = "Not connected. What you write is kept and sent later.";
    const count = () => {
      const seconds = Math.max(0, Math.ceil((next - Date.now()) / 1000));
      byId("banner-next").textContent = seconds ? `Next try in ${seconds} s` : "Trying…";
    };
    count();
    timer = setInterval(count, 500);
  } else if (state === "connecting") {
    byId("banner-next").textContent = "Trying…";
  } else {
    byId("banner").hidden = true;
    byId("banner-text").textContent = "";
  }
}

export function setUp(tryNow) { byId("banner-try").addEventListener("click", tryNow); }
