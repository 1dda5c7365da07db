-- The whole schema. Until the first release this file is edited in place, and the schema's number in
-- src/store/schema.rs counts up: a database of another number is refused.
--
-- Times are milliseconds since 1970, UTC. Columns that hold an enumeration have no CHECK where the enumeration may
-- grow: changing a CHECK would mean rebuilding the table.

-- This database's identity.
CREATE TABLE meta (
  name        TEXT PRIMARY KEY,    -- precedes every part key that a platform sees: a platform that remembers keys must
                                   -- not take the first part of a new database for the first one of another
  mark        TEXT NOT NULL,       -- renewed by the first commit after every complete checkpoint: the file itself then
  mark_before TEXT NOT NULL        -- holds one of the two, or its write-ahead log belongs to another file (decision 6)
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, mark, mark_before)
  VALUES (lower(hex(randomblob(8))), hex(randomblob(8)), hex(randomblob(8)));

-- The boots that may hold rows: one row while a process has the database open. Rows of any other owner are orphans, which
-- the next start recovers. A start deletes the rows of all other boots: it holds the lock file, so they have ended.
CREATE TABLE lease (
  owner TEXT PRIMARY KEY,          -- the boot, as in turn and outbox
  pid   INTEGER NOT NULL,          -- for people who read this table, like since
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that would be slow to count, the last date by which rows were purged, and the last reserved id of each table
-- whose ids are never used again.
CREATE TABLE counter (
  name TEXT PRIMARY KEY,           -- 'sessions', 'dead_letters_deleted', 'believed_date', 'inbound_ids'
  n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, n) VALUES ('sessions', 0), ('dead_letters_deleted', 0);

-- Measurements of each minute with activity, from which the charts are drawn. They are kept for two days.
CREATE TABLE minute (
  minute        INTEGER PRIMARY KEY,  -- minutes since 1970
  messages      INTEGER NOT NULL,  -- accepted
  turns         INTEGER NOT NULL,  -- ended
  turn_ms       INTEGER NOT NULL,  -- of all together
  turn_max_ms   INTEGER NOT NULL,
  cost_micro    INTEGER NOT NULL,  -- as in turn
  commits       INTEGER NOT NULL,
  commit_us     INTEGER NOT NULL,  -- of all together
  commit_max_us INTEGER NOT NULL,
  queue_ms      INTEGER NOT NULL   -- how long the message that has waited longest had waited
) STRICT;

-- How far each platform account has been read. Committed together with the events up to that point.
CREATE TABLE source (
  id         TEXT PRIMARY KEY,     -- the platform's stable id, 'telegram:8123456': another bot inherits nothing
  channel    TEXT NOT NULL,        -- for people who read this table
  account    TEXT NOT NULL,        -- the name in the configuration, for the same people
  cursor     TEXT,                 -- opaque to all but the adapter; NULL where the platform has none
  updated_at INTEGER NOT NULL      -- when the cursor moved
) STRICT, WITHOUT ROWID;

-- Events that no agent may see (denied) or can process (ignored): counted, not stored.
CREATE TABLE dropped_event (
  source TEXT NOT NULL,
  kind   TEXT NOT NULL,            -- 'denied:not_allowed', 'ignored:sticker'
  n      INTEGER NOT NULL,
  PRIMARY KEY (source, kind)
) STRICT, WITHOUT ROWID;

-- One row per conversation, never deleted. A million rows must stay small.
CREATE TABLE session (
  key          TEXT PRIMARY KEY,   -- the session key's text form
  address      TEXT NOT NULL,      -- where its last message came from: operators' messages and results go there
  epoch        INTEGER NOT NULL,   -- the current epoch
  last_epoch   INTEGER NOT NULL,   -- the highest ever: a new epoch is always this + 1
  last_user_at INTEGER,            -- the reset rule's reference: the person's last message in the current epoch, or
                                   -- /resume; NULL before there is one, because commands are no activity
  held_back    INTEGER NOT NULL DEFAULT 0,  -- 1: a daily reset is due and waits until the person is silent
  seq          INTEGER NOT NULL,   -- the last number given to a durable frame (web)
  created_at   INTEGER NOT NULL,
  -- Chosen in the chat; they survive resets. NULL where the configuration decides.
  model        TEXT,
  thinking     TEXT,
  cwd          TEXT,               -- not used yet
  queue_mode   TEXT,               -- 'followup', 'collect', 'steer', 'interrupt'
  -- For lists of chats.
  title        TEXT,               -- the name that somebody gave it; NULL for none
  archived_at  INTEGER             -- when somebody put it away; NULL if nobody has, or its person has written since
) STRICT, WITHOUT ROWID;

-- The epochs of a conversation. A reset ends one and begins the next; nothing is deleted.
CREATE TABLE epoch (
  key        TEXT NOT NULL,
  n          INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,              -- NULL while it is the current one
  reason     TEXT NOT NULL,        -- why it began: 'first', 'daily', 'idle', 'daily,idle', 'new', 'api', 'erased', 'job'
  agent_ref  TEXT,                 -- the agent's own name for it, where it has reported one: handed back with every turn
  PRIMARY KEY (key, n)
) STRICT, WITHOUT ROWID;

-- Every accepted event. Together with turn this is the history; purged after a year.
CREATE TABLE inbound (
  id               INTEGER PRIMARY KEY,  -- shown to people as m42: never used again, like those of turns and parts. Ids come
                                         -- from blocks that are reserved in counter
  source           TEXT NOT NULL,
  event_id         TEXT NOT NULL,     -- the platform's own id: makes a redelivery harmless
  key              TEXT NOT NULL,     -- the session
  epoch            INTEGER NOT NULL,  -- fixed at acceptance: a later reset does not change it
  principal        TEXT NOT NULL,     -- the sender, authorized again before the agent sees the message
  address          TEXT NOT NULL,     -- where the answer goes
  sender           TEXT,              -- display name: data, never an identity
  sender_kind      TEXT NOT NULL DEFAULT 'person',   -- 'person', 'bot', 'chat': only a person has a person's rights
  roles            TEXT,              -- JSON: the sender's roles there; NULL for none
  platform_message TEXT,              -- the platform's id of the message, to reply to
  received_at      INTEGER NOT NULL,
  disposition      TEXT NOT NULL,     -- 'turn', 'command', 'answer' (a pressed button of a question), 'refused'
  state            TEXT NOT NULL,     -- 'waiting', 'in_turn', 'answered', 'refused', 'superseded', 'cancelled', 'dead'
  reason           TEXT,              -- of a refusal or a death; of an epoch command what it did; of a message with a
                                      -- queue mode of its own that mode
  digest           INTEGER NOT NULL,  -- of the text as it came: /new, hooks and /retry change the body, and the same
                                      -- id with other content must be told from a redelivery; 0 once erased
  turn_id          INTEGER,           -- the turn that took it
  input_kind       TEXT NOT NULL DEFAULT 'message',  -- 'message', 'edit', 'button', 'reaction'
  edited_at        INTEGER,           -- when an edit was made, by the platform's clock: an older one may arrive later
  body             TEXT NOT NULL,
  attachments      TEXT,              -- JSON references; NULL for none
  quote            TEXT,              -- JSON: what it replies to; NULL for nothing
  album            TEXT,              -- all pieces of one album make one turn
  forward          TEXT,              -- JSON: whose message it passes on; NULL for the sender's own
  links            TEXT,              -- JSON: links whose target the text does not show; NULL for none
  replays          TEXT,              -- JSON: the ids of the messages that a /retry runs once more; NULL for a message
                                      -- of its own. They stay their authors'
  place            TEXT,              -- the session of the chat it came from, where that chat is joined to another one's
                                      -- session; NULL where both are the same
  awaited_in       TEXT,              -- the boot in which a client waits for the answer, which nobody reads without it: a
                                      -- later boot cancels the message; NULL if it is answered whoever waits
  UNIQUE (source, event_id)
) STRICT;
-- The queue: small however long the history grows.
CREATE INDEX inbound_waiting ON inbound (key, disposition, id) WHERE state = 'waiting';
-- Refused rows are purged first: the purge must not walk through the history to find them.
CREATE INDEX inbound_refused ON inbound (received_at) WHERE state = 'refused';
-- The edits of one message: a version that arrives after a newer one needs no answer.
CREATE INDEX inbound_edit ON inbound (key, platform_message) WHERE input_kind = 'edit';
-- The rows of one turn.
CREATE INDEX inbound_turn ON inbound (turn_id) WHERE turn_id IS NOT NULL;
-- The history of one conversation as far as it is over. A row enters it when its turn ends, so that accepting a message
-- does not change a page of its own in a large index; until then the row is found by inbound_waiting or by its turn.
CREATE INDEX inbound_history ON inbound (key, epoch, id) WHERE state NOT IN ('waiting', 'in_turn');

-- Text that was sent near the agent and not to it. Bounded per session; the next turn takes it as context.
CREATE TABLE context_message (
  id          INTEGER PRIMARY KEY,
  source      TEXT NOT NULL,
  event_id    TEXT NOT NULL,       -- makes a redelivery harmless
  key         TEXT NOT NULL,       -- the session
  place       TEXT,                -- as in inbound
  principal   TEXT NOT NULL,       -- authorized again before the agent sees it
  sender      TEXT,                -- as in inbound, like those below
  sender_kind TEXT NOT NULL,
  roles       TEXT,
  received_at INTEGER NOT NULL,
  turn_id     INTEGER,             -- the turn that took it; NULL while it waits
  input_kind  TEXT NOT NULL,
  body        TEXT NOT NULL,
  forward     TEXT,
  UNIQUE (source, event_id)
) STRICT;
CREATE INDEX context_message_waiting ON context_message (key, id) WHERE turn_id IS NULL;
CREATE INDEX context_message_turn ON context_message (turn_id) WHERE turn_id IS NOT NULL;

-- Events that could not be read: as they arrived if their sender may write, without their values if the sender is not known.
-- Bounded in rows and bytes: the oldest are deleted, and counted.
CREATE TABLE dead_letter (
  id          INTEGER PRIMARY KEY,
  source      TEXT NOT NULL,
  event_id    TEXT NOT NULL,       -- the platform's own id, or 'raw:...' where that could not be read either
  key         TEXT,                -- the session, where that is known: erased with it
  kind        TEXT NOT NULL,       -- the platform's name for what it is: 'message', 'hologram'
  reason      TEXT NOT NULL,       -- what could not be read: names of fields, never their content
  kept        INTEGER NOT NULL,    -- the length of the body
  size        INTEGER NOT NULL,    -- how many bytes arrived
  received_at INTEGER NOT NULL,
  body        BLOB NOT NULL,       -- the first bytes, as they arrived; may hold people's messages. The last column, so
                                   -- that the others are read without the pages of the body
  UNIQUE (source, event_id)
) STRICT;

-- One run of an agent, with every attempt at it.
CREATE TABLE turn (
  id             INTEGER PRIMARY KEY,
  key            TEXT NOT NULL,
  epoch          INTEGER NOT NULL,
  kind           TEXT NOT NULL,    -- 'message'; 'hook': a hook answered instead of the agent; 'compact': /compact
  origin         TEXT NOT NULL DEFAULT 'message',  -- what began it: 'message', 'task', 'job', 'heartbeat', 'event'.
                                   -- Only the first three are used yet
  task_id        INTEGER,          -- the task that it works on
  run_id         INTEGER,          -- the run of a job that it works on
  address        TEXT NOT NULL,    -- the reply's target, fixed when the turn is made
  reply_to       TEXT,             -- the platform's id of the message it answers
  attempt        INTEGER NOT NULL, -- how often it was begun
  released       INTEGER NOT NULL, -- how often an orderly stop gave it back, or the process was killed while it waited
                                   -- for a person: those attempts do not count as deaths
  restarts       INTEGER NOT NULL DEFAULT 0,  -- how often the agent took back its text within an attempt: live frames
                                   -- carry the sum of attempt and restarts, so that a higher number replaces the text
  state          TEXT NOT NULL,    -- 'queued', 'running', 'done', 'interrupted', 'cancelled', 'superseded', 'refused', 'dead'
  owner          TEXT,             -- the boot that runs it; an orphan if that has no lease
  fence          INTEGER NOT NULL, -- grows with each claim; a result with an older one comes too late
  created_at     INTEGER NOT NULL,
  started_at     INTEGER,
  finished_at    INTEGER,
  side_effect_at INTEGER,          -- set before the first tool runs: from then on the turn is not run again
  answer         TEXT,             -- Markdown; at a side effect the text so far
  answer_end     TEXT,             -- why the answer is not whole: 'length', 'content_filter', 'too_long', 'cut_off',
                                   -- 'too_many_calls', 'broken_off', 'error_reported'; NULL if it is
  answer_own     INTEGER,          -- how many bytes of it the agent wrote, if a remark about its end follows them
  error          TEXT,             -- the failure's name
  model          TEXT,
  input_tokens   INTEGER,
  output_tokens  INTEGER,
  cache_read     INTEGER,          -- input tokens read from the provider's cache
  cache_write    INTEGER,          -- input tokens written to it
  cost_micro     INTEGER,          -- millionths of the currency of the price table
  context_used   INTEGER,          -- tokens of the context window that were used at the end
  context_window INTEGER,          -- its size in tokens
  payers         TEXT              -- JSON: the rows of spend for which it counts, fixed when it is claimed; NULL if it
                                   -- counts for none
) STRICT;
CREATE INDEX turn_open ON turn (key, id) WHERE state IN ('queued', 'running');

-- Work that people have handed over. Its agent works in a session of the task's own; who runs it, and under which fence,
-- says its turn. A task whose session has a message or a turn has a place among those that run at once.
CREATE TABLE task (
  id           INTEGER PRIMARY KEY,  -- shown as b12, and never used again
  key          TEXT NOT NULL UNIQUE, -- the session of its own
  owner        TEXT NOT NULL,      -- the principal who has handed it over: authorized again before the agent gets it
  owner_kind   TEXT NOT NULL,      -- as sender_kind, roles and sender of inbound
  owner_roles  TEXT,
  owner_name   TEXT,
  origin_key   TEXT,               -- the session that has handed it over; NULL if it comes from outside of a chat
  address      TEXT NOT NULL,      -- the chat and the thread to which its result goes
  delivers     INTEGER NOT NULL,   -- 0: nothing is sent, and its result waits to be fetched
  reply_to     TEXT,               -- the platform's id of the message that asked for it
  source       TEXT NOT NULL,      -- 'chat', 'api', 'cli', 'ws', 'agent', 'event', 'start'
  request      TEXT UNIQUE,        -- what asked for it: a repetition of the same request makes no second task
  title        TEXT NOT NULL,
  body         TEXT NOT NULL,      -- the text that its agent gets
  attachments  TEXT,               -- JSON references; NULL for none
  state        TEXT NOT NULL,      -- 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out', 'lost'. A running one
                                   -- whose turn has an open question is shown as 'waiting'
  placed_at    INTEGER,            -- when it got a place, and its session a message; NULL before
  attempt      INTEGER NOT NULL DEFAULT 0,  -- as in its turn
  turn_id      INTEGER,            -- the turn that works on it, once there is one
  retry_of     INTEGER,            -- the task that it runs again
  percent      INTEGER,            -- how far it is, as its agent has reported last
  line         TEXT,
  progress_out INTEGER,            -- the outbox row of the message that shows its progress
  result_out   INTEGER,            -- the first outbox row of its result
  error        TEXT,               -- of one without a result the reason, as in turn
  limit_ms     INTEGER NOT NULL,   -- how long its agent may work on it
  not_before   INTEGER,            -- when it may begin; NULL for at once
  created_at   INTEGER NOT NULL,
  started_at   INTEGER,
  finished_at  INTEGER
) STRICT;
-- The tasks that have not ended.
CREATE INDEX task_open ON task (state, id) WHERE state IN ('queued', 'running');
-- Those that have ended, for lists.
CREATE INDEX task_ended ON task (state, id) WHERE state IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'lost');
-- Those that have a place, and those that wait for one.
CREATE INDEX task_placed ON task (id) WHERE state IN ('queued', 'running') AND placed_at IS NOT NULL;
CREATE INDEX task_waiting ON task (id) WHERE state = 'queued' AND placed_at IS NULL;
-- The tasks of one person, and of one chat.
CREATE INDEX task_owner ON task (owner, id);
CREATE INDEX task_origin ON task (origin_key, id) WHERE origin_key IS NOT NULL;

-- Work that is done again and again. Its agent works in a session of the job's own.
CREATE TABLE job (
  id             TEXT PRIMARY KEY, -- chosen by whoever makes it
  key            TEXT NOT NULL,    -- the session of its own
  source         TEXT NOT NULL,    -- 'config', 'chat', 'api', 'cli', 'agent'
  request        TEXT UNIQUE,      -- what asked for it: a repetition of the same request makes no second job
  owner          TEXT NOT NULL,    -- the principal in whose name it runs: authorized again at each run
  owner_kind     TEXT NOT NULL,    -- as sender_kind, roles and sender of inbound
  owner_roles    TEXT,
  owner_name     TEXT,
  origin_key     TEXT,             -- the session in which it was made: it is seen and changed there; NULL outside of a chat
  agent          TEXT NOT NULL,
  kind           TEXT NOT NULL,    -- 'cron', 'every', 'at'
  expr           TEXT NOT NULL,
  zone           TEXT NOT NULL,    -- of the expression's local times
  anchor_at      INTEGER NOT NULL, -- where intervals begin
  task           TEXT NOT NULL,    -- the prompt of each run
  delivery       TEXT NOT NULL,    -- 'announce', 'direct', 'silent', 'webhook'
  address        TEXT,             -- the chat that is told of failures, and of an announcement the one of the results; NULL
                                   -- for none
  address_key    TEXT,             -- its session
  url            TEXT,             -- of a webhook
  resume_context INTEGER NOT NULL, -- 1: all runs share one epoch
  missed         TEXT NOT NULL,    -- 'run_once', 'skip', 'all'
  overlap        TEXT NOT NULL,    -- 'skip', 'queue'
  jitter_ms      INTEGER NOT NULL,
  retries        INTEGER NOT NULL,
  state          TEXT NOT NULL,    -- 'active', 'paused', 'disabled', 'done'
  reason         TEXT,             -- of a paused or disabled one why: 'asked', 'file', 'revoked', 'failures', 'unreadable'
  alarm          INTEGER NOT NULL DEFAULT 0,  -- 1: admins are still to be told that it was paused or disabled
  failures       INTEGER NOT NULL DEFAULT 0,  -- how many runs have failed in a row
  decided_until  INTEGER NOT NULL, -- the scheduled times up to here are runs, or were counted as missed
  next_at        INTEGER,          -- the next scheduled time; NULL if there is none, and while it is not active
  config_digest  TEXT,             -- of a job of the file: tells whether its table has changed
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;
-- The jobs that run, by their next time.
CREATE INDEX job_active ON job (next_at) WHERE state = 'active';
-- The jobs of one chat.
CREATE INDEX job_origin ON job (origin_key) WHERE origin_key IS NOT NULL;

-- One run of a job for one scheduled time.
CREATE TABLE run (
  id           INTEGER PRIMARY KEY,  -- shown as r5, and never used again
  job_id       TEXT NOT NULL,
  scheduled_at INTEGER NOT NULL,   -- of a run that somebody asked for: when that was
  manual       INTEGER NOT NULL,   -- 1: somebody asked for it
  state        TEXT NOT NULL,      -- 'due', 'running', 'succeeded', 'failed', 'skipped', 'missed'
  reason       TEXT,               -- of a skipped one 'overlap', 'revoked', 'paused', 'stopped'; of a failed one as in turn
  missed_from  INTEGER,            -- of a missed one: the first of the times for which it stands, the last being scheduled_at
  missed       INTEGER,            -- how many they are
  missed_more  INTEGER,            -- 1: more than that
  waits        INTEGER NOT NULL DEFAULT 0,  -- 1: it waits for an earlier run to end; 0: it is skipped then
  not_before   INTEGER NOT NULL,   -- when it may begin: scheduled_at with jitter, or the time of the next retry
  attempt      INTEGER NOT NULL DEFAULT 0,  -- as in its turn
  tries        INTEGER NOT NULL DEFAULT 0,  -- how often it has failed
  message_id   INTEGER UNIQUE,     -- the message by which it entered the session of its job; NULL before, and while it waits
                                   -- for a retry
  turn_id      INTEGER,            -- the turn that works on it, once there is one
  delivery     TEXT,               -- of its job when it began
  chat_key     TEXT,               -- the session of the chat that gets its result
  result_out   INTEGER,            -- the first outbox row of its result
  hook_state   TEXT,               -- of a webhook 'waiting', 'sent', 'dead'; NULL for others
  hook_body    TEXT,               -- JSON, fixed when the run ends, so that every attempt sends the same bytes
  hook_tries   INTEGER NOT NULL DEFAULT 0,  -- how often it was sent in vain
  hook_next_at INTEGER,
  created_at   INTEGER NOT NULL,
  started_at   INTEGER,
  finished_at  INTEGER,
  UNIQUE (job_id, scheduled_at, manual)
) STRICT;
-- The runs that have not ended.
CREATE INDEX run_open ON run (state, not_before) WHERE state IN ('due', 'running');
CREATE INDEX run_job ON run (job_id, id);
CREATE INDEX run_hook ON run (hook_next_at) WHERE hook_state = 'waiting';

-- How an agent compacted its context of a conversation: the summary stands for what was said up to a turn. Few rows; purged
-- and erased with the history.
CREATE TABLE compaction (
  id        INTEGER PRIMARY KEY,
  key       TEXT NOT NULL,
  epoch     INTEGER NOT NULL,
  upto_turn INTEGER,               -- the last turn that the summary covers; NULL before there is one
  summary   TEXT,                  -- NULL if the agent does not report it
  tokens    INTEGER,               -- the size of the context before
  at        INTEGER NOT NULL
) STRICT;
CREATE INDEX compaction_epoch ON compaction (key, epoch, id);

-- Every message of a conversation, whatever its state, by three small steps instead of one large index.
CREATE VIEW session_message (key, epoch, id, disposition, turn_id) AS
  SELECT key, epoch, id, disposition, turn_id FROM inbound WHERE state NOT IN ('waiting', 'in_turn')
  UNION ALL
  SELECT key, epoch, id, disposition, turn_id FROM inbound WHERE state = 'waiting'
  UNION ALL
  SELECT t.key, i.epoch, i.id, i.disposition, i.turn_id FROM turn t JOIN inbound i ON i.turn_id = t.id
  WHERE t.state IN ('queued', 'running') AND i.state = 'in_turn';

-- Every outgoing part, stored before it is sent.
CREATE TABLE outbox (
  id                  INTEGER PRIMARY KEY,
  turn_id             INTEGER,
  message_id          INTEGER,     -- the message it is about
  key                 TEXT,        -- the session; NULL when sent to a bare address
  seq                 INTEGER,     -- its number among the session's durable frames (web)
  address             TEXT NOT NULL,
  part_key            TEXT NOT NULL UNIQUE,  -- the same for every attempt: 't12/0', 'm7/notice/reset/0', 'send/...'
  part                INTEGER NOT NULL DEFAULT 0,  -- its number among the parts of its text
  kind                TEXT NOT NULL,  -- 'answer', 'notice', 'send', 'result' (of a task or a run)
  notice              TEXT,        -- of a notice which one: 'reset', 'stale'
  act                 TEXT NOT NULL,  -- 'post', 'edit', 'delete', 'react' (the body is the reaction), 'pin'
  target              TEXT,        -- the platform's id of the message that it changes; of a post: the unfinished message
                                   -- that it replaces, which is deleted once the post is sent
  about_out           INTEGER,     -- the row whose message it changes, or of a post replies to, if the platform's id was
                                   -- not known yet
  reply_to            TEXT,
  state               TEXT NOT NULL,  -- 'queued', 'streaming', 'sending', 'sent', 'unknown', 'dead', 'dropped'
  attempts            INTEGER NOT NULL,  -- how often it was sent, with the times that a kill cut off
  failures            INTEGER NOT NULL DEFAULT 0,  -- how often that failed and is to be tried again: the pause grows with
                                   -- this number and not with attempts, so that a crash loop delays nothing
  next_at             INTEGER NOT NULL,
  paused_at           INTEGER,     -- when the pause that ends at next_at began; NULL if there is none
  owner               TEXT,        -- the boot that sends it or streams into it
  fence               INTEGER NOT NULL,
  platform_message_id TEXT,
  error               TEXT,
  created_at          INTEGER NOT NULL,
  done_at             INTEGER,
  body                TEXT NOT NULL,
  plain               TEXT,        -- NULL where it equals the body
  media               TEXT,        -- JSON: the file it carries; NULL for none
  album               INTEGER,     -- the id of the first file of the album that this file is sent in; NULL for none
  salt                BLOB,        -- what the pairing code is derived from that is inserted when it is sent
  ask                 INTEGER,     -- the question that it asks, or closes
  task                TEXT,        -- JSON: the change of a task's state that it shows; its body is the task's title then
  audience            TEXT,        -- the only person who may see it, where the platform can do that; NULL for the whole chat
  place               INTEGER NOT NULL,  -- its place in the order of its address: its id, or that of the part that it follows
  unseen              INTEGER NOT NULL DEFAULT 0, -- 1: the body is a whole text in Markdown, which hooks have not seen yet
  urgent              INTEGER NOT NULL DEFAULT 0, -- 1: it is sent in quiet hours too
  held_until          INTEGER,     -- the end of the quiet hours that hold it back, or did; NULL if none have
  native              TEXT         -- JSON: the message in the platform's own form, which the body stands for; NULL for none
) STRICT;
-- What is still to be sent, per address in order.
CREATE INDEX outbox_open ON outbox (address, place, id) WHERE state IN ('queued', 'streaming', 'sending');
-- What did not arrive, for operators.
CREATE INDEX outbox_failed ON outbox (state, id) WHERE state IN ('unknown', 'dead');
CREATE INDEX outbox_dropped ON outbox (id) WHERE state = 'dropped';
CREATE INDEX outbox_seq ON outbox (key, seq) WHERE seq IS NOT NULL;
CREATE INDEX outbox_turn ON outbox (turn_id) WHERE turn_id IS NOT NULL;
-- The files that were sent in one conversation: few rows, so that erasing it does not walk through the whole outbox.
CREATE INDEX outbox_media ON outbox (key) WHERE media IS NOT NULL;

-- Questions to people. The answer is a row, so that an interrupted turn that asks the same again gets it.
CREATE TABLE ask (
  id             INTEGER PRIMARY KEY,  -- shown as a7, and never used again: buttons name it
  turn_id        INTEGER,          -- the turn that asks; NULL if it is the reply to a command
  ordinal        INTEGER,          -- its place among the turn's questions, the same in every attempt; NULL once an attempt
                                   -- has asked something else there
  digest         TEXT NOT NULL,    -- of what is asked: tells whether an attempt asks the same
  message_id     INTEGER,          -- the command whose reply it is
  commands       TEXT,             -- JSON: the commands that choices run, by the choice's id; NULL if a turn asks
  key            TEXT NOT NULL,    -- the session
  address        TEXT NOT NULL,
  kind           TEXT NOT NULL,    -- 'permission', 'choice', 'confirm', 'input'
  text           TEXT NOT NULL,    -- Markdown
  choices        TEXT NOT NULL,    -- JSON: id, label and style of each
  audience       TEXT NOT NULL,    -- JSON: a list of principals, or "admins"
  state          TEXT NOT NULL,    -- 'open', 'answered', 'expired', 'cancelled'
  created_at     INTEGER NOT NULL,
  asked_at       INTEGER NOT NULL, -- steady time, like the deadline: a clock that is set ahead ends no question
  deadline_at    INTEGER NOT NULL,
  default_answer TEXT,             -- the choice, or the text, that holds if nobody answers
  answer         TEXT,             -- the choice, or the text, that holds
  answered_by    TEXT,             -- the principal who gave it
  answered_name  TEXT,             -- the display name: data, never an identity
  ended_at       INTEGER,
  out_id         INTEGER NOT NULL, -- the outbox row with its buttons
  UNIQUE (turn_id, ordinal)
) STRICT;
CREATE INDEX ask_open ON ask (deadline_at) WHERE state = 'open';
-- The questions of one conversation, to erase them.
CREATE INDEX ask_key ON ask (key);

-- Files that came with messages, once they were fetched or could not be.
CREATE TABLE media (
  message_id INTEGER NOT NULL,
  n          INTEGER NOT NULL,     -- its place among the message's attachments
  file       TEXT,                 -- its name beneath the media root, chosen at random; NULL if it is not there
  size       INTEGER,
  error      TEXT,                 -- one sentence: why it is not there
  fetched_at INTEGER NOT NULL,
  unique_id  TEXT,                 -- channel, account and the platform's id of the content: a known one is not fetched again
  hash       BLOB,                 -- SHA-256 of the content: the same content is stored once, for several rows
  transcript TEXT,                 -- of a recording: its words; '' if there are none, NULL before it was transcribed
  PRIMARY KEY (message_id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_unique ON media (unique_id) WHERE unique_id IS NOT NULL AND file IS NOT NULL;
CREATE INDEX media_hash ON media (hash) WHERE hash IS NOT NULL AND file IS NOT NULL;
-- Files that were kept too long, and whether a file on the disk is still referred to.
CREATE INDEX media_kept ON media (fetched_at) WHERE file IS NOT NULL;
CREATE INDEX media_file ON media (file) WHERE file IS NOT NULL;

-- Files that clients have uploaded, for a day: until then a message of the same person may name them. A file that a message
-- names stays for as long as the message's files do.
CREATE TABLE upload (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE, -- random: how its owner names it
  principal  TEXT NOT NULL,        -- who has uploaded it
  request    TEXT UNIQUE,          -- what asked for it: a repetition of the same request makes no second upload
  file       TEXT NOT NULL,        -- its name beneath the media root
  size       INTEGER NOT NULL,
  attachment TEXT NOT NULL,        -- JSON: the file as a message has it
  created_at INTEGER NOT NULL,
  message_id INTEGER               -- the last message that has named it; NULL for none
) STRICT;
CREATE INDEX upload_file ON upload (file);
CREATE INDEX upload_created ON upload (created_at);
CREATE INDEX upload_message ON upload (message_id) WHERE message_id IS NOT NULL;

-- How many bytes of files were fetched for each person on one day. Only with a daily limit.
CREATE TABLE media_quota (
  day       INTEGER NOT NULL,      -- days since 1970 in the operator's time zone; first, so that the purge finds old ones
  principal TEXT NOT NULL,
  bytes     INTEGER NOT NULL,
  PRIMARY KEY (day, principal)
) STRICT, WITHOUT ROWID;

-- How many messages each person sent to agents on one day. Only with a daily limit.
CREATE TABLE quota (
  day       INTEGER NOT NULL,      -- as in media_quota
  principal TEXT NOT NULL,
  n         INTEGER NOT NULL,
  PRIMARY KEY (day, principal)
) STRICT, WITHOUT ROWID;

-- What turns have used, by person, chat, agent and day. A turn is counted when it is claimed, the rest when it ends.
CREATE TABLE spend (
  scope      TEXT NOT NULL,        -- 'person', 'chat', 'agent'
  subject    TEXT NOT NULL,        -- the principal, the chat's address without a thread, the agent's name
  day        INTEGER NOT NULL,     -- days since 1970 in the chat's time zone, of an agent in that of the gateway
  turns      INTEGER NOT NULL,
  input      INTEGER NOT NULL,     -- tokens
  output     INTEGER NOT NULL,
  cost_micro INTEGER NOT NULL,     -- as in turn
  warned     INTEGER NOT NULL DEFAULT 0,  -- 1: the chat was told that little is left
  PRIMARY KEY (scope, subject, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX spend_day ON spend (day);

-- Limits that admins have set in place of the configured ones: NULL as configured, 0 no limit.
CREATE TABLE budget (
  scope        TEXT NOT NULL,      -- as in spend
  subject      TEXT NOT NULL,
  turns        INTEGER,
  tokens       INTEGER,
  cost_micro   INTEGER,
  warn_percent INTEGER,
  until        INTEGER,            -- when they end; NULL when they are changed
  author       TEXT NOT NULL,
  updated_at   INTEGER NOT NULL,
  PRIMARY KEY (scope, subject)
) STRICT, WITHOUT ROWID;

-- Who may use the web channel and the API. Only hashes: the owner's clear token is in a file of its own, and every other one
-- was shown once.
CREATE TABLE token (
  name         TEXT PRIMARY KEY,   -- never used again
  holder       TEXT NOT NULL,      -- the id on the web channel of the person it stands for: its own name, or for a browser's that of
                                   -- the token that let it in, 'anna' or 'shop/user'
  hash         BLOB NOT NULL UNIQUE, -- SHA-256
  scope        TEXT NOT NULL,      -- 'chat', 'app', 'read', 'admin'
  kind         TEXT NOT NULL,      -- 'owner' for the token in the home folder, 'named', 'browser' for one of a login link
  author       TEXT NOT NULL,
  created_at   INTEGER NOT NULL,   -- when the present secret was made
  expires_at   INTEGER,
  last_used_at INTEGER,            -- written from time to time
  revoked_at   INTEGER             -- NULL while it is valid
) STRICT, WITHOUT ROWID;
CREATE INDEX token_holder ON token (holder, created_at);
CREATE INDEX token_browser ON token (expires_at) WHERE kind = 'browser';

-- Where it is posted what became of a message that a program did not wait for.
CREATE TABLE callback (
  message_id INTEGER PRIMARY KEY,
  url        TEXT NOT NULL,
  token      TEXT NOT NULL,        -- the name of the token that asked for it, and whose hash signs it
  state      TEXT NOT NULL,        -- 'waiting', 'sent', 'dead'
  tries      INTEGER NOT NULL,     -- how often it was posted
  next_at    INTEGER NOT NULL,     -- when it may be posted, once its message has ended
  error      TEXT,                 -- why it was not taken
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX callback_due ON callback (next_at) WHERE state = 'waiting';
CREATE INDEX callback_created ON callback (created_at);

-- What an admin granted. The only change to a row is its revocation; a new grant is a new row.
CREATE TABLE access (
  id         INTEGER PRIMARY KEY,
  principal  TEXT NOT NULL,        -- 'telegram:123', 'telegram@work:123': platform, account and stable id
  scope      TEXT NOT NULL,        -- 'dm', 'group:-100123', 'admin': one says nothing about another
  source     TEXT NOT NULL,        -- how it was granted: 'pairing', 'cli', 'api', 'chat'
  author     TEXT NOT NULL,        -- who granted it
  shown      TEXT,                 -- the person's display name then: data, never an identity
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,              -- NULL while it is valid
  revoked_by TEXT
) STRICT;
-- At most one valid grant per principal and scope, and the way to find it.
CREATE UNIQUE INDEX access_held ON access (principal, scope) WHERE revoked_at IS NULL;

-- Requests of unknown senders for access: at most one row per person, and a limited number of open ones per account.
CREATE TABLE pairing (
  id         INTEGER PRIMARY KEY,  -- names a request for those who may not know the code
  principal  TEXT NOT NULL UNIQUE,
  channel    TEXT NOT NULL,
  account    TEXT NOT NULL,
  address    TEXT NOT NULL,        -- where the person is notified
  sender     TEXT,                 -- display data
  message_id INTEGER NOT NULL,     -- the event that asked: its notice carries the code
  salt       BLOB NOT NULL,        -- the code is derived from it and a secret that is not in this database
  hash       BLOB NOT NULL,        -- SHA-256 of salt and code
  state      TEXT NOT NULL,        -- 'open', 'approved', 'denied'
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

-- Codes by which a person joins a private chat to another one of theirs, one for each chat. Once one is entered in the
-- other chat, both chats are asked whether they agree.
CREATE TABLE link_code (
  place           TEXT PRIMARY KEY,   -- the session of the chat that shows the code
  target          TEXT NOT NULL,      -- the session that both will share
  principal       TEXT NOT NULL,      -- who asked for the code
  message_id      INTEGER NOT NULL,   -- the message that did
  salt            BLOB NOT NULL,      -- as in pairing
  hash            BLOB NOT NULL,
  created_at      INTEGER NOT NULL,   -- steady time, like the end
  expires_at      INTEGER NOT NULL,
  other_place     TEXT,               -- the session of the chat in which it was entered; NULL until then
  other_principal TEXT,               -- who entered it
  other_message   INTEGER UNIQUE,     -- the message that did
  agreed          INTEGER NOT NULL DEFAULT 0,  -- 1: the chat that shows the code has agreed
  other_agreed    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Private chats whose messages belong to the session of another private chat of the same person.
CREATE TABLE link (
  place            TEXT PRIMARY KEY,  -- the session of the chat
  target           TEXT NOT NULL,     -- the session that it shares
  principal        TEXT NOT NULL,     -- whose chat it is
  target_principal TEXT NOT NULL,     -- whose chat the other one is
  address          TEXT NOT NULL,     -- where the chat is told that it is parted
  created_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Settings of chats made by admins, besides the configuration.
CREATE TABLE chat (
  address     TEXT PRIMARY KEY,    -- the chat without a thread, by its first id
  allowed     INTEGER NOT NULL,    -- 1: the group is served
  muted_until INTEGER,             -- nothing is answered before
  muted_at    INTEGER,             -- when that was set
  zone        TEXT,                -- the IANA time zone of its people; NULL where the configuration decides
  author      TEXT NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- People and programs that may not write anywhere, whatever is granted to them.
CREATE TABLE blocked (
  principal  TEXT PRIMARY KEY,
  source     TEXT NOT NULL,        -- cli | api | chat
  author     TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Chats whose id changed (a group that became a supergroup). Sessions, rules and grants keep the first one.
CREATE TABLE chat_alias (
  current  TEXT PRIMARY KEY,       -- as the platform knows it now
  original TEXT NOT NULL,          -- as it was known first
  moved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which bot or login each account is connected as, where its adapter can tell. The platform's ids of messages belong to it.
CREATE TABLE account_login (
  channel TEXT NOT NULL,
  account TEXT NOT NULL,
  login   TEXT NOT NULL,           -- the platform's stable id of it
  since   INTEGER NOT NULL,        -- for people who read this table
  PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- Accounts that an admin disconnected; they stay so until an admin connects them again.
CREATE TABLE stopped_account (
  channel    TEXT NOT NULL,
  account    TEXT NOT NULL,
  author     TEXT NOT NULL,
  stopped_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- Every grant, refusal in doubt and admin command. Never a code and never a message's text.
CREATE TABLE audit (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  author  TEXT NOT NULL,           -- a principal, 'cli', 'api:main', 'SIGHUP'
  via     TEXT NOT NULL,           -- 'chat', 'cli', 'api', 'signal'
  action  TEXT NOT NULL,           -- 'approve', 'grant', 'gateway stop'
  subject TEXT NOT NULL,           -- about whom or what
  outcome TEXT NOT NULL            -- 'done', 'unchanged', 'refused:not_admin', 'refused:locked'
) STRICT;

-- Faults of the gateway itself that have not ended, so that each is told once, also across restarts.
CREATE TABLE fault (
  kind    TEXT NOT NULL,           -- 'heartbeat', 'turn', 'channel', 'queue', 'delivery', 'disk', 'storage'
  subject TEXT NOT NULL,           -- the account or the session that has it; empty for the gateway as a whole
  since   INTEGER NOT NULL,
  told_at INTEGER,                 -- when people were told last; NULL if they were not told yet
  tells   INTEGER NOT NULL,        -- how often they were told
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
