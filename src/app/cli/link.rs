//! `frontdesk link`: the link that logs a browser in.

use serde_json::json;

use super::{Done, Remote, client};

pub fn link(remote: &Remote) -> Done {
    // Nothing is sent here, so any URL is accepted: `--url https://frontdesk.example.org` for a gateway behind a proxy.
    let url = match &remote.url {
        Some(url) => url.clone(),
        None => client::public_url(remote)?,
    };
    let link = client::token(remote)?.link(&url);
    remote.say(&json!({"link": link}), &link)
}
