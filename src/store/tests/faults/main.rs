//! What a bad disk, a foreign program, a kill and a wrong file do to a SQLite store: nothing that was
//! acknowledged is lost, and nothing that is there is touched.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../conformance/database.rs"]
mod database;
mod disk;
mod files;
#[allow(dead_code, reason = "the conformance suite uses all of it")]
#[path = "../conformance/fixture.rs"]
mod fixture;
mod foreign;
mod kill;
mod lost;
#[path = "../conformance/renderer.rs"]
mod renderer;
mod secrets;
mod unreadable;
