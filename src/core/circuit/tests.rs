//! Circuits, alone and chosen from by many sessions.

use proptest::prelude::*;

use super::*;

const COOLDOWN: Duration = Duration::from_secs(60);
const DOWN: CircuitFailure = CircuitFailure::Down { retry_after: None };

const fn at(seconds: u64) -> Mono {
    Mono(Duration::from_secs(seconds))
}

fn fail(circuit: &mut Circuit, failure: CircuitFailure, seconds: u64) -> bool {
    let permit = circuit.begin().unwrap();
    circuit.failed(permit, failure, COOLDOWN, at(seconds), 0.5)
}

fn until(circuit: &Circuit, seconds: u64) -> u64 {
    match circuit.readiness(at(seconds)) {
        Readiness::Paused { until, .. } => until.0.as_secs(),
        other => panic!("not paused: {other:?}"),
    }
}

#[test]
fn one_that_is_down_is_left_alone_and_then_tried_by_one_request() {
    let mut circuit = Circuit::default();
    assert!(fail(&mut circuit, DOWN, 0));
    assert_eq!((until(&circuit, 0), circuit.pauses()), (60, 1));
    assert_eq!(circuit.readiness(at(60)), Readiness::Due);
    let probe = circuit.begin().unwrap();
    assert!(probe.is_probe);
    assert_eq!((circuit.begin(), circuit.readiness(at(61))), (None, Readiness::Probing));
    circuit.succeeded(probe, at(62));
    assert_eq!(circuit.readiness(at(62)), Readiness::Closed);
    assert!(!circuit.begin().unwrap().is_probe);
}

#[test]
fn odd_failures_count_only_in_a_row() {
    let mut circuit = Circuit::default();
    for _ in 0..5 {
        assert!(!fail(&mut circuit, CircuitFailure::Odd, 0));
        assert!(!fail(&mut circuit, CircuitFailure::Odd, 0));
        let permit = circuit.begin().unwrap();
        circuit.succeeded(permit, at(0));
    }
    assert!(!fail(&mut circuit, CircuitFailure::Odd, 0));
    assert!(!fail(&mut circuit, CircuitFailure::Odd, 0));
    assert!(fail(&mut circuit, CircuitFailure::Odd, 0));
    // Of a probe one is enough.
    assert!(fail(&mut circuit, CircuitFailure::Odd, 60));
    assert_eq!(until(&circuit, 60), 60 + 120);
}

#[test]
fn each_failed_probe_makes_the_pause_longer_up_to_a_bound() {
    let (mut circuit, mut now, mut pauses) = (Circuit::default(), 0, Vec::new());
    for _ in 0..7 {
        assert!(fail(&mut circuit, DOWN, now));
        pauses.push(until(&circuit, now) - now);
        now = until(&circuit, now);
    }
    assert_eq!(pauses, [60, 120, 240, 480, 900, 900, 900]);
}

#[test]
fn one_that_fails_soon_after_its_return_has_not_recovered() {
    let failed_again_after = |seconds: u64| {
        let mut circuit = Circuit::default();
        fail(&mut circuit, DOWN, 0);
        let probe = circuit.begin().unwrap();
        circuit.succeeded(probe, at(60));
        fail(&mut circuit, DOWN, 60 + seconds);
        until(&circuit, 60 + seconds) - 60 - seconds
    };
    assert_eq!((failed_again_after(1), failed_again_after(120), failed_again_after(121)), (120, 120, 60));
}

#[test]
fn a_provider_that_asks_for_time_gets_it() {
    let mut circuit = Circuit::default();
    let asked = |seconds| CircuitFailure::Down { retry_after: Some(Duration::from_secs(seconds)) };
    fail(&mut circuit, asked(600), 0);
    assert_eq!(until(&circuit, 0), 630);
    assert_eq!(circuit.readiness(at(0)), Readiness::Paused { until: at(630), asked: Some(at(600)) });
    // Less than a pause is no reason to hurry, and a year no reason to wait so long.
    let mut circuit = Circuit::default();
    fail(&mut circuit, asked(5), 0);
    assert_eq!(until(&circuit, 0), 60);
    let mut circuit = Circuit::default();
    fail(&mut circuit, asked(365 * 24 * 3600), 0);
    assert_eq!(until(&circuit, 0), 3600 + 180);
}

#[test]
fn a_probe_without_a_result_gives_way_to_the_next() {
    let mut circuit = Circuit::default();
    fail(&mut circuit, DOWN, 0);
    let probe = circuit.begin().unwrap();
    circuit.released(probe, at(70));
    assert_eq!(circuit.readiness(at(70)), Readiness::Due);
    assert_eq!(circuit.pauses(), 1);
    assert!(circuit.begin().unwrap().is_probe);
    // A second report of the first one changes nothing.
    circuit.released(probe, at(71));
    assert_eq!(circuit.readiness(at(71)), Readiness::Probing);
}

#[test]
fn a_result_that_comes_too_late_changes_nothing() {
    let mut circuit = Circuit::default();
    let (slow, slower) = (circuit.begin().unwrap(), circuit.begin().unwrap());
    fail(&mut circuit, DOWN, 0);
    assert!(!circuit.failed(slow, DOWN, COOLDOWN, at(1), 0.5), "it has failed already");
    circuit.succeeded(slower, at(2));
    assert_eq!((until(&circuit, 2), circuit.pauses()), (60, 1));
}

fn paused(until: u64, asked: Option<u64>) -> Readiness {
    Readiness::Paused { until: at(until), asked: asked.map(at) }
}

#[test]
fn the_first_that_works_or_is_due_is_asked() {
    for (candidates, choice) in [
        (vec![Readiness::Closed, Readiness::Closed], Choice::Ask(0)),
        (vec![paused(20, None), Readiness::Closed], Choice::Ask(1)),
        (vec![Readiness::Probing, Readiness::Closed], Choice::Ask(1)),
        (vec![Readiness::Due, Readiness::Closed], Choice::Ask(0)),
        (vec![paused(20, None), Readiness::Due], Choice::Ask(1)),
        // All are paused: the one that comes back first is tried.
        (vec![paused(20, None), paused(15, None)], Choice::Ask(1)),
        (vec![Readiness::Probing, paused(15, None)], Choice::Ask(1)),
        (vec![paused(20, None), paused(15, Some(12))], Choice::Ask(0)),
        (vec![paused(20, Some(9)), paused(25, Some(12))], Choice::Ask(0)),
        // Nobody may be asked.
        (vec![paused(20, Some(18)), paused(15, Some(12))], Choice::Wait(Some(at(12)))),
        (vec![Readiness::Probing], Choice::Wait(None)),
        (vec![], Choice::Nobody),
    ] {
        let candidates: Vec<_> = candidates.into_iter().enumerate().collect();
        assert_eq!(choose(&candidates, at(10)), choice, "{candidates:?}");
    }
}

#[test]
fn the_one_at_which_a_conversation_stays_comes_first() {
    assert_eq!(preference(3, None), [0, 1, 2]);
    assert_eq!(preference(3, Some(2)), [2, 0, 1]);
    assert_eq!(preference(2, Some(7)), [0, 1]);
}

#[derive(Debug, Clone)]
enum Step {
    Begin { stays: Option<usize> },
    Succeed(usize),
    Down { request: usize, retry_after: Option<u64> },
    Odd(usize),
    Release(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let request = 0..8usize;
    prop_oneof![
        4 => proptest::option::of(0..4usize).prop_map(|stays| Step::Begin { stays }),
        2 => request.clone().prop_map(Step::Succeed),
        3 => (request.clone(), proptest::option::of(0..2000u64))
            .prop_map(|(request, retry_after)| Step::Down { request, retry_after }),
        2 => request.clone().prop_map(Step::Odd),
        1 => request.prop_map(Step::Release),
        3 => (0..400u64).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Any number of requests of many sessions over three circuits, with results in any order.
    #[test]
    fn no_two_probes_run_and_no_paused_one_is_asked_while_another_works(
        steps in proptest::collection::vec(step(), 1..200),
        random in 0.0..1.0f64,
    ) {
        let mut circuits = vec![Circuit::default(); 3];
        let mut open: Vec<(usize, Permit)> = Vec::new();
        let mut now = at(0);
        for step in steps {
            let request = match step {
                Step::Begin { stays } => {
                    let order = preference(circuits.len(), stays);
                    let ready: Vec<_> = order.into_iter().map(|n| (n, circuits[n].readiness(now))).collect();
                    let works = ready.iter().any(|(_, readiness)| *readiness == Readiness::Closed);
                    if let Choice::Ask(chosen) = choose(&ready, now) {
                        let readiness = circuits[chosen].readiness(now);
                        prop_assert!(!works || matches!(readiness, Readiness::Closed | Readiness::Due));
                        if let Readiness::Paused { asked: Some(asked), .. } = readiness {
                            prop_assert!(asked <= now, "it is asked before the time that it named");
                        }
                        let permit = circuits[chosen].begin();
                        prop_assert!(permit.is_some(), "a second probe");
                        open.extend(permit.map(|permit| (chosen, permit)));
                    } else {
                        prop_assert!(!works);
                    }
                    None
                }
                Step::Pass(seconds) => { now = now + Duration::from_secs(seconds); None }
                Step::Succeed(n) | Step::Odd(n) | Step::Release(n) | Step::Down { request: n, .. } => Some(n),
            };
            if let Some(n) = request.filter(|_| !open.is_empty()) {
                let (which, permit) = open.swap_remove(n % open.len());
                let circuit = &mut circuits[which];
                match step {
                    Step::Succeed(_) => circuit.succeeded(permit, now),
                    Step::Release(_) => circuit.released(permit, now),
                    Step::Odd(_) => { circuit.failed(permit, CircuitFailure::Odd, COOLDOWN, now, random); }
                    Step::Down { retry_after, .. } => {
                        let retry_after = retry_after.map(Duration::from_secs);
                        circuit.failed(permit, CircuitFailure::Down { retry_after }, COOLDOWN, now, random);
                    }
                    _ => {}
                }
            }
            for (n, circuit) in circuits.iter().enumerate() {
                let probes = open.iter().filter(|(which, permit)| *which == n && permit.is_probe);
                // A probe whose result is out counts until its request ends; a new one begins only after that.
                let is_probing = circuit.readiness(now) == Readiness::Probing;
                prop_assert!(probes.count() == usize::from(is_probing));
            }
        }
    }
}
