//! Where a file can be downloaded.

use crate::answer::{Answer, Done, Refusal};
use crate::file::MOST;
use crate::params::Params;
use crate::world::World;

pub fn get(world: &mut World, _: i64, params: &Params) -> Answer {
    let id = params.text("file_id").unwrap_or_default();
    if id.is_empty() {
        return Err(Refusal::bad("file_id not specified"));
    }
    let stored = world.files.get(&id);
    let stored =
        stored.ok_or_else(|| Refusal::bad("wrong file_id or the file is temporarily unavailable"))?;
    if stored.content.size() > MOST {
        return Err(Refusal::bad("file is too big"));
    }
    Ok(Done::with(&stored.to_json()))
}
