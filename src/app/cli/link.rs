//! `frontdesk link`: how to log a browser in.

use serde_json::json;

use super::{Done, Remote, client, screen};

pub fn link(remote: &Remote) -> Done {
    let link = client::token(remote)?.link(&client::url(remote)?);
    if remote.json { screen::json(&json!({"link": link})) } else { screen::line(link) }
}
