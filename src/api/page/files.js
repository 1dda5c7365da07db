// Files in the conversation: pictures, recordings, and everything else as a button that saves it. Their content is fetched
// with the token and shown from memory, so that no address opens it to others.

import { content, sessionPath } from "./api.js";
import { el, icon, speak } from "./dom.js";

/** `20 MB` */
export function sizeOf(bytes) {
  if (bytes < 1000) return bytes + " B";
  return bytes < 1e6 ? Math.ceil(bytes / 1e3) + " KB" : (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0) + " MB";
}

const kinds = { photo: "Picture", voice: "Recording", audio: "Sound", video: "Video", video_note: "Video", animation: "Animation", sticker: "Sticker" };

/** What a file is called. */
export const nameOf = (file) => file.name || kinds[file.kind] || "File";

/** Formats that are shown; the gateway tells them by their first bytes. */
const isPicture = (file) => /^image\/(png|jpeg|gif|webp)$/.test(file.mime || "");
const isSound = (file) => file.kind === "voice" || file.kind === "audio";

/** The path of a file that came with a message, by its place there. */
export const attachmentPath = (session, message, place) => sessionPath(session, `/files/${message}.${place}`);
/** The path of a file that was sent. */
export const sentPath = (session, out) => sessionPath(session, "/files/" + encodeURIComponent(out));
/** The path of an upload. */
export const uploadPath = (file) => "/api/files/" + encodeURIComponent(file);

/** A list of files. `pathOf(file, place)` says where each is. */
export function fileList(files, pathOf) {
  return el("ul", { class: "files", "aria-label": "Files" }, ...files.map((file, place) => {
    const path = pathOf(file, place);
    const item = el("li", {}, isPicture(file) ? picture(file, path) : isSound(file) ? sound(file, path) : saved(file, path));
    if (file.transcript) item.append(el("p", { class: "transcript", dir: "auto" }, file.transcript));
    return item;
  }));
}

// -- pictures --------------------------------------------------------------------------------------------

/** Pictures are fetched when they come into view. */
const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) { inView.unobserve(target); target.load(); }
}, { rootMargin: "600px" });

/** A picture of its own height from the beginning, so that nothing moves when it arrives. A click shows it alone. */
export function picture(file, path, alt = nameOf(file)) {
  const link = el("a", { class: "picture", target: "_blank", rel: "noopener", role: "img", "aria-label": alt, "data-path": path });
  link.load = async () => {
    try {
      const blob = await content(path);
      if (!isPicture({ mime: blob.type })) throw new Error("not a picture");
      const url = URL.createObjectURL(blob);
      link.append(el("img", { src: url, alt }));
      link.href = url;
      link.removeAttribute("role");
    } catch {
      link.replaceWith(saved(file, path, "not available"));
    }
  };
  inView.observe(link);
  return link;
}

// -- recordings ------------------------------------------------------------------------------------------

function sound(file, path) {
  const button = chip(file, "play", "Play");
  button.addEventListener("click", () => busy(button, async () => {
    const blob = await content(path);
    const type = /^audio\/[\w.+-]+$/.test(file.mime || "") ? file.mime : "audio/ogg";
    const player = el("audio", { controls: true, src: URL.createObjectURL(new Blob([blob], { type })), "aria-label": nameOf(file) });
    button.replaceWith(player);
    player.focus();
    player.play().catch(() => {});
  }));
  return button;
}

// -- everything else -------------------------------------------------------------------------------------

function saved(file, path, remark) {
  const button = chip(file, "save", "Save", remark);
  button.addEventListener("click", () => busy(button, async () => {
    // The type is never one that a browser would show.
    const url = URL.createObjectURL(new Blob([await content(path)], { type: "application/octet-stream" }));
    el("a", { href: url, download: nameOf(file) }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }));
  return button;
}

function chip(file, drawing, act, remark) {
  const about = remark || (file.size ? sizeOf(file.size) : "");
  return el("button", { type: "button", class: "file", title: `${act} ${nameOf(file)}` }, icon(drawing), el("span", { class: "unseen" }, act + " "),
    el("span", { class: "name", dir: "auto" }, nameOf(file)), " ", el("span", { class: "size" }, about));
}

async function busy(button, act) {
  button.disabled = true;
  try {
    await act();
  } catch (error) {
    button.querySelector(".size").textContent = error.status === 404 ? "no longer kept" : "could not be loaded";
    speak(error.message);
  } finally {
    button.disabled = false;
  }
}
