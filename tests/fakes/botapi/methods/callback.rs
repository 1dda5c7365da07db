//! The answer to a pressed button.

use serde_json::Value;

use crate::answer::{Answer, Done, Refusal};
use crate::params::Params;
use crate::world::World;

/// A query can be answered for as long as its update is kept, in milliseconds; the platform names no number.
pub const ALIVE_MS: i64 = 150_000;
const TOO_OLD: &str = "query is too old and response timeout expired or query ID is invalid";

pub fn answer(world: &mut World, bot: i64, params: &Params) -> Answer {
    let now = world.now_ms();
    if params.text("text").is_some_and(|text| crate::entity::utf16(&text) > 200) {
        return Err(Refusal::bad("MESSAGE_TOO_LONG"));
    }
    let id = params.text("callback_query_id").unwrap_or_default();
    let press = world.presses.get_mut(&id).filter(|press| press.bot == bot && now - press.at <= ALIVE_MS);
    let press = press.ok_or_else(|| Refusal::bad(TOO_OLD))?;
    press.answer = Some(Value::Object(params.fields().clone()));
    Ok(Done::yes())
}
