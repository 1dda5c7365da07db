//! Messages for a turn that runs.

use super::*;

#[tokio::test]
async fn a_steer_is_taken_or_not_as_the_program_says() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"read -r p; echo '{"type":"delta","text":"up"}'
        read -r s; echo "$s" > stdin; echo '{"type":"steered","taken":true}'
        read -r s; echo '{"type":"steered","taken":false}'
        read -r s; echo '{"type":"done"}'; read -r end"#,
    );
    let mut stream = agent.turn(turn(1, "x"));
    piece(&mut stream).await;
    let left = prompt("left");
    for taken in [true, false] {
        let (steered, progress) = tokio::join!(agent.steer(TurnId(1), &left), next(&mut stream));
        assert_eq!(steered, Ok(taken));
        assert!(matches!(progress, Some(Ok(Delta::Progress))));
    }
    // The steer fails if the turn ends first and the program says nothing more of it, or if the turn is over already.
    let time = async {
        sandbox.clock.wait_for_sleeper().await;
        sandbox.clock.pass(STEER_TIMEOUT);
    };
    let (steered, end, ()) = tokio::join!(agent.steer(TurnId(1), &left), next(&mut stream), time);
    assert_eq!(steered, Ok(false));
    assert!(matches!(end, Some(Ok(Delta::Done { .. }))));
    assert_eq!(agent.steer(TurnId(1), &left).await, Ok(false));
    let line: serde_json::Value =
        serde_json::from_str(&crate::sandbox::read(&sandbox.file("stdin"))).unwrap();
    assert_eq!(
        (&line["type"], &line["turn"], &line["text"]),
        (&json!("steer"), &json!("t1"), &json!("left"))
    );
    assert_eq!(line["message"]["from"]["id"], "web:anna", "the sender is separate from the text");
}

#[tokio::test]
async fn a_steer_that_is_taken_after_the_end_of_the_answer_counts_and_the_program_goes_on() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"read -r p; echo '{"type":"delta","text":"up"}'
        read -r s; read -r s; echo '{"type":"done","text":"up to two"}'; echo '{"type":"delta","text":"no"}'
        echo nonsense; echo '{"type":"steered","taken":true}'; echo '{"type":"steered","taken":false}'
        read -r p; echo "{\"type\":\"done\",\"text\":\"$$\"}"; read -r end"#,
    );
    let mut stream = agent.turn(turn(1, "x"));
    piece(&mut stream).await;
    let left = prompt("left");
    let (first, second) = (agent.steer(TurnId(1), &left), agent.steer(TurnId(1), &left));
    let (first, second, end) = tokio::join!(first, second, next(&mut stream));
    assert_eq!((first, second), (Ok(true), Ok(false)));
    assert!(matches!(end, Some(Ok(Delta::Done { text: Some(text), .. })) if text == "up to two"));
    assert!(next(&mut stream).await.is_none());
    answer(agent.turn(turn(2, "x"))).await;
}

#[tokio::test]
async fn an_answer_is_complete_although_its_program_goes_before_it_answers_a_steer() {
    let sandbox = Sandbox::new();
    let agent = sandbox
        .persistent(r#"read -r p; echo '{"type":"delta","text":"up"}'; read -r s; echo '{"type":"done"}'"#);
    let mut stream = agent.turn(turn(1, "x"));
    piece(&mut stream).await;
    let left = prompt("left");
    let (steered, end) = tokio::join!(agent.steer(TurnId(1), &left), next(&mut stream));
    assert_eq!(steered, Ok(false));
    assert!(matches!(end, Some(Ok(Delta::Done { .. }))));
}
