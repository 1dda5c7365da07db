//! The database under test: SQLite. It is the suite's only parameter: another database runs the same modules in a test
//! crate whose `database` opens that one.

use std::path::Path;
use std::sync::Arc;

use frontdesk_core::id::BootId;
use frontdesk_store::{Options, Store};

use crate::fixture::{TestRenderer, t};

/// Opens the store that belongs to a folder, as another boot each time, and creates it if there is none.
pub async fn open(home: &Path, boot: u64, renderer: Arc<TestRenderer>) -> Store {
    Store::open(options(&home.join("frontdesk.db"), boot, renderer)).await.unwrap()
}

/// Options of a store whose renderer is its listener as well.
pub fn options(path: &Path, boot: u64, renderer: Arc<TestRenderer>) -> Options {
    let (path, boot, listener) = (path.to_owned(), BootId::from_bits(boot), Arc::clone(&renderer));
    Options { path, boot, now: t(0), renderer, listener, readers: 2 }
}
