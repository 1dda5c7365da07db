// What this browser remembers: the token, drafts, and messages that the gateway has not confirmed yet.

const TOKEN = "frontdesk.token";
const PERSON = "frontdesk.person";
const OUTBOX = "frontdesk.outbox.";
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

/** The keys of messages, in the order in which they were written. */
const outboxKeys = () => Object.keys(localStorage).filter((key) => key.startsWith(OUTBOX)).sort();

function readPrompt(key) {
  try {
    const prompt = JSON.parse(localStorage.getItem(key));
    return prompt && prompt.id && prompt.chat && typeof prompt.text === "string" ? prompt : null;
  } catch {
    return null;
  }
}

/**
 * Messages without an acknowledgement. Their ids make it harmless to send them again, also from two tabs. Each has a key of its
 * own: a list would be read and written by several tabs at once, so that one of them could undo what another has added.
 */
export const outbox = {
  of: (chat) => outboxKeys().map(readPrompt).filter((prompt) => prompt?.chat === chat),
  add: (prompt) => localStorage.setItem(`${OUTBOX}${Date.now()}.${prompt.id}`, JSON.stringify(prompt)),
  remove(id) {
    for (const key of outboxKeys()) if (key.endsWith("." + id)) localStorage.removeItem(key);
  },
};

/** Forgets everything. */
export function forget() {
  for (const key of Object.keys(localStorage)) if (key.startsWith("frontdesk.")) localStorage.removeItem(key);
}
