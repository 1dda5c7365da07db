//! Sessions: how a client begins, resumes and loses one, and what its frames mean.

use serde_json::{Value, json};

use super::{Frame, Next};
use crate::id::Id;
use crate::session::{Dispatch, Session, intent};
use crate::world::World;

/// The pause between two IDENTIFYs, if limits are on.
const BETWEEN_MS: i64 = 5000;

impl World {
    /// What a connection has to deliver.
    pub(super) fn due(&self, number: u64, session: Option<&(Id, String, u64)>) -> Vec<Dispatch> {
        let Some((bot, id, sent)) = session.filter(|_| !self.gateway.deaf && !self.gateway.unconfirmed)
        else {
            return Vec::new();
        };
        let bot = self.bots.iter().find(|known| known.id == *bot);
        let session = bot.and_then(|bot| bot.sessions.iter().find(|session| session.id == *id));
        let own = session.filter(|session| session.connection == Some(number));
        own.map(|session| session.after(*sent).cloned().collect()).unwrap_or_default()
    }

    /// Takes a frame of a client.
    pub(super) fn take(&mut self, number: u64, session: Option<&(Id, String, u64)>, frame: &Frame) -> Next {
        match (frame.op, session) {
            (1, _) => {
                if let (Some((bot, id, _)), Some(seq)) = (session, frame.d.as_u64()) {
                    self.confirm(*bot, id, seq);
                }
                let answers = !self.gateway.deaf && !self.gateway.unacknowledged;
                let answer = json!({"op": 11, "s": null, "t": null, "d": null});
                if answers { Next::Send(answer) } else { Next::Nothing }
            }
            (2 | 6, Some(_)) => Next::Close(4005),
            (2, None) => self.identify(number, &frame.d),
            (6, None) => self.resume(number, &frame.d),
            (3 | 4 | 8, None) => Next::Close(4003),
            (3 | 4 | 8, Some(_)) => Next::Nothing,
            _ => Next::Close(4001),
        }
    }

    fn identify(&mut self, number: u64, wants: &Value) -> Next {
        let (now, paced) = (self.now_ms(), self.limits.are_real());
        let token = wants["token"].as_str().unwrap_or_default();
        let Some(bot) = self.bots.iter_mut().find(|bot| bot.token == token) else { return Next::Close(4004) };
        let Some(intents) = wants["intents"].as_u64() else { return Next::Close(4002) };
        if let Some(shard) = wants.get("shard").filter(|shard| !shard.is_null())
            && *shard != json!([0, 1])
        {
            return Next::Close(4010);
        }
        if intents & !intent::ALL != 0 {
            return Next::Close(4013);
        }
        if intents & intent::PRIVILEGED & !bot.granted != 0 {
            return Next::Close(4014);
        }
        if paced && bot.identified.last().is_some_and(|last| now - last < BETWEEN_MS) {
            return Next::Send(json!({"op": 9, "s": null, "t": null, "d": false}));
        }
        if bot.identifies_left(now).0 == 0 {
            // Discord takes the token away.
            bot.token = String::new();
            return Next::Close(4004);
        }
        bot.identified.push(now);
        let (id, session) = (bot.id, format!("{:016x}", self.common.random.number()));
        let guilds: Vec<Id> = self
            .guilds
            .values()
            .filter(|guild| guild.members.contains_key(&id))
            .map(|guild| guild.id)
            .collect();
        let unavailable: Vec<Value> =
            guilds.iter().map(|guild| json!({"id": guild, "unavailable": true})).collect();
        let resumed_at = self.gateway.resumed_at.clone().unwrap_or_else(|| format!("ws://{}", self.address));
        let ready = json!({
            "v": 10, "user": self.user_json(id), "guilds": unavailable, "session_id": session, "session_type": "normal",
            "resume_gateway_url": resumed_at, "application": {"id": id, "flags": 0},
            "shard": [0, 1], "private_channels": [], "presences": [], "relationships": [], "user_settings": {},
        });
        let created: Vec<Value> = guilds.iter().map(|guild| self.guild_create(*guild, id)).collect();
        let mut opened = Session::new(session.clone(), intents, number);
        opened.push("READY", &ready, 0);
        for guild in created.iter().filter(|_| intents & intent::GUILDS != 0) {
            let outage = guild["unavailable"] == true;
            opened.push(if outage { "GUILD_DELETE" } else { "GUILD_CREATE" }, guild, 0);
        }
        if let Some(bot) = self.bot(id) {
            bot.sessions.push(opened);
        }
        Next::Deliver { bot: id, session, after: 0 }
    }

    fn resume(&mut self, number: u64, wants: &Value) -> Next {
        let (now, window) = (self.now_ms(), self.gateway.window_ms);
        let token = wants["token"].as_str().unwrap_or_default();
        let Some(bot) = self.bots.iter_mut().find(|bot| bot.token == token) else { return Next::Close(4004) };
        bot.sessions.retain(|session| session.is_alive(now, window));
        let invalid = Next::Send(json!({"op": 9, "s": null, "t": null, "d": false}));
        let wanted = wants["session_id"].as_str().unwrap_or_default();
        let Some(session) = bot.sessions.iter_mut().find(|session| session.id == wanted) else {
            return invalid;
        };
        let Some(after) = wants["seq"].as_u64().filter(|seq| *seq <= session.seq) else {
            return Next::Close(4007);
        };
        if !session.reaches_back_to(after) {
            return invalid;
        }
        session.connection = Some(number);
        session.push("RESUMED", &json!({}), 0);
        let (bot, session) = (bot.id, session.id.clone());
        self.confirm(bot, &session, after);
        Next::Deliver { bot, session, after }
    }

    /// A client has named the last dispatch that it has.
    fn confirm(&mut self, bot: Id, session: &str, seq: u64) {
        let now = self.now_ms();
        let Some(known) = self.bots.iter().find(|known| known.id == bot) else { return };
        let Some(session) = known.sessions.iter().find(|known| known.id == session) else { return };
        self.common.journal.confirmed(&bot, &session.confirmed(seq), now);
    }

    /// A connection has ended. Its session waits for the client, unless the code says that it is over.
    pub(super) fn disconnected(&mut self, number: u64, code: Option<u16>) {
        let now = self.now_ms();
        self.gateway.orders.remove(&number);
        if matches!(code, Some(1000 | 1001 | 4004 | 4007 | 4009..=4014)) {
            self.end_session(number);
        }
        let sessions = self.bots.iter_mut().flat_map(|bot| &mut bot.sessions);
        for session in sessions.filter(|session| session.connection == Some(number)) {
            (session.connection, session.dropped_ms) = (None, now);
        }
    }

    /// The session of a connection is over.
    pub(super) fn end_session(&mut self, number: u64) {
        self.bots
            .iter_mut()
            .for_each(|bot| bot.sessions.retain(|session| session.connection != Some(number)));
    }
}
