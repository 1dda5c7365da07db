//! Charts: what happened in the last hour or day.

use chrono::Duration;
use frontdesk_store::row::{MinuteRow, minute_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::Timestamp;

/// How far back charts go.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum ChartRange {
    #[default]
    Hour,
    Day,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChartsQuery {
    #[serde(default)]
    range: ChartRange,
}

/// What happened, in equal steps.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Charts {
    /// Length of a step in seconds.
    step_s: i64,
    points: Vec<ChartPoint>,
}

/// What happened in one step. A time is null if nothing was measured.
#[derive(Debug, Serialize, JsonSchema)]
struct ChartPoint {
    /// When the step began.
    at: Timestamp,
    messages: u64,
    turns: u64,
    /// The mean time of a turn.
    turn_ms: Option<u64>,
    turn_max_ms: Option<u64>,
    /// The mean time of a commit.
    commit_us: Option<u64>,
    commit_max_us: Option<u64>,
    /// The age of the oldest message that waited.
    queue_ms: u64,
    /// In millionths of the currency in which the agents count.
    cost_micro: u64,
}

impl ChartRange {
    /// The number of points, and the minutes of each.
    fn points(self) -> (i64, i64) {
        match self {
            ChartRange::Hour => (60, 1),
            ChartRange::Day => (96, 15),
        }
    }
}

/// Messages, turns, cost, the time of turns and commits, and the age of the queue, in equal steps; the last one is still
/// going on.
#[utoipa::path(get, path = "/api/charts", params(ChartsQuery), responses((status = 200, body = Charts)))]
pub(crate) async fn charts(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let ChartsQuery { range } = request.query()?;
    let (count, minutes) = range.points();
    let now = request.server.clock().wall();
    let last = minute_of(now).div_euclid(minutes);
    let first = last - count + 1;
    let begin = now - Duration::minutes(minute_of(now) - first * minutes);
    let mut points = vec![MinuteRow::default(); usize::try_from(count).unwrap_or(0)];
    for (minute, row) in request.server.handle.minutes(begin).await? {
        let place = usize::try_from(minute.div_euclid(minutes) - first);
        if let Some(point) = place.ok().and_then(|place| points.get_mut(place)) {
            point.add(&row);
        }
    }
    let points = (first..).zip(&points).map(|(number, row)| point(number * minutes, row)).collect();
    Ok(ApiResponse::ok(Charts { step_s: minutes * 60, points }))
}

fn point(minute: i64, row: &MinuteRow) -> ChartPoint {
    let at = chrono::DateTime::from_timestamp(minute.saturating_mul(60), 0).unwrap_or_default();
    ChartPoint {
        at: at.into(),
        messages: row.messages,
        turns: row.turns,
        turn_ms: row.turn_ms.checked_div(row.turns),
        turn_max_ms: (row.turns > 0).then_some(row.turn_max_ms),
        commit_us: row.commit_us.checked_div(row.commits),
        commit_max_us: (row.commits > 0).then_some(row.commit_max_us),
        queue_ms: row.queue_ms,
        cost_micro: row.cost_micro,
    }
}
