//! Charts: what happened in the last hour or day.

use chrono::Duration;
use frontdesk_store::row::{MinuteRow, minute_of};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

/// How far back charts go.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ChartRange {
    #[default]
    Hour,
    Day,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChartsQuery {
    #[serde(default)]
    range: ChartRange,
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
    let shown = (first..).zip(&points).map(|(number, row)| point(number * minutes, row));
    Ok(ApiResponse::ok(json!({
        "step_s": minutes * 60,
        "points": shown.collect::<Vec<_>>(),
    })))
}

fn point(minute: i64, row: &MinuteRow) -> Value {
    let at = chrono::DateTime::from_timestamp(minute.saturating_mul(60), 0).unwrap_or_default();
    json!({
        "at": show::time(at),
        "messages": row.messages,
        "turns": row.turns,
        "turn_ms": row.turn_ms.checked_div(row.turns),
        "turn_max_ms": (row.turns > 0).then_some(row.turn_max_ms),
        "commit_us": row.commit_us.checked_div(row.commits),
        "commit_max_us": (row.commits > 0).then_some(row.commit_max_us),
        "queue_ms": row.queue_ms,
        "cost_micro": row.cost_micro,
    })
}
