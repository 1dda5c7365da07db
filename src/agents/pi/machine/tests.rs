//! The machine against a played pi: one command at a time, and what each line means.

use serde_json::json;

use super::*;
use crate::pi::settings::Model;
use driver::{Pi, answer, settings};

mod driver;

#[test]
fn a_run_begins_with_agent_start_and_ends_with_the_settle_after_it() {
    let mut pi = Pi::ready(answer());
    assert_eq!(pi.commands(), ["prompt"]);
    // A settle before the beginning belongs to something else.
    pi.settles();
    pi.begins().message("message_start", "", "pending").says("hel").says("lo");
    pi.message("message_end", "hello", "stop").event("agent_end");
    assert_eq!(pi.end(), None);
    pi.settles();
    assert_eq!(pi.commands(), ["get_session_stats"]);
    pi.responds(json!({"contextUsage": {"tokens": 60, "contextWindow": 200}}));
    assert_eq!((pi.shown().as_str(), pi.end()), ("hello", Some(&End::Answered(None))));
    let usage = pi.usage();
    assert_eq!((usage.input, usage.cost_micro), (Some(10), Some(250_000)));
    assert_eq!((usage.context_used, usage.context_window), (Some(60), Some(200)));
}

#[test]
fn only_one_command_is_under_way() {
    let wanted = Settings {
        model: Some(Model { provider: "fake".into(), id: "fake-2".into() }),
        thinking: Some("high".into()),
        ..Settings::default()
    };
    let mut pi = Pi::with(answer(), None, wanted);
    assert_eq!(pi.commands(), ["get_state"]);
    let model = json!({"provider": "fake", "id": "fake-1", "contextWindow": 32_000});
    pi.responds(json!({"model": model, "thinkingLevel": "off"}));
    assert_eq!(pi.commands(), ["set_model"]);
    pi.responds(json!({"provider": "fake", "id": "fake-2"}));
    assert_eq!(pi.commands(), ["set_thinking_level"]);
    // A level that pi does not know is no reason not to answer.
    pi.refuses("unknown");
    assert_eq!(pi.commands(), ["prompt"]);
    let acts = pi.machine.steer(1, "also".into(), Vec::new(), pi.now);
    pi.keep(acts);
    assert_eq!(pi.commands(), [""; 0], "the prompt has no response yet");
    pi.responds(json!({"disposition": "started"}));
    assert_eq!(pi.commands(), [""; 0], "the run has not begun");
    pi.event("agent_start");
    assert_eq!(pi.commands(), ["steer"]);
}

#[test]
fn a_model_that_pi_refuses_fails_the_turn_and_not_pi() {
    let wanted =
        Settings { model: Some(Model { provider: "fake".into(), id: "gone".into() }), ..Settings::default() };
    let mut pi = Pi::with(answer(), Some(settings()), wanted);
    pi.refuses("Model not found");
    assert!(matches!(pi.end(), Some(End::Failed(why)) if why.contains("Model not found")));
}

#[test]
fn a_busy_refusal_is_waited_out_and_the_prompt_is_sent_again() {
    let mut pi = Pi::ready(answer());
    for error in
        ["Agent is already processing a prompt", "Cannot submit a prompt while compaction is in progress"]
    {
        assert_eq!(pi.commands(), ["prompt"]);
        // The run that keeps pi busy is not ours.
        pi.event("agent_start").says("of another run").refuses(error);
        assert_eq!((pi.commands().len(), pi.end()), (0, None));
        assert!(pi.machine.is_working());
        pi.passes(BUSY);
    }
    pi.commands();
    pi.begins().says("ours").message("message_end", "ours", "stop").settles();
    assert_eq!(pi.shown(), "ours");

    let mut pi = Pi::ready(answer());
    pi.refuses("Agent is already processing").settles();
    assert_eq!(pi.commands(), ["prompt", "prompt"], "at once when the other run has ended");
    pi.refuses("No model selected");
    assert_eq!(pi.end(), Some(&End::Failed("pi refused: No model selected".into())));
}

#[test]
fn a_prompt_that_an_extension_handles_has_no_run() {
    let mut pi = Pi::ready(answer());
    let note = json!({"type": "extension_ui_request", "id": "d1", "method": "notify", "message": "pong"});
    pi.line(note).responds(json!({"disposition": "handled"}));
    assert_eq!(pi.end(), Some(&End::Answered(Some("pong".into()))));
}

#[test]
fn text_of_a_failed_attempt_is_taken_back_and_earlier_messages_are_kept() {
    let mut pi = Pi::ready(answer());
    pi.begins().says("Let me look.").message("message_end", "Let me look.", "toolUse");
    pi.says("Half").message("message_end", "Half", "error").event("agent_end").event("auto_retry_start");
    assert!(pi.machine.is_working(), "the wait before the next attempt may be long");
    assert_eq!(pi.shown(), "Let me look.");
    pi.event("agent_start").says("Half and whole").message("message_end", "Half and whole", "stop").settles();
    pi.responds(json!({}));
    assert_eq!(
        (pi.shown().as_str(), pi.end()),
        ("Let me look.\n\nHalf and whole", Some(&End::Answered(None)))
    );
}

#[test]
fn a_run_without_an_answer_is_an_error() {
    let mut pi = Pi::ready(answer());
    pi.begins().message("message_end", "", "error").event("auto_retry_end").settles().responds(json!({}));
    assert_eq!(pi.end(), Some(&End::Unavailable("429: {}".into())));
    let mut pi = Pi::ready(answer());
    pi.begins().message("message_end", "", "stop").settles().responds(json!({}));
    assert!(matches!(pi.end(), Some(End::Failed(why)) if why.contains("empty answer")), "a refusal");
    let mut pi = Pi::ready(answer());
    pi.begins().says("x").message("message_end", "x", "aborted").settles().responds(json!({}));
    assert!(matches!(pi.end(), Some(End::Failed(why)) if why.contains("aborted within pi")));
}

#[test]
fn text_that_came_in_no_piece_comes_with_the_end_of_the_message() {
    let mut pi = Pi::ready(answer());
    pi.begins().says("he").message("message_end", "hello", "stop");
    assert_eq!(pi.shown(), "hello");
    pi.says("wrong").message("message_end", "right", "stop");
    assert_eq!(pi.shown(), "hello\n\nright");
}

#[test]
fn a_steer_counts_once_it_is_part_of_the_run_and_a_late_one_is_cleared() {
    let mut pi = Pi::ready(answer());
    pi.begins();
    for number in [1, 2] {
        let acts = pi.machine.steer(number, format!("s{number}"), Vec::new(), pi.now);
        pi.keep(acts);
    }
    pi.line(json!({"type": "queue_update", "steering": ["s1"], "followUp": []}))
        .responds(json!({"disposition": "queued"}));
    assert!(!pi.acts.contains(&Act::Steered(1, true)));
    pi.line(json!({"type": "queue_update", "steering": [], "followUp": []}));
    assert!(pi.acts.contains(&Act::Steered(1, true)));
    // The second one comes too late: the run has ended.
    pi.line(json!({"type": "queue_update", "steering": ["s2"], "followUp": []})).settles();
    pi.commands();
    pi.responds(json!({"disposition": "queued"}));
    assert_eq!(pi.commands(), ["clear_queue"]);
    pi.line(json!({"type": "queue_update", "steering": [], "followUp": []}));
    pi.responds(json!({"steering": ["s2"], "followUp": []}));
    assert!(pi.acts.contains(&Act::Steered(2, false)) && !pi.acts.contains(&Act::Steered(2, true)));
    assert_eq!(pi.commands(), ["get_session_stats"]);
}

#[test]
fn a_pi_that_cannot_clear_its_queue_gets_no_other_prompt() {
    let mut pi = Pi::ready(answer());
    pi.begins();
    let acts = pi.machine.steer(1, "late".into(), Vec::new(), pi.now);
    pi.keep(acts);
    pi.line(json!({"type": "queue_update", "steering": ["late"], "followUp": []})).settles();
    pi.commands();
    pi.responds(json!({"disposition": "queued"}));
    assert_eq!(pi.commands(), ["clear_queue"]);
    assert!(!pi.machine.is_unclean());
    // Versions that do not know a command leave its id out.
    pi.line(json!({"type": "response", "success": false, "error": "Unknown command: clear_queue"}));
    assert_eq!(pi.commands(), ["get_session_stats"]);
    assert!(pi.machine.is_unclean() && pi.acts.contains(&Act::Steered(1, false)));
}

#[test]
fn an_abort_cancels_dialogs_first_and_waits_for_the_run_to_begin() {
    let mut pi = Pi::ready(answer());
    pi.commands();
    let acts = pi.machine.abort(pi.now);
    pi.keep(acts);
    assert_eq!(pi.commands(), [""; 0], "an abort before the run has begun is answered, and the run goes on");
    pi.begins();
    assert_eq!(pi.commands(), ["abort"]);
    pi.line(json!({"type": "agent_settled", "aborted": true}));
    assert_eq!(pi.end(), None, "the response to the abort is still to come");
    pi.responds(Value::Null);
    assert_eq!(pi.end(), Some(&End::Aborted));

    let mut pi = Pi::ready(answer());
    pi.begins();
    pi.line(json!({"type": "extension_ui_request", "id": "d1", "method": "confirm", "title": "Sure?"}));
    assert!(matches!(pi.acts.last(), Some(Act::Ask(dialog)) if dialog.title == "Sure?"));
    pi.commands();
    let acts = pi.machine.abort(pi.now);
    pi.keep(acts);
    assert_eq!(pi.commands(), ["extension_ui_response", "abort"]);
    // A dialog that opens now is cancelled at once, and an answer that comes too late is not sent.
    pi.line(json!({"type": "extension_ui_request", "id": "d2", "method": "input", "title": "And?"}));
    assert_eq!(
        pi.written.pop().unwrap(),
        json!({"type": "extension_ui_response", "id": "d2", "cancelled": true})
    );
    assert!(pi.machine.dialog_ended("d1", &UiAnswer::Confirmed(true)).is_empty());
}

#[test]
fn what_waits_in_pi_is_cleared_before_an_abort() {
    let mut pi = Pi::ready(answer());
    pi.begins();
    let acts = pi.machine.steer(1, "s1".into(), Vec::new(), pi.now);
    pi.keep(acts);
    pi.line(json!({"type": "queue_update", "steering": ["s1"], "followUp": []}))
        .responds(json!({"disposition": "queued"}));
    pi.commands();
    let acts = pi.machine.abort(pi.now);
    pi.keep(acts);
    assert_eq!(pi.commands(), ["clear_queue"]);
    pi.responds(json!({"steering": ["s1"], "followUp": []}));
    assert_eq!(pi.commands(), ["abort"]);
}

#[test]
fn an_abort_that_pi_does_not_heed_ends_pi() {
    let mut pi = Pi::ready(answer());
    pi.event("compaction_start");
    let acts = pi.machine.abort(pi.now);
    pi.keep(acts);
    pi.passes(ABORT);
    assert!(matches!(pi.end(), Some(End::Broken(_))));
}

#[test]
fn every_command_but_the_prompt_has_a_deadline() {
    // An old version never answers `clear_queue`; the turn ends all the same, and a late response is ignored.
    let mut pi = Pi::ready(answer());
    pi.begins().says("a").message("message_end", "a", "stop");
    let acts = pi.machine.steer(1, "s".into(), Vec::new(), pi.now);
    pi.keep(acts);
    pi.responds(json!({})).settles();
    assert_eq!(pi.commands().last().unwrap(), "clear_queue");
    let late = pi.written.last().unwrap()["id"].clone();
    pi.passes(CONTROL);
    assert_eq!(pi.commands(), ["get_session_stats"]);
    pi.line(json!({"type": "response", "id": late, "success": true}));
    assert_eq!(pi.end(), None);
    pi.passes(CONTROL);
    assert_eq!(pi.end(), Some(&End::Answered(None)));

    let mut pi = Pi::ready(answer());
    assert_eq!(pi.machine.due(), None, "a compaction may come before the run");
    pi.event("compaction_start");
    assert!(pi.machine.is_working());
    pi.line(
        json!({"type": "compaction_end", "aborted": false, "result": {"summary": "s", "tokensBefore": 9}}),
    );
    let compacted = Report::Compacted { summary: Some("s".into()), tokens: Some(9) };
    assert!(pi.acts.contains(&Act::Report(Report::Compacting)) && pi.acts.contains(&Act::Report(compacted)));

    let mut pi = Pi::with(answer(), None, Settings::default());
    pi.passes(STARTUP);
    assert!(matches!(pi.end(), Some(End::Broken(_))));
}

fn tool_dialog(id: &str) -> Value {
    let call = json!({"id": "c1", "name": "bash", "params": {"command": "ls"}}).to_string();
    json!({"type": "extension_ui_request", "id": id, "method": "input", "title": "frontdesk.tool", "placeholder": call})
}

fn tool(kind: &str, error: bool) -> Value {
    let result = json!({"content": [{"type": "text", "text": "out"}]});
    json!({"type": kind, "toolCallId": "c1", "toolName": "bash", "args": {}, "result": result, "isError": error})
}

#[test]
fn a_tool_asks_the_gateway_and_its_end_is_reported_if_it_was_allowed() {
    let end = Act::Report(Report::ToolEnd {
        id: "c1".into(),
        name: "bash".into(),
        result: "out".into(),
        failed: false,
    });
    let mut pi = Pi::ready(answer());
    pi.begins().line(tool("tool_execution_start", false)).line(tool_dialog("d1"));
    let params = json!({"command": "ls"});
    let call = PiCall { id: "c1".into(), name: "bash".into(), params };
    assert!(pi.acts.contains(&Act::Permit { dialog: "d1".into(), call, ours: false }));
    let acts = pi.machine.tool_allowed("d1", Some(json!({"command": "ls -l"})));
    pi.keep(acts);
    assert_eq!(pi.written.last().unwrap()["value"], r#"{"params":{"command":"ls -l"}}"#);
    assert!(pi.machine.is_working());
    pi.line(tool("tool_execution_end", false));
    assert!(pi.acts.contains(&end) && !pi.machine.is_working());

    let mut pi = Pi::ready(answer());
    pi.begins().line(tool("tool_execution_start", false)).line(tool_dialog("d1"));
    let acts = pi.machine.tool_denied("d1", "no");
    pi.keep(acts);
    assert_eq!(pi.written.last().unwrap()["value"], r#"{"deny":"no"}"#);
    pi.line(tool("tool_execution_end", true));
    assert!(!pi.acts.iter().any(|act| matches!(act, Act::Report(Report::ToolEnd { .. }))));
}

#[test]
fn a_tool_that_begins_by_itself_is_reported_as_begun() {
    let begun = Act::Report(Report::ToolBegun { id: "c1".into(), name: "bash".into() });
    let mut pi = Pi::ready(answer());
    pi.begins().line(tool("tool_execution_start", false));
    assert!(!pi.acts.contains(&begun));
    pi.line(tool("tool_execution_update", false));
    assert!(pi.acts.contains(&begun));
    // A call that pi refuses by itself has not run.
    let mut pi = Pi::ready(answer());
    pi.begins().line(tool("tool_execution_start", false)).line(tool("tool_execution_end", true));
    assert!(!pi.acts.contains(&begun));
}

#[test]
fn the_facts_are_given_once_and_only_for_the_prompt() {
    let facts = |source: &str, id: &str| json!({"type": "extension_ui_request", "id": id, "method": "input", "title": "frontdesk.facts", "placeholder": source});
    let mut pi = Pi::ready(answer());
    for (source, id, value) in [("extension", "d1", ""), ("rpc", "d2", "{}"), ("rpc", "d3", "")] {
        pi.line(facts(source, id));
        assert_eq!(pi.written.last().unwrap()["value"], value, "{id}");
    }
}

#[test]
fn a_compaction_ends_with_its_response() {
    let mut pi = Pi::ready(Goal::Compact(Some("keep names".into())));
    assert_eq!(pi.written[0]["customInstructions"], "keep names");
    pi.event("compaction_start").responds(json!({"summary": "s", "tokensBefore": 9}));
    assert_eq!(pi.end(), Some(&End::Compacted { summary: Some("s".into()), tokens: Some(9) }));
    let mut pi = Pi::ready(Goal::Compact(None));
    pi.refuses("Nothing to compact");
    assert!(matches!(pi.end(), Some(End::Failed(_))));
}
