// The view that the address names: everything stands in the fragment, `#/outbox?state=dead` or `#/session/KEY`.

/** The name of the view, what it is about, and the values of its filters. */
export function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", ...rest] = path.split("/");
  return { name: name || "overview", about: decode(rest.join("/")), values: Object.fromEntries(new URLSearchParams(query)) };
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

export const values = () => read().values;

/** The address of a view. */
export function to(name, about = "", given = {}) {
  const query = new URLSearchParams(given).toString();
  return "#/" + name + (about ? "/" + encodeURIComponent(about) : "") + (query ? "?" + query : "");
}

/** Keeps the values of filters in the address, without opening the view again. */
export function keep(given) {
  const { name, about } = read();
  history.replaceState(null, "", location.pathname + to(name, about, given));
}

let timers = [];
let endings = [];

/** Ends a timer when another view is opened. */
export function whileOpen(timer) { timers.push(timer); }

/** Calls this when another view is opened. */
export function onLeave(end) { endings.push(end); }

export function leave() {
  timers.forEach(clearInterval);
  endings.forEach((end) => end());
  [timers, endings] = [[], []];
}
