-- Who may speak, what was said nearby, and files. Times as in 0001.

-- This database's own name, which goes before every key that a platform sees: a platform that knows keys must not take
-- the first part of a new database for the first one of another.
CREATE TABLE meta (
  name        TEXT PRIMARY KEY,
  mark        TEXT NOT NULL,       -- renewed by the first commit after every complete checkpoint: the file itself then
  mark_before TEXT NOT NULL        -- holds one of the two, or its write-ahead log belongs to another file (decision 6)
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, mark, mark_before)
  VALUES (lower(hex(randomblob(8))), hex(randomblob(8)), hex(randomblob(8)));

-- What an admin granted. A row is never changed but to be revoked; a new grant is a new row.
CREATE TABLE access (
  id         INTEGER PRIMARY KEY,
  principal  TEXT NOT NULL,        -- 'telegram:123', 'telegram@work:123': platform, account and stable id
  scope      TEXT NOT NULL,        -- 'dm', 'group:-100123', 'admin': one says nothing about another
  source     TEXT NOT NULL,        -- how it came: 'pairing', 'cli', 'api', 'chat'
  author     TEXT NOT NULL,        -- who granted it
  shown      TEXT,                 -- how the person was shown then: data, never an identity
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,              -- NULL while it holds
  revoked_by TEXT
) STRICT;
-- At most one grant that holds, and the way to it.
CREATE UNIQUE INDEX access_held ON access (principal, scope) WHERE revoked_at IS NULL;

-- Strangers who asked to be let in: at most one row each, and at most so many open ones per account.
CREATE TABLE pairing (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- names a request for those who may not know the code
  principal  TEXT NOT NULL UNIQUE,
  channel    TEXT NOT NULL,
  account    TEXT NOT NULL,
  address    TEXT NOT NULL,        -- where the person is told
  sender     TEXT,                 -- display data
  message_id INTEGER NOT NULL,     -- the event that asked: its notice carries the code
  salt       BLOB NOT NULL,        -- the code follows from it and a secret that is not in here
  hash       BLOB NOT NULL,        -- SHA-256 of salt and code
  state      TEXT NOT NULL CHECK (state IN ('open', 'approved', 'denied')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  told_at    INTEGER NOT NULL      -- when the person was last given a code: at most once an hour
) STRICT;
CREATE INDEX pairing_open ON pairing (channel, account, id) WHERE state = 'open';

-- Failed approvals, per author: five, less one for every twelve minutes, lock the author out for an hour.
CREATE TABLE pairing_failure (
  author       TEXT PRIMARY KEY,
  failures     INTEGER NOT NULL,   -- as of last_at; older ones have decayed
  last_at      INTEGER NOT NULL,
  locked_until INTEGER
) STRICT, WITHOUT ROWID;

-- Chats as admins set them, besides the configuration.
CREATE TABLE chat (
  address     TEXT PRIMARY KEY,    -- the chat without a thread, by its first id
  allowed     INTEGER NOT NULL,    -- 1: the group is served
  muted_until INTEGER,             -- nothing is answered before
  muted_at    INTEGER,             -- when that was set
  author      TEXT NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Chats that got another id (a group that became a supergroup). Sessions, rules and grants keep the first one.
CREATE TABLE chat_alias (
  current  TEXT PRIMARY KEY,       -- as the platform knows it now
  original TEXT NOT NULL,          -- as it was known first
  moved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Accounts that an admin disconnected; they stay so until somebody connects them again.
CREATE TABLE stopped_account (
  channel    TEXT NOT NULL,
  account    TEXT NOT NULL,
  author     TEXT NOT NULL,
  stopped_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- How much each person has said to agents on one day. Only with a daily limit.
CREATE TABLE quota (
  day       INTEGER NOT NULL,      -- days since 1970 in the operator's time zone; first, so that the purge finds old ones
  principal TEXT NOT NULL,
  n         INTEGER NOT NULL,
  PRIMARY KEY (day, principal)
) STRICT, WITHOUT ROWID;

-- How many bytes of files were fetched for each person on one day. Only with a daily limit.
CREATE TABLE media_quota (
  day       INTEGER NOT NULL,      -- as in quota
  principal TEXT NOT NULL,
  bytes     INTEGER NOT NULL,
  PRIMARY KEY (day, principal)
) STRICT, WITHOUT ROWID;

-- Every grant, refusal in doubt and admin command. Never a code and never a message's text.
CREATE TABLE audit (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  author  TEXT NOT NULL,           -- a principal, 'cli', 'api:main'
  via     TEXT NOT NULL,           -- 'chat', 'cli', 'api'
  action  TEXT NOT NULL,           -- 'approve', 'grant', 'gateway stop'
  subject TEXT NOT NULL,           -- about whom or what
  outcome TEXT NOT NULL            -- 'done', 'unchanged', 'refused:not_admin', 'refused:locked'
) STRICT;

-- What was said near the agent and not to it. Bounded per session; the next turn takes it.
CREATE TABLE context_message (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  source      TEXT NOT NULL,
  event_id    TEXT NOT NULL,       -- makes a redelivery harmless
  key         TEXT NOT NULL,       -- the session
  principal   TEXT NOT NULL,        -- checked again before the agent sees it
  sender_kind     TEXT NOT NULL,
  roles       TEXT,                 -- JSON, as in inbound
  sender      TEXT,
  input_kind      TEXT NOT NULL,
  forward     TEXT,                 -- JSON, as in inbound
  body        TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  turn_id     INTEGER,             -- the turn that took it; NULL while it waits
  UNIQUE (source, event_id)
) STRICT;
CREATE INDEX aside_waiting ON context_message (key, id) WHERE turn_id IS NULL;
CREATE INDEX aside_turn ON context_message (turn_id) WHERE turn_id IS NOT NULL;

-- Events that could not be read, as they arrived. Bounded in rows and bytes: the oldest are deleted, and counted.
CREATE TABLE dead_letter (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  source      TEXT NOT NULL,
  event_id    TEXT NOT NULL,       -- the platform's own id, or 'raw:...' where that could not be read either
  key         TEXT,                -- the session, where that is known: erased with it
  kind        TEXT NOT NULL,       -- the platform's name for what it is: 'message', 'hologram'
  reason      TEXT NOT NULL,       -- what could not be read: names of fields, never what they hold
  kept        INTEGER NOT NULL,    -- the length of the body
  size        INTEGER NOT NULL,    -- how many bytes arrived
  received_at INTEGER NOT NULL,
  body        BLOB NOT NULL,       -- the first bytes, as they arrived; may hold what people said. The last column, so that
                                   -- the others are read without the pages of the body
  UNIQUE (source, event_id)
) STRICT;
INSERT INTO counter (name, n) VALUES ('dead_letters_deleted', 0);

-- Files that came with messages, once they were fetched or could not be.
CREATE TABLE media (
  message_id INTEGER NOT NULL,
  n          INTEGER NOT NULL,     -- its place among the message's attachments
  file       TEXT,                 -- its name beneath the media root: random, ours; NULL if it is not there
  size       INTEGER,
  error      TEXT,                 -- one sentence: why it is not there
  fetched_at INTEGER NOT NULL,
  unique_id  TEXT,                 -- channel, account and the platform's id of the content: known, it is not fetched again
  hash       BLOB,                 -- SHA-256 of the content: the same content lies on the disk once, for several rows
  PRIMARY KEY (message_id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_unique ON media (unique_id) WHERE unique_id IS NOT NULL AND file IS NOT NULL;
CREATE INDEX media_hash ON media (hash) WHERE hash IS NOT NULL AND file IS NOT NULL;
-- What is kept too long, and whether a file on the disk is anybody's.
CREATE INDEX media_kept ON media (fetched_at) WHERE file IS NOT NULL;
CREATE INDEX media_file ON media (file) WHERE file IS NOT NULL;

ALTER TABLE inbound ADD COLUMN input_kind TEXT NOT NULL DEFAULT 'message';   -- 'edit', 'button', 'reaction'
ALTER TABLE inbound ADD COLUMN sender_kind TEXT NOT NULL DEFAULT 'person';   -- 'bot', 'chat': no person's rights
ALTER TABLE inbound ADD COLUMN roles TEXT;      -- JSON: the sender's roles there; NULL for none
ALTER TABLE inbound ADD COLUMN quote TEXT;      -- JSON: what it replies to; NULL for nothing
ALTER TABLE inbound ADD COLUMN album TEXT;      -- all pieces of one album make one turn
ALTER TABLE inbound ADD COLUMN forward TEXT;    -- JSON: whose words it passes on; NULL for its sender's own
ALTER TABLE inbound ADD COLUMN links TEXT;      -- JSON: links whose target the text does not show; NULL for none
ALTER TABLE inbound ADD COLUMN replays TEXT;    -- JSON: the ids of the messages that a /retry runs once more; NULL for
                                                -- a message of its own. Their authors stay theirs
ALTER TABLE outbox ADD COLUMN media TEXT;       -- JSON: the file it carries; NULL for none
-- The files that went out in one conversation: few rows, so that erasing it does not walk through all that was sent.
CREATE INDEX outbox_media ON outbox (key) WHERE media IS NOT NULL;
ALTER TABLE outbox ADD COLUMN salt BLOB;        -- what the pairing code follows from that is put in when it is sent
