//! Discord lets a bot begin a limited number of sessions a day, and takes the token away from a bot that begins more.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::port::AdapterError;
use reqwest::Method;
use serde::Deserialize;

use crate::context::Context;
use crate::error::Fault;
use crate::progress::Progress;
use crate::rest::Request;

/// Below this share of the sessions of a day (one in so many), what is left is spread over the time until there are more.
const LAST_PART: u64 = 5;

/// The sessions of a day.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Limit {
    total: u64,
    remaining: u64,
    /// Milliseconds until all of them may be begun again.
    reset_after: u64,
}

impl Limit {
    /// How long to wait before the next session, if the last one began at `last`; `None` if it may begin now.
    fn pause(self, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Duration> {
        let Some(share) = self.reset_after.checked_div(self.remaining) else {
            return Some(Duration::from_millis(self.reset_after));
        };
        let since = (now - last?).to_std().unwrap_or_default();
        let left = Duration::from_millis(share).saturating_sub(since);
        (self.remaining.saturating_mul(LAST_PART) < self.total && !left.is_zero()).then_some(left)
    }
}

#[derive(Deserialize)]
struct Gateway {
    url: String,
    session_start_limit: Limit,
}

async fn ask(context: &Context) -> Result<Gateway, AdapterError> {
    let request = Request::new("get_bot_gateway", Method::GET, &["gateway", "bot"]);
    context.rest.query(&request).await.map_err(Fault::for_connection)
}

/// The address for every session.
pub(super) async fn general_address(context: &Context) -> Result<String, AdapterError> {
    Ok(ask(context).await?.url)
}

/// Where a new session begins, unless none may begin now. It counts as begun.
pub(super) async fn address(context: &Context, progress: &mut Progress) -> Result<String, AdapterError> {
    let gateway = ask(context).await?;
    let (limit, now) = (gateway.session_start_limit, context.timer.wall());
    if let Some(after) = limit.pause(progress.begun, now) {
        let detail = match limit.remaining {
            0 => "the bot has begun as many sessions as Discord allows in a day".to_owned(),
            left => format!(
                "the bot has begun nearly as many sessions as Discord allows in a day, and the last {left} are spread over \
                 the rest of it"
            ),
        };
        return Err(AdapterError::Later { detail, after });
    }
    progress.begun = Some(now);
    Ok(gateway.url)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plenty(200, Some(1), None)]
    #[case::few(100, Some(1), Some(719))]
    #[case::few_after_a_while(100, Some(720), None)]
    #[case::few_and_none_is_known(100, None, None)]
    #[case::the_clock_was_set_back(100, Some(-5000), Some(720))]
    #[case::none_is_left(0, Some(5000), Some(72_000))]
    fn the_last_sessions_of_a_day_are_spread(
        #[case] remaining: u64,
        #[case] last: Option<i64>,
        #[case] pause: Option<u64>,
    ) {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let last = last.map(|seconds| now - chrono::TimeDelta::seconds(seconds));
        let limit = Limit { total: 1000, remaining, reset_after: 72_000_000 };
        assert_eq!(limit.pause(last, now), pause.map(Duration::from_secs));
    }
}
