//! `frontdesk link`: how to log a browser in.

use serde_json::json;

use super::{Done, Remote, client, screen};

pub fn link(remote: &Remote) -> Done {
    // Nothing is sent here, so that any URL will do: `--url https://frontdesk.example.org` for a door behind a proxy.
    let url = match &remote.url {
        Some(url) => url.clone(),
        None => client::public_url(remote)?,
    };
    let link = client::token(remote)?.link(&url);
    if remote.json { screen::json(&json!({"link": link})) } else { screen::line(link) }
}
