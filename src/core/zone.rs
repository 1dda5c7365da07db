//! Time zones of the IANA database: their names, and their offsets.

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::nearest::nearest;
use crate::segment::shown;

/// Further from UTC than any time zone has ever been, in seconds: Manila was 15:56 behind until 1844.
pub(crate) const FARTHEST: i64 = 16 * 3600;

/// The time zone with this IANA name, in its exact spelling.
pub fn parse_zone(name: &str) -> Result<Tz, ZoneError> {
    name.parse().map_err(|_| ZoneError { given: shown(name), nearest: nearest_zone(name) })
}

/// No time zone has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time zone {given:?} is not known: {advice}", advice = zone_advice(*.nearest))]
pub struct ZoneError {
    /// What was given.
    pub given: String,
    /// The most similar name, if one is similar enough.
    pub nearest: Option<&'static str>,
}

/// The offset east of UTC at an instant, in seconds; outside of chrono's range, the offset at its end.
pub(crate) fn offset(zone: Tz, at: i64) -> i64 {
    let end = if at < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    let at = DateTime::from_timestamp(at, 0).unwrap_or(end);
    i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc())
}

/// The first instant that shows a local time, in seconds; of a local time that does not exist, the first instant after
/// the gap. Both count from 1970, the local time as if it were one of UTC.
pub(crate) fn instant(zone: Tz, local: i64) -> i64 {
    // At most one clock change lies near a local time.
    let (before, after) = (offset(zone, local - FARTHEST), offset(zone, local + FARTHEST));
    if before == after || offset(zone, local - before) == before {
        return local - before;
    }
    if offset(zone, local - after) == after {
        return local - after;
    }
    let (mut old, mut new) = (local - after, local - before);
    while new - old > 1 {
        let middle = old + (new - old) / 2;
        if offset(zone, middle) == before { old = middle } else { new = middle }
    }
    new
}

/// The time zone that was probably meant: a city without its continent, or a typing mistake. Names with digits are
/// neither corrected nor suggested, because `Etc/GMT+2` is two hours *west* of Greenwich.
fn nearest_zone(given: &str) -> Option<&'static str> {
    if given.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let given = given.replace(' ', "_");
    let names =
        || TZ_VARIANTS.iter().map(|zone| zone.name()).filter(|n| !n.contains(|c: char| c.is_ascii_digit()));
    let city = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let of_city = |wanted: &str| names().find(|name| city(name).eq_ignore_ascii_case(wanted));
    of_city(&given)
        .or_else(|| nearest(&given, names()))
        .or_else(|| nearest(&given, names().map(city)).and_then(of_city))
}

fn zone_advice(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("did you mean {name}?"),
        None => "use a name of the IANA database, such as Europe/Berlin or America/New_York".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_zone_is_answered_with_the_nearest() {
        let nearest = |name| parse_zone(name).expect_err("a zone of this name").nearest;
        assert_eq!(nearest("Europe/Berln"), Some("Europe/Berlin"));
        assert_eq!(nearest("europe/berlin"), Some("Europe/Berlin"));
        assert_eq!(nearest("Berlin"), Some("Europe/Berlin"));
        assert_eq!(nearest("New York"), Some("America/New_York"));
        assert_eq!(nearest("America/NewYork"), Some("America/New_York"));
        assert_eq!(nearest("Kolkatta"), Some("Asia/Kolkata"));
        assert_eq!(nearest("GMT+2"), None);
        assert_eq!(nearest("somewhere warm"), None);
        assert_eq!(
            parse_zone("Europe/Berln").unwrap_err().to_string(),
            "time zone \"Europe/Berln\" is not known: did you mean Europe/Berlin?"
        );
    }
}
