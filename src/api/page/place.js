// The chat that the address names, and login links. Everything stands in the fragment, which browsers never send; the token
// is removed from the address bar at once. The query is never read.

export const MAIN = "main";

/** The parameters of the fragment. A token is taken out of the address bar. A chat of another channel is named by its session. */
export function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  const session = given.get("session");
  if (session && !given.get("token")) return { chat: session, session, token: null };
  const chat = given.get("chat") || MAIN;
  const token = given.get("token");
  if (location.hash && (token || chat === MAIN)) show(chat);
  return { chat, session: null, token };
}

/** Shows a chat in the address bar. */
export function show(chat) { history.replaceState(null, "", location.pathname + fragment(chat)); }

/** The fragment that names a chat; the main chat needs none. */
export function fragment(chat) { return chat === MAIN ? "" : "#" + new URLSearchParams({ chat }); }

/** The fragment that names a session of another channel. */
export function sessionFragment(session) { return "#" + new URLSearchParams({ session }); }

/** The token in what a person has pasted: a token, or a link with one. Null if it is neither. */
export function tokenIn(text) {
  const inLink = /[#&?]token=([^&\s]+)/.exec(text);
  let found = inLink ? inLink[1] : text.trim();
  try { found = decodeURIComponent(found); } catch { return null; }
  return /^[\w-]+$/.test(found) ? found : null;
}
