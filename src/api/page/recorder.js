// Records what somebody says, where the browser allows it. The recording becomes a file of the message.

import { byId, clock, icon, speak } from "./dom.js";

const button = byId("record");

/** Formats that browsers record, the best first, with the extension of their files. */
const formats = [["audio/ogg;codecs=opus", "ogg"], ["audio/webm;codecs=opus", "webm"], ["audio/mp4", "m4a"], ["audio/webm", "webm"]];

/** The longest recording, in milliseconds. */
const LONGEST = 10 * 60_000;

let recorder = null;
let timer = 0;

/** Whether this browser can record on this page: only over HTTPS, or on this machine. */
export const isPossible = () => Boolean(window.isSecureContext && navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

function show(since) {
  const isOn = since !== null;
  const seconds = isOn ? Math.floor((Date.now() - since) / 1000) : 0;
  const label = isOn ? "Stop recording" : "Record your voice";
  button.classList.toggle("on", isOn);
  button.setAttribute("aria-label", label);
  button.title = label;
  button.replaceChildren(icon(isOn ? "stop" : "mic"));
  byId("recorded").hidden = !isOn;
  byId("recorded").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

async function start(done) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    return speak("The microphone is not available: allow it for this page in your browser.");
  }
  const [type, extension] = formats.find(([name]) => MediaRecorder.isTypeSupported(name)) || ["", "bin"];
  const pieces = [];
  recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.onstop = () => {
    clearInterval(timer);
    for (const track of stream.getTracks()) track.stop();
    const kept = recorder !== null;
    recorder = null;
    show(null);
    if (!kept) return;
    const name = `Recording ${clock(new Date()).replaceAll(":", ".")}.${extension}`;
    done(new File(pieces, name, { type: type.split(";")[0] }));
  };
  recorder.start();
  const since = Date.now();
  show(since);
  speak("Recording");
  timer = setInterval(() => { show(since); if (Date.now() - since > LONGEST) recorder?.stop(); }, 500);
}

/** Ends a recording without keeping it. Returns whether there was one. */
export function discard() {
  if (!recorder) return false;
  const one = recorder;
  recorder = null;
  one.stop();
  speak("The recording is discarded");
  return true;
}

/** Calls `done(file)` with each recording. */
export function setUp(done) {
  button.hidden = !isPossible();
  show(null);
  button.addEventListener("click", () => (recorder ? recorder.stop() : start(done)));
}
