// Elements of the page. Text is only ever inserted as text nodes.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children. A value of false or null leaves an attribute out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** A drawing, by its name in the page. */
export function icon(name) {
  return byId("icons").content.querySelector(`[data-icon="${name}"]`).cloneNode(true);
}

/** A button with a drawing and a name that is read out. */
export function iconButton(name, label, attributes = {}) {
  return el("button", { type: "button", "aria-label": label, title: label, ...attributes }, icon(name));
}

/** Has a screen reader say something. */
export function speak(text) { byId("spoken").textContent = text; }

/** `14:05`, with the date if that is not today. */
export function clock(at) {
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return time;
  const sameYear = at.getFullYear() === new Date().getFullYear();
  const date = at.toLocaleDateString([], { day: "numeric", month: "short", year: sameYear ? undefined : "numeric" });
  return `${date}, ${time}`;
}
