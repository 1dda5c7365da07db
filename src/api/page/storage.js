// What this browser remembers: the token, drafts, and messages that the gateway has not confirmed yet.

const TOKEN = "frontdesk.token";
const PERSON = "frontdesk.person";
const OUTBOX = "frontdesk.outbox";
const DRAFT = "frontdesk.draft.";

export const token = {
  get: () => localStorage.getItem(TOKEN),
  set: (value) => localStorage.setItem(TOKEN, value),
};

/** Whose token it is, if a login link has told it. */
export const person = {
  get: () => localStorage.getItem(PERSON),
  set: (value) => localStorage.setItem(PERSON, value),
};

export const draft = {
  get: (chat) => localStorage.getItem(DRAFT + chat) || "",
  set(chat, text) {
    if (text) localStorage.setItem(DRAFT + chat, text); else localStorage.removeItem(DRAFT + chat);
  },
};

const FILES = "frontdesk.files.";

/** Files of drafts that are uploaded. */
export const draftFiles = {
  get(chat) {
    try {
      const list = JSON.parse(localStorage.getItem(FILES + chat) || "[]");
      return Array.isArray(list) ? list.filter((one) => one && typeof one.file === "string") : [];
    } catch {
      return [];
    }
  },
  set(chat, files) {
    if (files.length) localStorage.setItem(FILES + chat, JSON.stringify(files)); else localStorage.removeItem(FILES + chat);
  },
};

function readOutbox() {
  try {
    const list = JSON.parse(localStorage.getItem(OUTBOX) || "[]");
    return Array.isArray(list) ? list.filter((one) => one && one.id && one.chat && typeof one.text === "string") : [];
  } catch {
    return [];
  }
}

function writeOutbox(list) {
  if (list.length) localStorage.setItem(OUTBOX, JSON.stringify(list)); else localStorage.removeItem(OUTBOX);
}

/** Messages without an acknowledgement. Their ids make it harmless to send them again, also from two tabs. */
export const outbox = {
  of: (chat) => readOutbox().filter((one) => one.chat === chat),
  add: (prompt) => writeOutbox([...readOutbox(), prompt]),
  remove: (id) => writeOutbox(readOutbox().filter((one) => one.id !== id)),
};

/** Forgets everything. */
export function forget() {
  for (const key of Object.keys(localStorage)) if (key.startsWith("frontdesk.")) localStorage.removeItem(key);
}
