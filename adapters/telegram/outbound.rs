//! Deliveries and signals as calls of the Bot API.

use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Post, Receipt, SendError, Signal};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use teloxide_core::payloads::{DeleteMessage, EditMessageText, PinChatMessage, SendChatAction, SendMessage};
use teloxide_core::types::{ChatAction, LinkPreviewOptions, ParseMode, ReplyParameters};

use crate::api::Api;
use crate::config::Settings;
use crate::destination::{Chat, message_id};
use crate::error::Fault;
use crate::keyboard::Keyboard;
use crate::{album, markup, media, reaction};

/// Delivers one row.
pub(crate) async fn deliver(
    api: &Api,
    settings: &Settings,
    to: &Address,
    delivery: Delivery,
) -> Result<Receipt, SendError> {
    let chat = Chat::of(to)?;
    match delivery {
        Delivery::Post(post) => {
            let keyboard = post.ask.as_ref().and_then(Keyboard::of);
            let message = WithKeyboard { call: message(chat, settings, post)?, reply_markup: keyboard };
            receipt(&api.invoke_by_name("sendMessage", &message).await.map_err(Fault::for_send)?)
        }
        Delivery::Edit { target, post } => {
            let parse_mode = markup::parse_mode(&post);
            let keyboard = post.ask.as_ref().and_then(Keyboard::of);
            edit(api, chat, settings, &target, (post.part.body, parse_mode), keyboard).await?;
            Ok(Receipt::of(target))
        }
        Delivery::Media { file, post } => {
            let sent = media::send(api, settings, chat, &file, &post, reply(&post)?).await?;
            receipt(&sent)
        }
        Delivery::Album(files) => {
            let first = files.first().ok_or_else(|| SendError::Refused("an album without files".into()))?;
            let sent = album::send(api, settings, chat, &files, reply(&first.post)?).await?;
            album::receipt(&sent)
        }
        Delivery::Delete { target } => {
            match api.invoke(&DeleteMessage::new(chat.id, message_id(&target)?)).await {
                Err(fault) if !fault.is_deleted() => Err(fault.for_send()),
                _ => Ok(Receipt::default()),
            }
        }
        Delivery::React { target, emoji } => {
            marked(api.invoke(&reaction::call(chat.id, message_id(&target)?, emoji.as_deref())).await)
        }
        Delivery::Pin { target } => {
            let mut pin = PinChatMessage::new(chat.id, message_id(&target)?);
            // The chat has been told of the message itself.
            pin.disable_notification = Some(true);
            marked(api.invoke(&pin).await)
        }
    }
}

/// The receipt of something that was done with a message.
fn marked(answer: Result<Box<RawValue>, Fault>) -> Result<Receipt, SendError> {
    answer.map(|_| Receipt::default()).map_err(Fault::for_send)
}

/// Shows one signal.
pub(crate) async fn signal(
    api: &Api,
    settings: &Settings,
    to: &Address,
    signal: Signal,
) -> Result<(), SendError> {
    let chat = Chat::of(to)?;
    match signal {
        Signal::Typing => {
            let mut typing = SendChatAction::new(chat.id, ChatAction::Typing);
            typing.message_thread_id = chat.topic;
            done(api.invoke(&typing).await)
        }
        Signal::Draft { id, text } => draft(api, chat, id, &text).await,
        Signal::Grow { target, text } => edit(api, chat, settings, &target, (text, None), None).await,
        Signal::Waits { target, waits } => {
            let emoji = settings.acknowledge.as_deref().filter(|_| waits);
            done(api.invoke(&reaction::call(chat.id, message_id(&target)?, emoji)).await)
        }
        // There are no clients that read pieces, and the profile asks for no `End`.
        Signal::Delta { .. } | Signal::Progress { .. } | Signal::End { .. } => Ok(()),
    }
}

fn message(chat: Chat, settings: &Settings, post: Post) -> Result<SendMessage, SendError> {
    let (parse_mode, reply) = (markup::parse_mode(&post), reply(&post)?);
    let mut message = SendMessage::new(chat.id, post.part.body);
    message.message_thread_id = chat.topic;
    message.parse_mode = parse_mode;
    message.link_preview_options = previews(settings);
    message.reply_parameters = reply;
    Ok(message)
}

/// A call with the buttons of its message.
#[derive(Serialize)]
struct WithKeyboard<C> {
    #[serde(flatten)]
    call: C,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<Keyboard>,
}

/// Changes the text and the buttons of a message; without a keyboard its buttons are removed. If it shows both already,
/// that is success.
async fn edit(
    api: &Api,
    chat: Chat,
    settings: &Settings,
    target: &str,
    (text, parse_mode): (String, Option<ParseMode>),
    keyboard: Option<Keyboard>,
) -> Result<(), SendError> {
    let mut edit = EditMessageText::new(chat.id, message_id(target)?, text);
    edit.parse_mode = parse_mode;
    edit.link_preview_options = previews(settings);
    let edit = WithKeyboard { call: edit, reply_markup: keyboard };
    match api.invoke_by_name("editMessageText", &edit).await {
        Err(fault) if !fault.is_not_modified() => Err(fault.for_send()),
        _ => Ok(()),
    }
}

/// Sends a state of a draft (Bot API 9.3, sendMessageDraft). teloxide does not know this call.
async fn draft(api: &Api, chat: Chat, id: i64, text: &str) -> Result<(), SendError> {
    if text.is_empty() || id == 0 {
        return Ok(());
    }
    let mut body = json!({"chat_id": chat.id, "draft_id": id, "text": text});
    if let Some(topic) = chat.topic {
        body["message_thread_id"] = json!(topic);
    }
    done(api.invoke_by_name("sendMessageDraft", &body).await)
}

fn done(answer: Result<Box<RawValue>, Fault>) -> Result<(), SendError> {
    answer.map(drop).map_err(Fault::for_send)
}

/// The id of the message that was sent. Without it, it is unknown whether the message exists.
fn receipt(sent: &RawValue) -> Result<Receipt, SendError> {
    #[derive(Deserialize)]
    struct Sent {
        message_id: i64,
    }
    let sent: Sent = serde_json::from_str(sent.get())
        .map_err(|_| SendError::Unknown("the answer names no message".into()))?;
    Ok(Receipt::of(sent.message_id.to_string()))
}

fn reply(post: &Post) -> Result<Option<ReplyParameters>, SendError> {
    let Some(target) = &post.reply_to else { return Ok(None) };
    // If the question was deleted, the answer is sent anyway.
    Ok(Some(ReplyParameters::new(message_id(target)?).allow_sending_without_reply()))
}

fn previews(settings: &Settings) -> Option<LinkPreviewOptions> {
    (!settings.link_previews).then_some(LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    })
}

#[cfg(test)]
mod tests {
    use frontdesk_core::delivery::{MessageRefs, PostKind};
    use frontdesk_core::id::OutId;
    use frontdesk_core::markup::Part;
    use rstest::rstest;
    use serde_json::Value;

    use super::*;

    fn post(body: &str, plain: &str, reply_to: Option<&str>) -> Post {
        Post {
            part: Part { key: 0, body: body.into(), plain: plain.into() },
            out: OutId(1),
            key: "t1/0".into(),
            reply_to: reply_to.map(str::to_owned),
            kind: PostKind::Answer,
            about: MessageRefs::default(),
            seq: None,
            more: false,
            ask: None,
            task: None,
            audience: None,
            file: None,
            native: None,
        }
    }

    fn chat(address: &str) -> Chat {
        Chat::of(&address.parse().unwrap()).unwrap()
    }

    fn sent(address: &str, post: Post) -> Value {
        serde_json::to_value(message(chat(address), &Settings::default(), post).unwrap()).unwrap()
    }

    #[test]
    fn a_part_is_sent_as_html_without_previews() {
        let expected = json!({
            "chat_id": 5, "text": "<b>hi</b>", "parse_mode": "HTML", "link_preview_options": {"is_disabled": true},
        });
        assert_eq!(sent("telegram:5", post("<b>hi</b>", "hi", None)), expected);
    }

    #[test]
    fn a_plain_part_has_no_markup_to_misread() {
        assert_eq!(sent("telegram:5", post("a < b", "a < b", None)).get("parse_mode"), None);
    }

    #[test]
    fn an_answer_in_a_topic_stays_there_and_names_its_question() {
        let value = sent("telegram:work:-1007:topic:12", post("hi", "hi", Some("99")));
        assert_eq!(value["message_thread_id"], 12);
        let reply = json!({"message_id": 99, "allow_sending_without_reply": true});
        assert_eq!(value["reply_parameters"], reply);
    }

    #[test]
    fn the_general_topic_of_a_forum_is_the_chat_itself() {
        assert_eq!(chat("telegram:-1007:topic:1"), chat("telegram:-1007"));
        assert!(chat("telegram:-1007:topic:2").topic.is_some());
        assert!(chat("telegram:7:topic:1").topic.is_some(), "topics of a private chat are messages of it");
    }

    #[rstest]
    #[case("telegram:@somebody")]
    #[case("telegram:")]
    #[case("telegram:5:topic:x")]
    fn an_address_that_is_no_number_is_refused(#[case] address: &str) {
        let Ok(address) = address.parse::<Address>() else { return };
        assert!(matches!(Chat::of(&address), Err(SendError::Refused(_))));
    }

    #[test]
    fn sent_needs_the_id_that_telegram_gave() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        assert_eq!(receipt(&raw(r#"{"message_id":17,"date":1}"#)), Ok(Receipt::of("17".into())));
        assert!(matches!(receipt(&raw("true")), Err(SendError::Unknown(_))));
    }
}
