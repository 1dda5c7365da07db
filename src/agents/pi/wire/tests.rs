//! Lines as pi writes them.

use super::*;

fn read(line: &str) -> Line {
    Line::read(line.as_bytes()).unwrap().unwrap()
}

#[test]
fn lines_of_pi_are_read_as_it_writes_them() {
    assert_eq!(read(r#"{"type":"agent_settled","aborted":true}"#), Line::AgentSettled { aborted: true });
    assert_eq!(read(r#"{"type":"agent_settled"}"#), Line::AgentSettled { aborted: false }, "0.87");
    let update = |event: &str| format!(r#"{{"type":"message_update","assistantMessageEvent":{event}}}"#);
    assert_eq!(read(&update(r#"{"type":"text_delta","delta":"hi "}"#)), Line::Text("hi ".into()));
    assert_eq!(read(&update(r#"{"type":"thinking_delta","delta":"hm"}"#)), Line::Other);
    assert_eq!(
        read(r#"{"type":"queue_update","steering":["a"],"followUp":[]}"#),
        Line::Queue { steering: 1 }
    );
    assert_eq!(read(r#"{"type":"of a later version"}"#), Line::Other);
    assert_eq!(Line::read(b" "), Ok(None));
    let separator = read(
        "{\"type\":\"message_update\",\"assistantMessageEvent\":{\"type\":\"text_delta\",\"delta\":\"\u{2028}\"}}",
    );
    assert_eq!(separator, Line::Text("\u{2028}".into()));
}

#[test]
fn the_cost_of_a_turn_is_the_sum_of_its_messages() {
    let message = |usage: &str| match read(&format!(
        r#"{{"type":"message_end","message":{{"role":"assistant","content":[{{"type":"thinking","thinking":"x"}},
        {{"type":"text","text":"a"}},{{"type":"text","text":"b"}}],"model":"m","usage":{usage}}}}}"#
    )) {
        Line::MessageEnd(message) => message,
        other => panic!("{other:?}"),
    };
    let mut sum = Usage::default();
    let first = message(r#"{"input":60,"output":20,"cacheRead":40,"cacheWrite":0,"cost":{"total":0.0005}}"#);
    first.add_usage(&mut sum);
    assert_eq!(first.text(), "ab");
    message(r#"{"input":1,"output":-2,"cost":{"total":1e300}}"#).add_usage(&mut sum);
    message("null").add_usage(&mut sum);
    assert_eq!(
        (sum.input, sum.output, sum.cache_read, sum.cache_write),
        (Some(61), Some(20), Some(40), Some(0))
    );
    assert_eq!((sum.cost_micro, sum.model.as_deref()), (Some(500), Some("m")));
}

#[test]
fn what_is_no_line_of_the_protocol_is_an_error_that_does_not_quote_it() {
    for odd in ["secret", "{\"secret\":1}", "[\"secret\"]", r#"{"type":"response","secret":1}"#] {
        let error = Line::read(odd.as_bytes()).unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
