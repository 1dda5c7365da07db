//! Posts the results of jobs to web servers. The body is fixed when the run ends.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::port::{Stop, WebhookFault};
use frontdesk_store::StoreError;
use frontdesk_store::row::{HookPost, HookResult};
use futures_util::future::join_all;

use super::Look;
use crate::shared::Shared;
use crate::signed_post::{next_attempt, signed_post};

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
            let (delivery, key) = (post.run.to_string(), secret.expose().as_bytes());
            let signed = signed_post(delivery, post.body.clone(), key, shared.time.wall());
            result(shared.work.jobs.webhooks.post(&post.url, signed).await, &post, shared.time.wall())
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
        Err(WebhookFault::Later(why)) => match next_attempt(post.tries + 1, post.ended, now) {
            Some(at) => HookResult::Later(at),
            None => HookResult::Dead(format!("{why}, for 24 hours")),
        },
    }
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
    fn a_server_that_is_away_is_asked_for_a_day() {
        let now: DateTime<Utc> = "2026-03-28T12:00:00Z".parse().unwrap();
        let later = || Err(WebhookFault::Later("HTTP 500".to_owned()));
        assert!(matches!(result(later(), &post("2026-03-28T11:59:00Z", 0), now), HookResult::Later(_)));
        let given_up = result(later(), &post("2026-03-27T12:30:00Z", 30), now);
        assert_eq!(given_up, HookResult::Dead("HTTP 500, for 24 hours".to_owned()));
        let refused = Err(WebhookFault::Refused("HTTP 404".to_owned()));
        let given_up = result(refused, &post("2026-03-28T12:00:00Z", 0), now);
        assert_eq!(given_up, HookResult::Dead("HTTP 404".to_owned()));
        assert_eq!(result(Ok(()), &post("2026-03-28T12:00:00Z", 0), now), HookResult::Sent);
    }
}
