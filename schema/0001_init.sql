-- Times are milliseconds since 1970, UTC. Nothing here is edited once released: later changes are later files.

-- How far each platform account has been read. Committed together with the events it covers.
CREATE TABLE source (
  id         TEXT PRIMARY KEY,     -- the platform's stable id, 'telegram:8123456': another bot inherits nothing
  channel    TEXT NOT NULL,        -- for people who read this table
  account    TEXT NOT NULL,        -- the name in the config, for the same people
  cursor     TEXT,                 -- opaque to all but the adapter; NULL where the platform has none
  updated_at INTEGER NOT NULL      -- when the cursor moved
) STRICT, WITHOUT ROWID;

-- Events that no agent may see (denied) or could take (ignored): counted, not kept.
CREATE TABLE dropped_event (
  source TEXT NOT NULL,
  kind   TEXT NOT NULL,            -- 'denied:not_allowed', 'ignored:sticker'
  n      INTEGER NOT NULL,
  PRIMARY KEY (source, kind)
) STRICT, WITHOUT ROWID;

-- Numbers that would cost a scan of a large table to count, and the last date by which rows were purged.
CREATE TABLE counter (
  name TEXT PRIMARY KEY,           -- 'sessions', 'believed_date'
  n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, n) VALUES ('sessions', 0);

-- One row per conversation, for ever: a million of them must cost little.
CREATE TABLE session (
  key          TEXT PRIMARY KEY,   -- the session key's one text form
  address      TEXT NOT NULL,      -- where its last message came from: operators' sends and results go there
  epoch        INTEGER NOT NULL,   -- the current life of the conversation
  last_epoch   INTEGER NOT NULL,   -- the highest ever: a new one is always this + 1
  last_user_at INTEGER,            -- the reset rule's reference: the person's last message in the current epoch, or
                                   -- /resume; NULL before there is one, because commands are no activity
  seq          INTEGER NOT NULL,   -- the last number given to a durable frame (web)
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The lives of a conversation. A reset ends one and begins the next; nothing is deleted.
CREATE TABLE epoch (
  key        TEXT NOT NULL,
  n          INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,              -- NULL while it is the current one
  reason     TEXT NOT NULL,        -- why it began: 'first', 'daily', 'idle', 'daily,idle', 'new', 'api', 'erased'
  agent_ref  TEXT,                 -- the agent's own name for it, where it has one
  PRIMARY KEY (key, n)
) STRICT, WITHOUT ROWID;

-- Every accepted event. Together with turn this is the history; purged after a year.
CREATE TABLE inbound (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,  -- shown to people as m42: never used again
  source           TEXT NOT NULL,
  event_id         TEXT NOT NULL,  -- the platform's own id: what makes a redelivery harmless
  key              TEXT NOT NULL,  -- the session
  epoch            INTEGER NOT NULL,  -- fixed at acceptance: a later reset does not move it
  principal        TEXT NOT NULL,  -- who, checked again before the agent sees it
  address          TEXT NOT NULL,  -- where the answer goes
  sender           TEXT,           -- display name: data, never an identity
  platform_message TEXT,           -- the platform's id of the message, to reply to
  received_at      INTEGER NOT NULL,
  disposition      TEXT NOT NULL CHECK (disposition IN ('turn', 'command', 'refused')),
  state            TEXT NOT NULL CHECK (state IN ('waiting', 'in_turn', 'answered', 'refused', 'superseded', 'cancelled', 'dead')),
  reason           TEXT,           -- of a refusal or a death; of an epoch command what it did
  digest           INTEGER NOT NULL,  -- of the text as it came: /new, hooks and /retry change the body, and the same
                                   -- id with other content must be told from a redelivery; 0 once erased
  body             TEXT NOT NULL,
  attachments      TEXT,           -- JSON references; NULL for none
  turn_id          INTEGER,        -- the turn that took it
  UNIQUE (source, event_id)
) STRICT;
-- The queue: small however long the history grows.
CREATE INDEX inbound_waiting ON inbound (key, disposition, id) WHERE state = 'waiting';
-- The first to be purged, so that the purge does not walk through the history.
CREATE INDEX inbound_refused ON inbound (received_at) WHERE state = 'refused';
-- The history of one conversation, and the rows of one turn.
CREATE INDEX inbound_history ON inbound (key, epoch, id);
CREATE INDEX inbound_turn ON inbound (turn_id) WHERE turn_id IS NOT NULL;

-- One run of an agent, with every attempt at it.
CREATE TABLE turn (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  key            TEXT NOT NULL,
  epoch          INTEGER NOT NULL,
  kind           TEXT NOT NULL CHECK (kind IN ('message', 'hook')),  -- 'hook': a hook answered instead of the agent
  address        TEXT NOT NULL,    -- the reply's target, fixed when the turn is made
  reply_to       TEXT,             -- the platform's id of the message it answers
  attempt        INTEGER NOT NULL, -- how often it was begun
  released       INTEGER NOT NULL, -- how often an orderly stop gave it back: those attempts do not count as deaths
  state          TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'interrupted', 'cancelled', 'superseded', 'refused', 'dead')),
  owner          TEXT,             -- the boot that runs it
  fence          INTEGER NOT NULL, -- grows with each claim; a result with an older one comes too late
  created_at     INTEGER NOT NULL,
  started_at     INTEGER,
  finished_at    INTEGER,
  side_effect_at INTEGER,          -- set before the first tool runs: from here on it is not run again
  answer         TEXT,             -- Markdown; at a side effect what was said so far
  error          TEXT,             -- the failure's name
  model          TEXT,
  input_tokens   INTEGER,
  output_tokens  INTEGER
) STRICT;
CREATE INDEX turn_open ON turn (key, id) WHERE state IN ('queued', 'running');

-- Every outgoing part, before it is sent.
CREATE TABLE outbox (
  id                  INTEGER PRIMARY KEY AUTOINCREMENT,
  turn_id             INTEGER,
  message_id          INTEGER,     -- the message it is about
  key                 TEXT,        -- the session; NULL when sent to a bare address
  seq                 INTEGER,     -- its number among the session's durable frames (web)
  address             TEXT NOT NULL,
  part_key            TEXT NOT NULL UNIQUE,  -- the same for every attempt: 't12/0', 'm7/notice/reset/0', 'send/...'
  kind                TEXT NOT NULL CHECK (kind IN ('answer', 'notice', 'send')),
  act                 TEXT NOT NULL CHECK (act IN ('post', 'edit', 'delete')),
  target              TEXT,        -- the platform's id of the message to edit or to delete; of a post: the unfinished
                                   -- message that it replaces, which is deleted once the post is sent
  body                TEXT NOT NULL,
  plain               TEXT,        -- NULL where it equals the body
  reply_to            TEXT,
  state               TEXT NOT NULL CHECK (state IN ('queued', 'streaming', 'sending', 'sent', 'unknown', 'dead', 'dropped')),
  attempts            INTEGER NOT NULL,
  next_at             INTEGER NOT NULL,
  paused_at           INTEGER,     -- when the pause that ends at next_at began; NULL if there is none
  owner               TEXT,
  fence               INTEGER NOT NULL,
  platform_message_id TEXT,
  error               TEXT,
  created_at          INTEGER NOT NULL,
  done_at             INTEGER
) STRICT;
-- What is still to be sent, per address in order.
CREATE INDEX outbox_open ON outbox (address, id) WHERE state IN ('queued', 'streaming', 'sending');
-- What did not arrive, for those who look after it.
CREATE INDEX outbox_failed ON outbox (state, id) WHERE state IN ('unknown', 'dead');
CREATE INDEX outbox_seq ON outbox (key, seq) WHERE seq IS NOT NULL;
CREATE INDEX outbox_turn ON outbox (turn_id) WHERE turn_id IS NOT NULL;

-- Who may come through the door. Only hashes: the clear token is in a file of its own.
CREATE TABLE token (
  id         TEXT PRIMARY KEY,     -- the person it stands for on the web channel
  hash       BLOB NOT NULL,        -- SHA-256
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
