//! The servers of a bot, which Discord lists page by page.

use frontdesk_kit::json::Fields;
use reqwest::Method;
use serde_json::value::RawValue;

use crate::rest::Request;

/// The size of a page, the largest that there is (Discord's documentation, Get Current User Guilds).
const PAGE: usize = 200;

/// The pages that were read, and how to ask for the next one.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    listed: Vec<Box<RawValue>>,
    /// The last id of the last page.
    after: u64,
    is_complete: bool,
}

impl Pages {
    /// The request for the next page; `None` after the last one.
    pub(crate) fn next(&self) -> Option<Request<'static>> {
        if self.is_complete {
            return None;
        }
        let request =
            Request::new("list_my_guilds", Method::GET, &["users", "@me", "guilds"]).with("limit", PAGE);
        Some(if self.after == 0 { request } else { request.with("after", self.after) })
    }

    /// Adds the page that was asked for.
    pub(crate) fn add(&mut self, page: Vec<Box<RawValue>>) {
        let id = |raw: &RawValue| Fields::of(raw.get(), "")?.maybe::<String>("id")?.parse::<u64>().ok();
        let last = page.iter().filter_map(|raw| id(raw)).max().unwrap_or_default();
        self.is_complete = page.len() < PAGE || last <= self.after;
        self.after = last;
        self.listed.extend(page);
    }

    /// The guilds of all pages.
    pub(crate) fn all(self) -> Vec<Box<RawValue>> {
        self.listed
    }
}
