//! Posts the results of jobs to web servers.
//!
//! The body is fixed when the run ends, and every attempt sends the same bytes under the same `X-Frontdesk-Delivery`, so that
//! a server recognises a repetition. The signature covers the time of the attempt as well: a recorded request is of no use later.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::config::Secret;
use frontdesk_core::port::{Stop, WebhookFault, WebhookPost};
use frontdesk_core::retry::Backoff;
use frontdesk_store::StoreError;
use frontdesk_store::row::{HookPost, HookResult};
use futures_util::future::join_all;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Look;
use crate::random;
use crate::shared::Shared;

/// The pauses between attempts.
const BACKOFF: Backoff =
    Backoff { base: Duration::from_secs(30), factor: 2.0, jitter: 0.2, cap: Duration::from_secs(3600) };
/// Time after the end of its run at which a result is given up.
const GIVEN_UP: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Posts results, until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    loop {
        let look = Look::now(&shared);
        let next = tokio::select! {
            () = stop.cancelled() => return,
            next = post_due(&shared) => next,
        };
        shared.health.note(next.as_ref().err());
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.work.jobs.post_noted() => {}
            () = look.again(&shared, next) => {}
        }
    }
}

/// Posts what is due, all at once, and returns when the next is.
async fn post_due(shared: &Arc<Shared>) -> Result<Option<DateTime<Utc>>, StoreError> {
    let due = shared.store.hooks_due(shared.time.wall()).await?;
    let posted = join_all(due.into_iter().map(|post| posted(shared, post))).await;
    posted.into_iter().collect::<Result<(), _>>()?;
    shared.store.next_hook().await
}

async fn posted(shared: &Arc<Shared>, post: HookPost) -> Result<(), StoreError> {
    let settings = shared.settings();
    let result = match &settings.config.cron.webhook_secret {
        Some(secret) => {
            let sent =
                shared.work.jobs.webhooks.post(&post.url, signed(&post, secret, shared.time.wall())).await;
            result(sent, &post, shared.time.wall())
        }
        None => HookResult::Dead("cron.webhook_secret is not set any more".to_owned()),
    };
    if let HookResult::Dead(why) = &result {
        tracing::warn!(job = %post.job, run = %post.run, why, "the result of a job was not posted");
    }
    shared.store.hook_sent(post.run, result, shared.time.wall()).await
}

fn result(sent: Result<(), WebhookFault>, post: &HookPost, now: DateTime<Utc>) -> HookResult {
    match sent {
        Ok(()) => HookResult::Sent,
        Err(WebhookFault::Refused(why)) => HookResult::Dead(why),
        Err(WebhookFault::Later(why)) => {
            let pause = chrono::TimeDelta::from_std(BACKOFF.delay(post.tries + 1, random::fraction()));
            let at = now + pause.unwrap_or(GIVEN_UP);
            match at - post.ended > GIVEN_UP {
                true => HookResult::Dead(format!("{why}, for 24 hours")),
                false => HookResult::Later(at),
            }
        }
    }
}

fn signed(post: &HookPost, secret: &Secret, now: DateTime<Utc>) -> WebhookPost {
    let timestamp = now.timestamp().to_string();
    let signature = signature(secret.expose().as_bytes(), &timestamp, &post.body);
    WebhookPost {
        headers: vec![
            ("x-frontdesk-delivery", post.run.to_string()),
            ("x-frontdesk-timestamp", timestamp),
            ("x-frontdesk-signature", format!("sha256={signature}")),
        ],
        body: post.body.clone(),
    }
}

/// HMAC-SHA256 of the timestamp, a dot and the body, in hexadecimal.
fn signature(secret: &[u8], timestamp: &str, body: &str) -> String {
    // Keys of any length are good.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    for piece in [timestamp, ".", body] {
        mac.update(piece.as_bytes());
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use frontdesk_core::id::RunId;

    use super::*;

    fn post(ended: &str, tries: u32) -> HookPost {
        HookPost {
            run: RunId(5),
            job: "report".parse().unwrap(),
            url: "https://example.com".to_owned(),
            body: "{}".to_owned(),
            tries,
            ended: ended.parse().unwrap(),
        }
    }

    #[test]
    fn the_signature_is_what_openssl_computes() {
        // printf '1774699200.{"a":1}' | openssl dgst -sha256 -hmac "0123456789abcdef"
        let signature = signature(b"0123456789abcdef", "1774699200", "{\"a\":1}");
        assert_eq!(signature, "268c65c8458cdcdf2e6c37efc4ec5797ad313518ec324bf9d9acbb954679cac5");
    }

    #[test]
    fn a_server_that_is_away_is_asked_for_a_day() {
        let now: DateTime<Utc> = "2026-03-28T12:00:00Z".parse().unwrap();
        let later = || Err(WebhookFault::Later("HTTP 500".to_owned()));
        let HookResult::Later(at) = result(later(), &post("2026-03-28T11:59:00Z", 0), now) else { panic!() };
        let pause = (at - now).num_seconds();
        assert!((24..=36).contains(&pause), "{pause}");
        let HookResult::Later(at) = result(later(), &post("2026-03-28T00:00:00Z", 30), now) else { panic!() };
        assert!(at - now <= chrono::TimeDelta::hours(1));
        let given_up = result(later(), &post("2026-03-27T12:30:00Z", 30), now);
        assert_eq!(given_up, HookResult::Dead("HTTP 500, for 24 hours".to_owned()));
        let refused = Err(WebhookFault::Refused("HTTP 404".to_owned()));
        let given_up = result(refused, &post("2026-03-28T12:00:00Z", 0), now);
        assert_eq!(given_up, HookResult::Dead("HTTP 404".to_owned()));
        assert_eq!(result(Ok(()), &post("2026-03-28T12:00:00Z", 0), now), HookResult::Sent);
    }
}
