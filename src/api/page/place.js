// The chat that the address names, and login links. Everything stands in the fragment, which browsers never send; the token
// is removed from the address bar at once. The query is never read.

export const MAIN = "main";

/** The parameters of the fragment. A token or a login ticket is taken out of the address bar. A chat of another channel is named by its session. */
export function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  const session = given.get("session");
  const [token, ticket] = [given.get("token"), given.get("ticket")];
  if (session && !token && !ticket) return { chat: session, session, token, ticket };
  const chat = given.get("chat") || MAIN;
  if (location.hash && (token || ticket || chat === MAIN)) show(chat);
  return { chat, session: null, token, ticket };
}

/** Shows a chat in the address bar. */
export function show(chat) { history.replaceState(null, "", location.pathname + fragment(chat)); }

/** The fragment that names a chat; the main chat needs none. */
export function fragment(chat) { return chat === MAIN ? "" : "#" + new URLSearchParams({ chat }); }

/** The fragment that names a session of another channel. */
export function sessionFragment(session) { return "#" + new URLSearchParams({ session }); }

/** What a person has pasted: `{ token }` or `{ ticket }` of a link, or a token alone. Null if it is neither. */
export function keyIn(text) {
  const [, kind, inLink] = /[#&?](token|ticket)=([^&\s]+)/.exec(text) || [];
  let found = inLink || text.trim();
  try { found = decodeURIComponent(found); } catch { return null; }
  return /^[\w-]+$/.test(found) ? { [kind || "token"]: found } : null;
}
