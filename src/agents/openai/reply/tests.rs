//! Whole, cut and odd answers, as providers send them.

use super::*;

/// What came of a response: the text, and how it ended.
fn read(stream: &[u8], size: usize) -> (String, Result<Finish, Fault>) {
    let (mut reply, mut text) = (Reply::default(), String::new());
    let clean = |text: &str| text.to_owned();
    for piece in stream.chunks(size.max(1)) {
        if let Err(fault) = reply.feed(piece, &mut text, &clean) {
            return (text, Err(fault));
        }
    }
    let end = reply.end(&mut text, &clean);
    (text, end)
}

fn events(data: &[&str]) -> Vec<u8> {
    data.iter().map(|data| format!("data: {data}\n\n")).collect::<String>().into_bytes()
}

const ROLE: &str =
    r#"{"model":"m-1","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
const HELLO: &str = r#"{"choices":[{"delta":{"content":"hello "},"finish_reason":null}]}"#;
const WORLD: &str = r#"{"choices":[{"delta":{"content":"wörld"},"finish_reason":""}]}"#;
const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#;
const DONE: &str = "[DONE]";

#[test]
fn each_sign_of_the_end_makes_an_answer_whole() {
    for end in [&[STOP][..], &[USAGE], &[DONE], &[STOP, USAGE, DONE], &[STOP, USAGE]] {
        let stream = events(&[&[ROLE, HELLO, WORLD], end].concat());
        for size in 1..stream.len() {
            assert_eq!(read(&stream, size), ("hello wörld".to_owned(), Ok(Finish::Complete)), "{end:?}");
        }
    }
}

#[test]
fn a_null_between_the_pieces_is_ignored() {
    let stream = events(&["null", ROLE, HELLO, "null", WORLD, STOP, "null", DONE]);
    assert_eq!(read(&stream, 5), ("hello wörld".to_owned(), Ok(Finish::Complete)));
    assert_eq!(read(&events(&["null"]), 5).1, Err(Fault::Incomplete), "it is no sign of an end");
}

#[test]
fn an_answer_that_is_cut_at_any_byte_before_its_end_is_incomplete() {
    let stream = events(&[ROLE, HELLO, WORLD, STOP, USAGE, DONE]);
    let whole = events(&[ROLE, HELLO, WORLD]).len() + "data: ".len() + STOP.len();
    for cut in 0..stream.len() {
        let (text, end) = read(&stream[..cut], 7);
        assert!("hello wörld".starts_with(&text), "{cut}: {text}");
        match cut < whole {
            true => assert_eq!(end, Err(Fault::Incomplete), "{cut}"),
            false => assert_eq!((text.as_str(), end), ("hello wörld", Ok(Finish::Complete)), "{cut}"),
        }
    }
}

#[test]
fn an_emoji_that_is_cut_in_two_costs_only_itself() {
    let halves = [r"\ud83d", r"\ude00"].map(|half| HELLO.replace("hello ", half));
    let stream = events(&[ROLE, &halves[0], &halves[1], WORLD, STOP, DONE]);
    assert_eq!(read(&stream, 9), ("\u{fffd}\u{fffd}wörld".to_owned(), Ok(Finish::Complete)));
}

#[test]
fn usage_that_comes_with_text_is_no_end() {
    let with_usage =
        r#"{"choices":[{"delta":{"content":"hello"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#;
    assert_eq!(read(&events(&[with_usage]), 9).1, Err(Fault::Incomplete));
    assert_eq!(read(&events(&[USAGE, HELLO]), 9).1, Err(Fault::Incomplete));
    assert_eq!(read(&events(&[with_usage, USAGE]), 9).1, Ok(Finish::Complete));
}

#[test]
fn an_error_in_a_stream_is_no_answer() {
    let reported = |code: &str, message: &str| {
        Err(Fault::Reported(Report { code: code.to_owned(), message: message.to_owned() }))
    };
    for (error, expected) in [
        (r#"data: {"error":{"message":"overloaded","code":"busy"}}"#, reported("busy", "overloaded")),
        (r#"data: {"error":"overloaded","choices":[]}"#, reported("", "overloaded")),
        ("event: error\ndata: overloaded", reported("", "overloaded")),
        ("event: error\ndata: {\"message\":\"overloaded\"}", reported("", "overloaded")),
        (r#"error: {"code":500,"message":"overloaded"}"#, reported("500", "overloaded")),
    ] {
        let stream = [events(&[HELLO]), format!("{error}\n\n").into_bytes(), events(&[STOP, DONE])].concat();
        assert_eq!(read(&stream, 5), ("hello ".to_owned(), expected), "{error}");
    }
    let null = r#"{"error":null,"choices":[{"delta":{"content":"fine"},"finish_reason":"stop"}]}"#;
    assert_eq!(read(&events(&[null]), 5), ("fine".to_owned(), Ok(Finish::Complete)));
}

#[test]
fn text_before_an_error_in_the_same_piece_is_kept() {
    let stream = [events(&[HELLO]), b"data: {\"error\":\"overloaded\"}\n\n".to_vec()].concat();
    assert_eq!(read(&stream, 4096).0, "hello ");
}

#[test]
fn a_whole_answer_in_place_of_a_stream_is_taken() {
    let whole = br#" {"model":"m","choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    for size in [1, 7, 4096] {
        assert_eq!(read(whole, size), ("hello".to_owned(), Ok(Finish::Complete)));
    }
    assert_eq!(read(br#"{"choices":[{"message":{"content":"hello"}}]}"#, 9).1, Ok(Finish::Complete));
    for cut in 1..whole.len() {
        assert_eq!(read(&whole[..cut], 9).1, Err(Fault::Incomplete), "{cut}");
    }
    for error in [&br#"{"error":{"message":"no"}}"#[..], br#"[{"error":{"message":"no"}}]"#] {
        assert!(matches!(read(error, 9).1, Err(Fault::Reported(_))));
    }
}

#[test]
fn what_is_no_answer_at_all_is_an_error() {
    assert_eq!(read(b"", 9).1, Err(Fault::Incomplete));
    assert_eq!(read(&events(&[ROLE, STOP, USAGE, DONE]), 9).1, Err(Fault::Empty));
    assert!(matches!(read(&events(&[r#"{"choices":"#, DONE]), 9).1, Err(Fault::Malformed(_))));
    assert!(matches!(read(&events(&["7"]), 9).1, Err(Fault::Malformed(_))));
    assert!(matches!(read(b"<!doctype html><html>", 9).1, Err(Fault::Malformed(_))));
    assert!(matches!(read(b"{]", 9).1, Err(Fault::Malformed(_))));
}

#[test]
fn the_reason_of_the_end_is_told_apart() {
    let ended = |reason: &str| {
        let end = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        read(&events(&[HELLO, &end]), 9).1
    };
    assert_eq!(ended("length"), Ok(Finish::Length));
    assert_eq!(ended("content_filter"), Ok(Finish::Filtered));
    assert_eq!(ended("end_turn"), Ok(Finish::Complete));
    let thought = r#"{"choices":[{"delta":{"reasoning_content":"hm"},"finish_reason":"length"}]}"#;
    assert!(matches!(read(&events(&[thought]), 9).1, Err(Fault::Malformed(why)) if why.contains("thought")));
}

#[test]
fn a_refusal_is_shown_as_the_answer() {
    let refusal = r#"{"choices":[{"delta":{"content":null,"refusal":"I will not."}}]}"#;
    assert_eq!(
        read(&events(&[ROLE, refusal, STOP, DONE]), 9),
        ("I will not.".to_owned(), Ok(Finish::Complete))
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), size in 1_usize..50) {
        let (_, end) = read(&bytes, size);
        proptest::prop_assert!(end.is_err());
    }
}
