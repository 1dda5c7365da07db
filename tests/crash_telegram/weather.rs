//! What goes wrong between the bot and the server.

use std::sync::atomic::Ordering;

use frontdesk_botapi::Fault;

use crate::world::World;

/// Nothing, so that everything can come to rest.
pub fn clear(world: &World) {
    world.api.calm();
}

/// A little of everything. At some times updates also come in the wrong order.
pub fn bad(world: &World, shuffling: bool) {
    world.shuffling.store(shuffling, Ordering::Relaxed);
    let all = [
        Fault::too_many(1).permille(8),
        Fault::status(502).permille(5),
        Fault::refuse(500, "Internal Server Error").permille(3),
        Fault::lost().permille(15),
        Fault::hangup().permille(8),
        Fault::slow(40).permille(120),
        Fault::late(30).permille(60),
        Fault::slow(60).on("getFile").permille(300),
        Fault::lost().on("getUpdates").permille(15),
        Fault::hangup().on("getUpdates").permille(5),
        Fault::status(502).on("getUpdates").permille(5),
        Fault::twice().permille(40),
    ];
    for fault in all {
        world.api.fault(fault);
    }
    if shuffling {
        world.api.fault(Fault::shuffled().permille(80));
    }
}
