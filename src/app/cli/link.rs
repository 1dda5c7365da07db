//! `frontdesk link`: a link that logs a browser in.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, fresh_key, public_url};
use super::{Done, Failure, Remote, field, screen, tokens};

#[derive(Args)]
pub struct LinkArgs {
    #[command(flatten)]
    remote: Remote,
    /// For how long the link can be used, for example 30m; at most 24h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = validity)]
    expires: Duration,
}

/// The longest time for which a link can be used.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

fn validity(text: &str) -> Result<Duration, String> {
    match tokens::span(text)? {
        span if span > LONGEST => Err("a login link can be used for at most 24h".to_owned()),
        span => Ok(span),
    }
}

pub async fn link(args: LinkArgs) -> Done {
    let remote = &args.remote;
    // A gateway behind a proxy is asked at the address where it listens, and reached by people at another one.
    let shown = match &remote.url {
        Some(url) => url.clone(),
        None => public_url(remote)?,
    };
    let near = Remote { url: remote.url.clone().filter(|url| url.starts_with("http://")), ..remote.clone() };
    let (link, expires) = fresh(&Client::find(&near)?, &shown, args.expires).await?;
    if remote.json {
        return screen::json(&json!({"link": link, "expires": expires}));
    }
    screen::line(link)
}

/// A link that lets one browser in, once, and until when.
pub async fn fresh(client: &Client, url: &str, valid_for: Duration) -> Result<(String, Value), Failure> {
    let body = json!({"expires_s": valid_for.as_secs()});
    let made = client.post("/api/tickets", &body, &fresh_key()?).await?;
    let link = format!("{}{}", url.trim_end_matches('/'), field::text(&made, "path"));
    Ok((link, made["expires"].clone()))
}
