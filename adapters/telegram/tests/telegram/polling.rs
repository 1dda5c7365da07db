//! Updates that arrive by polling.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_botapi::{BotApi, Fault, Way};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::ask::AskError;
use frontdesk_core::id::{AskId, MessageId};
use frontdesk_core::message::{EventKind, Outcome};
use frontdesk_core::port::{Adapter, AdapterError, Busy, Stop};
use frontdesk_telegram::{Account, TelegramAdapter};
use serde_json::json;

use crate::setup::{TestClock, account, adapter, asks_back, ended, running, texts, until};

#[tokio::test]
async fn an_update_is_acknowledged_only_after_it_was_taken() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    for _ in 0..3 {
        inbox.refuses(Busy::Full { waiting: 1 });
    }
    let one = anna.tells("one").await.update_id;
    running(&adapter(account(&api)), &inbox, async {
        until(|| api.journal().unconfirmed() == 0).await;
    })
    .await;
    let delivery = api.journal().delivery(one).cloned().unwrap();
    assert!(delivery.delivered.len() >= 4, "refused three times and brought again: {delivery:?}");
    let cursor = Some((one + 1).to_string());
    assert_eq!(inbox.batches(), [(vec![one.to_string()], cursor)]);
    assert!(inbox.heard() >= 4, "a full queue does not make the account look disconnected");
    assert_eq!(inbox.events()[0].from.id.as_str(), "telegram:1001");
}

#[tokio::test]
async fn an_update_that_was_stored_and_not_acknowledged_is_delivered_again() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    let one = anna.tells("one").await.update_id;
    // Committed, but stopped before the next poll.
    let dies = adapter(account(&api));
    tokio::select! {
        _ = dies.run(inbox.clone(), Stop::new()) => panic!("it ended by itself"),
        () = until(|| !inbox.batches().is_empty()) => {}
    }
    anna.tells("two").await;
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    assert_eq!(texts(&inbox), ["one", "two"]);
    assert!(api.journal().delivery(one).unwrap().delivered.iter().all(|(_, way)| *way == Way::Poll));
}

#[tokio::test]
async fn three_hundred_updates_come_in_order() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    for n in 0..300 {
        anna.tells(&n.to_string()).await;
    }
    let inbox = Arc::new(RecordingInbox::default());
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    assert_eq!(texts(&inbox), (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(inbox.batches().len(), 3);
}

#[tokio::test]
async fn updates_that_come_twice_and_shuffled_are_put_in_order() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    api.fault(Fault::twice());
    api.fault(Fault::shuffled());
    for n in 0..40 {
        anna.tells(&n.to_string()).await;
    }
    let inbox = Arc::new(RecordingInbox::default());
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    assert_eq!(texts(&inbox), (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// No updates for `quiet`, with or without a restart of the adapter, and then a message.
async fn after_a_silence(quiet: Duration, restarts: bool) -> (Vec<String>, bool) {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    let hands = TestClock::new();
    let first = TelegramAdapter::new(account(&api), hands.clone()).unwrap();
    let before = anna.tells("before").await.update_id;
    let after = running(&first, &inbox, async {
        until(|| api.journal().unconfirmed() == 0).await;
        if restarts {
            return None;
        }
        hands.advance(quiet);
        api.advance(quiet);
        // Earlier polls have ended by now.
        let heard = inbox.heard();
        until(|| inbox.heard() >= heard + 2).await;
        let after = anna.tells("after").await.update_id;
        until(|| api.journal().unconfirmed() == 0).await;
        Some(after)
    })
    .await;
    let after = match after {
        Some(after) => after,
        None => {
            api.advance(quiet);
            running(&adapter(account(&api)), &inbox, async {
                until(|| inbox.heard() >= 3).await;
                let after = anna.tells("after").await.update_id;
                until(|| api.journal().unconfirmed() == 0).await;
                after
            })
            .await
        }
    };
    (texts(&inbox), after < before || after > before + 1)
}

#[tokio::test]
async fn after_a_week_without_updates_the_numbering_may_restart_anywhere() {
    for restarts in [false, true] {
        let (texts, renumbered) = after_a_silence(Duration::from_secs(8 * 24 * 3600), restarts).await;
        assert_eq!(texts, ["before", "after"]);
        assert!(renumbered, "the server did not number anew: this test shows nothing");
    }
}

#[tokio::test]
async fn numbers_that_begin_anew_far_below_lose_nothing() {
    // The stored cursor is from before the server restarted its numbering.
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::at("9000000000001"));
    let one = anna.tells("one").await.update_id;
    assert!(one < 9_000_000_000_001);
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    assert_eq!(inbox.batches()[0].1, Some((one + 1).to_string()), "the stored offset follows");
}

#[tokio::test]
async fn a_conflict_with_another_poller_is_reported_and_the_account_is_not_ready() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    let words =
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    api.fault(Fault::refuse(409, words).on("getUpdates").times(3));
    anna.tells("hello").await;
    let telegram = adapter(account(&api));
    let error = ended(&telegram, &inbox).await;
    let AdapterError::Lost(why) = &error else { panic!("{error}") };
    assert!(why.contains("another program") && why.contains("stop it"), "it says what to do: {why}");
    assert_eq!(inbox.heard(), 0);
    let begun = tokio::time::Instant::now();
    running(&telegram, &inbox, async { until(|| api.journal().unconfirmed() == 0).await }).await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "it waits longer than the supervisor does");
    assert_eq!(texts(&inbox), ["hello"]);
}

#[tokio::test]
async fn polling_too_often_pauses_for_the_requested_time() {
    let api = BotApi::start().await;
    let inbox = Arc::new(RecordingInbox::default());
    api.fault(Fault::too_many(1).on("getUpdates").times(1));
    let begun = tokio::time::Instant::now();
    running(&adapter(account(&api)), &inbox, async { until(|| inbox.heard() > 0).await }).await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_refused_token_is_reported() {
    let api = BotApi::start().await;
    let mut wrong = Account::new("default", "123456:WRONG-token");
    wrong.settings = account(&api).settings;
    let error = ended(&adapter(wrong), &Arc::new(RecordingInbox::default())).await;
    assert!(matches!(&error, AdapterError::Credentials(why) if why.contains("@BotFather")), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_noticed() {
    let api = BotApi::start().await;
    let inbox = Arc::new(RecordingInbox::default());
    api.fault(Fault::silent());
    let begun = tokio::time::Instant::now();
    let error = ended(&adapter(account(&api)), &inbox).await;
    assert!(matches!(error, AdapterError::Lost(_)), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(inbox.heard(), 0, "an account without updates does not look healthy");
}

#[tokio::test]
async fn a_network_failure_delays_updates_and_loses_none() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    anna.tells("one").await;
    running(&adapter(account(&api)), &inbox, async {
        until(|| api.journal().unconfirmed() == 0).await;
        api.cut().await;
        anna.tells("two").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        api.restore().await.unwrap();
        until(|| api.journal().unconfirmed() == 0).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["one", "two"]);
}

#[tokio::test]
async fn numbers_beyond_32_bits_are_numbers() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    for number in [1 << 31, 1 << 32, 1 << 53, i64::MAX - 99] {
        api.default_bot().numbers_from(number);
        anna.tells(&number.to_string()).await;
    }
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    let ids: Vec<String> = inbox.events().into_iter().map(|event| event.id).collect();
    assert_eq!(texts(&inbox), ids);
    assert_eq!(inbox.batches().pop().unwrap().1, Some((i64::MAX - 98).to_string()));
}

#[tokio::test]
async fn a_pressed_button_is_answered() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    anna.starts().await;
    let message = asks_back(&api, 1001).await;
    running(&adapter(account(&api)), &inbox, async {
        anna.presses(&anna, message, "yes").await;
        until(|| !api.journal().calls_of("answerCallbackQuery").is_empty()).await;
    })
    .await;
    let event = inbox.events().pop().unwrap();
    assert_eq!(event.kind, EventKind::Button { target: Some(message.to_string()) });
    assert_eq!(
        (event.text.as_str(), event.from.id.as_str(), event.addressed),
        ("yes", "telegram:1001", true)
    );
}

#[tokio::test]
async fn a_person_who_answers_a_question_is_told_alone() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    anna.starts().await;
    let message = asks_back(&api, 1001).await;
    let telegram = adapter(account(&api));
    let accepted = Outcome::Ignored;
    let answered = Outcome::Answered { message: MessageId(1), ask: AskId(7), answer: "Yes".into() };
    let refused = Outcome::NotAnswered { ask: AskId(7), error: AskError::NotYours };
    for outcome in [accepted, answered, refused] {
        // The first update is the message that starts the chat.
        inbox.gives(outcome);
    }
    running(&telegram, &inbox, async {
        for n in 1..=2 {
            anna.presses(&anna, message, "yes").await;
            until(|| api.journal().calls_of("answerCallbackQuery").len() == n).await;
        }
    })
    .await;
    let calls = api.journal().calls_of("answerCallbackQuery");
    let told: Vec<_> =
        calls.iter().map(|call| (&call.params["text"], call.params.get("show_alert"))).collect();
    assert_eq!(told[0], (&json!("Your answer: Yes"), None));
    assert_eq!(told[1], (&json!("This question is not for you."), Some(&json!(true))));
}

#[tokio::test]
async fn the_menu_is_written_once() {
    let api = BotApi::start().await;
    let inbox = Arc::new(RecordingInbox::default());
    let written = |api: &BotApi| api.journal().calls_of("setMyCommands").len();
    running(&adapter(account(&api)), &inbox, async { until(|| written(&api) == 1).await }).await;
    running(&adapter(account(&api)), &inbox, async {
        until(|| api.journal().calls_of("getMyCommands").len() == 2).await;
        until(|| inbox.heard() > 3).await;
    })
    .await;
    assert_eq!(written(&api), 1, "nothing changed");
}

#[tokio::test]
async fn a_bot_without_a_menu_works() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    api.fault(Fault::refuse(400, "Bad Request: BOT_COMMAND_INVALID").on("setMyCommands"));
    anna.tells("hello").await;
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    assert_eq!(texts(&inbox), ["hello"]);
}

#[tokio::test]
async fn two_bots_do_not_know_each_other() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let second = api.bot("777:OTHER-token", 777, "second_bot");
    let mut work = Account::new("work", second.token.clone());
    work.settings = account(&api).settings;
    let (first, second_inbox) = (Arc::new(RecordingInbox::default()), Arc::new(RecordingInbox::default()));
    anna.tells("to the first").await;
    anna.message(&anna).text("to the second").to_bot(&second).send().await;
    let (one, two) = (adapter(account(&api)), adapter(work));
    tokio::join!(
        running(&one, &first, async { until(|| !texts(&first).is_empty()).await }),
        running(&two, &second_inbox, async { until(|| !texts(&second_inbox).is_empty()).await }),
    );
    assert_eq!(
        (texts(&first), texts(&second_inbox)),
        (vec!["to the first".into()], vec!["to the second".into()])
    );
    let event = &second_inbox.events()[0];
    assert_eq!(
        (event.from.id.as_str(), event.address.as_str()),
        ("telegram@work:1001", "telegram:work:1001")
    );
}
