//! Jobs: what they may look like.

use chrono_tz::Europe::Berlin;
use chrono_tz::UTC;
use rstest::rstest;

use super::*;
use crate::address::Address;
use crate::notice::Failure;

#[rstest]
#[case("morning-report")]
#[case("A_9")]
#[case(&"x".repeat(64))]
fn an_id_has_letters_digits_and_two_signs(#[case] text: &str) {
    let id: JobId = text.parse().unwrap();
    assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
}

#[rstest]
#[case("")]
#[case("a b")]
#[case("a:b")]
#[case("täglich")]
#[case("a/b")]
#[case(&"x".repeat(65))]
fn a_wrong_id_says_what_to_write(#[case] text: &str) {
    let error = text.parse::<JobId>().unwrap_err().to_string();
    assert!(error.contains("at most 64 characters") && error.contains("\"morning-report\""), "{error}");
}

#[test]
fn every_rule_kind_and_state_has_one_name_everywhere() {
    for rule in MissedRule::ALL {
        assert_eq!(MissedRule::named(rule.name()), Some(rule));
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
    }
    for rule in OverlapRule::ALL {
        assert_eq!(OverlapRule::named(rule.name()), Some(rule));
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
    }
    for kind in ScheduleKind::ALL {
        assert_eq!(ScheduleKind::named(kind.name()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
    for state in JobState::ALL {
        assert_eq!(JobState::named(state.name()), Some(state));
    }
    for state in RunState::ALL {
        assert_eq!(RunState::named(state.name()), Some(state));
    }
    for reason in SkipReason::ALL {
        assert_eq!(SkipReason::named(reason.name()), Some(reason));
    }
    for source in JobSource::ALL {
        assert_eq!(JobSource::named(source.name()), Some(source));
    }
    for reason in PauseReason::ALL {
        assert_eq!(PauseReason::named(reason.name()), Some(reason));
    }
    assert_eq!((MissedRule::named(""), OverlapRule::named("run_once")), (None, None));
    assert_eq!((ScheduleKind::named("Cron"), JobState::named("running")), (None, None));
}

fn chat() -> Address {
    "telegram:123".parse().unwrap()
}

#[test]
fn a_delivery_reads_back_from_its_parts() {
    for delivery in [
        JobDelivery::Announce(chat()),
        JobDelivery::Direct,
        JobDelivery::Silent,
        JobDelivery::Webhook("https://example.com/jobs".to_owned()),
    ] {
        let (to, url) = match &delivery {
            JobDelivery::Announce(chat) => (Some(chat.clone()), None),
            JobDelivery::Webhook(url) => (None, Some(url.as_str())),
            JobDelivery::Direct | JobDelivery::Silent => (None, None),
        };
        assert_eq!(JobDelivery::of(delivery.name(), to, url), Ok(delivery.clone()));
    }
}

#[rstest]
#[case("announce", false, None, JobError::NoChat)]
#[case("announce", true, Some("https://a.example"), JobError::HasUrl)]
#[case("direct", true, None, JobError::HasChat)]
#[case("silent", false, Some("https://a.example"), JobError::HasUrl)]
#[case("webhook", false, None, JobError::NoUrl)]
#[case("webhook", false, Some("ftp://a.example"), JobError::NoUrl)]
#[case("webhook", true, Some("https://a.example"), JobError::HasChat)]
#[case("email", false, None, JobError::Delivery { given: "email".to_owned() })]
fn a_delivery_that_does_not_fit_says_why(
    #[case] name: &str,
    #[case] has_chat: bool,
    #[case] url: Option<&str>,
    #[case] error: JobError,
) {
    assert_eq!(JobDelivery::of(name, has_chat.then(chat), url), Err(error));
}

#[test]
fn the_timing_of_a_job_keeps_its_text() {
    let timing = Timing::parse(ScheduleKind::Cron, " 0 9 * * 1-5 ", Berlin).unwrap();
    assert_eq!((timing.kind(), timing.expr(), timing.zone()), (ScheduleKind::Cron, "0 9 * * 1-5", Berlin));
    let now = "2026-03-27T12:00:00Z".parse().unwrap();
    assert_eq!(timing.schedule().next(now, now), "2026-03-30T07:00:00Z".parse().ok());
    assert_eq!(Timing::parse(ScheduleKind::Cron, "0 9 * * 1-5", Berlin), Ok(timing.clone()));
    assert_ne!(Timing::parse(ScheduleKind::Cron, "0 9 * * 1-5", UTC), Ok(timing));
    for (kind, says) in [
        (ScheduleKind::Cron, "the cron expression \"soon\""),
        (ScheduleKind::Every, "the interval \"soon\""),
        (ScheduleKind::At, "the time \"soon\""),
    ] {
        let error = Timing::parse(kind, "soon", Berlin).unwrap_err().to_string();
        assert!(error.starts_with(says), "{error}");
    }
}

#[test]
fn a_job_without_a_task_or_beyond_the_bounds_says_what_is_allowed() {
    let job = Job {
        id: "report".parse().unwrap(),
        agent: "main".to_owned(),
        timing: Timing::parse(ScheduleKind::Every, "1h", UTC).unwrap(),
        task: "sum up the day".to_owned(),
        delivery: JobDelivery::Announce(chat()),
        resume_context: false,
        missed: MissedRule::default(),
        overlap: OverlapRule::default(),
        jitter: Duration::from_secs(3600),
        retries: 10,
    };
    assert_eq!(job.check(), Ok(()));
    for (wrong, error, says) in [
        (Job { task: " \n".to_owned(), ..job.clone() }, JobError::NoTask, "no task"),
        (
            Job { task: "x".repeat(64 * 1024 + 1), ..job.clone() },
            JobError::LongTask { length: 65_537 },
            "at most 65536",
        ),
        (
            Job { jitter: Duration::from_secs(3601), ..job.clone() },
            JobError::Jitter { seconds: 3601 },
            "at most 3600",
        ),
        (Job { retries: 11, ..job.clone() }, JobError::Retries { given: 11 }, "at most 10"),
    ] {
        assert_eq!(wrong.check(), Err(error.clone()));
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[rstest]
#[case(
    JobNotice::Failed { why: RunFailure::Turn(Failure::Crashed), said: " ", then: AfterFailure::GoesOn },
    "❌ Scheduled job `report` failed. The agent crashed each time it was tried."
)]
#[case(
    JobNotice::Failed { why: RunFailure::Reported, said: "no money\n", then: AfterFailure::Disabled { failures: 5 } },
    "❌ Scheduled job `report` failed. The agent reported an error. It has failed 5 times in a row, so it is disabled until \
     somebody resumes it.\n\nThe agent had said until then:\n\nno money"
)]
#[case(
    JobNotice::Failed { why: RunFailure::Refused, said: "", then: AfterFailure::RanOnce },
    "❌ Scheduled job `report` failed. A hook or a limit refused it. It was to run once, so it is disabled now."
)]
#[case(
    JobNotice::Missed { count: 1, or_more: false, made_up: false },
    "⏰ Scheduled job `report` has missed 1 run, because I was not running or the clock has changed."
)]
#[case(
    JobNotice::Missed { count: 1000, or_more: true, made_up: true },
    "⏰ Scheduled job `report` has missed more than 1000 runs, because I was not running or the clock has changed. One run \
     makes up for that now."
)]
#[case(
    JobNotice::Undelivered { why: "it answered 404" },
    "⚠️ A result of scheduled job `report` could not be delivered to its web server: it answered 404."
)]
fn a_chat_is_told_what_happened_and_what_that_means(#[case] notice: JobNotice<'_>, #[case] text: &str) {
    assert_eq!(notice.text(&"report".parse().unwrap()), text);
}
