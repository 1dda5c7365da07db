//! What a message says and carries.

use frontdesk_core::message::{Attachment, FileKind};
use teloxide_core::types::{
    ChatMigration, Contact, DiceEmoji, FileMeta, Location, MediaGroupId, MediaKind, Message, MessageEntity,
    MessageKind, PhotoSize, Poll, Sticker,
};

/// The longest piece of somebody's data in a line of ours, in characters.
const PIECE: usize = 200;
/// Telegram's types say this when the size is not known.
const NO_SIZE: u32 = u32::MAX;

/// What a message is.
pub(super) enum Content<'m> {
    /// Words, files or both.
    Said(Said<'m>),
    /// Something that no agent can take, by Telegram's name for it.
    Unreadable(&'static str),
    /// Something that this version does not know.
    Strange,
    /// The chat has another id from now on.
    Moved(i64),
    /// Telegram's own words about the chat, by its name for them.
    Service(&'static str),
}

/// What somebody said.
#[derive(Default)]
pub(super) struct Said<'m> {
    pub text: String,
    pub entities: &'m [MessageEntity],
    pub files: Vec<Attachment>,
    pub album: Option<String>,
}

/// What a message says and carries.
pub(super) fn of(message: &Message) -> Content<'_> {
    let MessageKind::Common(common) = &message.kind else { return rare(&message.kind) };
    if common.business_connection_id.is_some() {
        return Content::Service("business");
    }
    media(&common.media_kind)
}

fn media(media: &MediaKind) -> Content<'_> {
    let said = match media {
        MediaKind::Text(text) => {
            Said { text: text.text.clone(), entities: &text.entities, ..Said::default() }
        }
        MediaKind::Photo(photo) => {
            let largest =
                photo.photo.iter().max_by_key(|size| u64::from(size.width) * u64::from(size.height));
            let files = largest.map(picture).into_iter().collect();
            captioned(&photo.caption, &photo.caption_entities, files, photo.media_group_id.as_ref())
        }
        MediaKind::Document(it) => {
            let mime = it.document.mime_type.as_ref();
            let file = file(&it.document.file, FileKind::Document, it.document.file_name.as_ref(), mime);
            captioned(&it.caption, &it.caption_entities, vec![file], it.media_group_id.as_ref())
        }
        MediaKind::Audio(it) => {
            let mime = it.audio.mime_type.as_ref();
            let name = it.audio.file_name.as_ref().or(it.audio.title.as_ref());
            let file = file(&it.audio.file, FileKind::Audio, name, mime);
            captioned(&it.caption, &it.caption_entities, vec![file], it.media_group_id.as_ref())
        }
        MediaKind::Video(it) => {
            let mime = it.video.mime_type.as_ref();
            let file = file(&it.video.file, FileKind::Video, it.video.file_name.as_ref(), mime);
            captioned(&it.caption, &it.caption_entities, vec![file], it.media_group_id.as_ref())
        }
        MediaKind::Animation(it) => {
            let mime = it.animation.mime_type.as_ref();
            let file = file(&it.animation.file, FileKind::Animation, it.animation.file_name.as_ref(), mime);
            captioned(&it.caption, &it.caption_entities, vec![file], None)
        }
        MediaKind::Voice(it) => {
            let file = file(&it.voice.file, FileKind::Voice, None, it.voice.mime_type.as_ref());
            captioned(&it.caption, &it.caption_entities, vec![file], None)
        }
        MediaKind::VideoNote(it) => Said {
            files: vec![file(&it.video_note.file, FileKind::Video, None, Some("video/mp4"))],
            ..Said::default()
        },
        MediaKind::Sticker(it) => Said {
            text: it
                .sticker
                .emoji
                .as_deref()
                .map(|emoji| format!("[Sticker {}]", line(emoji)))
                .unwrap_or_default(),
            files: vec![sticker(&it.sticker)],
            ..Said::default()
        },
        MediaKind::Location(it) => words(format!("[{}]", location(&it.location))),
        MediaKind::Venue(it) => {
            let venue = &it.venue;
            let (title, address) = (line(&venue.title), line(&venue.address));
            words(format!("[Place: {title}, {address}; {}]", coordinates(&venue.location)))
        }
        MediaKind::Contact(it) => words(contact(&it.contact)),
        MediaKind::Poll(it) => words(poll(&it.poll)),
        MediaKind::Checklist(it) => {
            let tasks: Vec<String> = it.checklist.tasks.iter().map(|task| line(&task.text)).collect();
            words(format!("[Checklist: {}; {}]", line(&it.checklist.title), tasks.join("; ")))
        }
        MediaKind::PaidMedia(_) => return Content::Unreadable("paid_media"),
        MediaKind::Game(_) => return Content::Unreadable("game"),
        MediaKind::Story(_) => return Content::Unreadable("story"),
        MediaKind::Migration(ChatMigration::To { chat_id }) => return Content::Moved(chat_id.0),
        MediaKind::Migration(ChatMigration::From { .. }) => return Content::Service("migrate_from_chat_id"),
    };
    Content::Said(said)
}

/// What is no common message. Only a person's own are worth a word to the person.
fn rare(kind: &MessageKind) -> Content<'_> {
    Content::Service(match kind {
        MessageKind::Dice(it) => {
            return Content::Said(words(format!("[Dice {}: {}]", die(&it.dice.emoji), it.dice.value)));
        }
        MessageKind::Empty {} | MessageKind::Common(_) => return Content::Strange,
        MessageKind::Invoice(_) => return Content::Unreadable("invoice"),
        MessageKind::PassportData(_) => return Content::Unreadable("passport_data"),
        MessageKind::WebAppData(_) => return Content::Unreadable("web_app_data"),
        MessageKind::UsersShared(_) => return Content::Unreadable("users_shared"),
        MessageKind::ChatShared(_) => return Content::Unreadable("chat_shared"),
        MessageKind::Giveaway(_) => return Content::Unreadable("giveaway"),
        MessageKind::GiveawayWinners(_) => return Content::Unreadable("giveaway_winners"),
        MessageKind::GiveawayCompleted(_) => "giveaway_completed",
        MessageKind::GiveawayCreated(_) => "giveaway_created",
        MessageKind::NewChatMembers(_) => "new_chat_members",
        MessageKind::LeftChatMember(_) => "left_chat_member",
        MessageKind::NewChatTitle(_) => "new_chat_title",
        MessageKind::NewChatPhoto(_) => "new_chat_photo",
        MessageKind::DeleteChatPhoto(_) => "delete_chat_photo",
        MessageKind::GroupChatCreated(_) => "group_chat_created",
        MessageKind::SupergroupChatCreated(_) => "supergroup_chat_created",
        MessageKind::ChannelChatCreated(_) => "channel_chat_created",
        MessageKind::MessageAutoDeleteTimerChanged(_) => "message_auto_delete_timer_changed",
        MessageKind::Pinned(_) => "pinned_message",
        MessageKind::SuccessfulPayment(_) => "successful_payment",
        MessageKind::RefundedPayment(_) => "refunded_payment",
        MessageKind::ConnectedWebsite(_) => "connected_website",
        MessageKind::WriteAccessAllowed(_) => "write_access_allowed",
        MessageKind::ProximityAlertTriggered(_) => "proximity_alert_triggered",
        MessageKind::ChatBoostAdded(_) => "boost_added",
        MessageKind::ChatBackground(_) => "chat_background_set",
        MessageKind::ChecklistTasksDone(_) => "checklist_tasks_done",
        MessageKind::ChecklistTasksAdded(_) => "checklist_tasks_added",
        MessageKind::DirectMessagePriceChanged(_) => "direct_message_price_changed",
        MessageKind::ForumTopicCreated(_) => "forum_topic_created",
        MessageKind::ForumTopicEdited(_) => "forum_topic_edited",
        MessageKind::ForumTopicClosed(_) => "forum_topic_closed",
        MessageKind::ForumTopicReopened(_) => "forum_topic_reopened",
        MessageKind::GeneralForumTopicHidden(_) => "general_forum_topic_hidden",
        MessageKind::GeneralForumTopicUnhidden(_) => "general_forum_topic_unhidden",
        MessageKind::PaidMessagePriceChanged(_) => "paid_message_price_changed",
        MessageKind::GiftInfo(_) => "gift",
        MessageKind::UniqueGiftInfo(_) => "unique_gift",
        MessageKind::VideoChatScheduled(_) => "video_chat_scheduled",
        MessageKind::VideoChatStarted(_) => "video_chat_started",
        MessageKind::VideoChatEnded(_) => "video_chat_ended",
        MessageKind::VideoChatParticipantsInvited(_) => "video_chat_participants_invited",
    })
}

fn words<'m>(text: String) -> Said<'m> {
    Said { text, ..Said::default() }
}

fn captioned<'m>(
    caption: &Option<String>,
    entities: &'m [MessageEntity],
    files: Vec<Attachment>,
    album: Option<&MediaGroupId>,
) -> Said<'m> {
    let text = caption.clone().unwrap_or_default();
    Said { text, entities, files, album: album.map(|album| album.0.clone()) }
}

fn file(meta: &FileMeta, kind: FileKind, name: Option<&String>, mime: Option<impl ToString>) -> Attachment {
    Attachment {
        reference: meta.id.0.clone(),
        kind,
        name: name.cloned(),
        mime: mime.map(|mime| mime.to_string()),
        size: Some(meta.size).filter(|size| *size != NO_SIZE).map(u64::from),
    }
}

/// Telegram makes a JPEG of every picture.
fn picture(size: &PhotoSize) -> Attachment {
    file(&size.file, FileKind::Photo, None, Some("image/jpeg"))
}

fn sticker(sticker: &Sticker) -> Attachment {
    let mime = match (sticker.flags.is_animated, sticker.flags.is_video) {
        (true, _) => "application/x-tgsticker",
        (_, true) => "video/webm",
        _ => "image/webp",
    };
    file(&sticker.file, FileKind::Sticker, None, Some(mime))
}

fn location(location: &Location) -> String {
    let live = if location.live_period.is_some() { "Live location" } else { "Location" };
    format!("{live}: {}", coordinates(location))
}

fn coordinates(location: &Location) -> String {
    format!("{:.6}, {:.6}", location.latitude, location.longitude)
}

fn contact(contact: &Contact) -> String {
    let last = contact.last_name.as_deref().unwrap_or_default();
    let name = line(&format!("{} {last}", contact.first_name));
    format!("[Contact: {name}, {}]", line(&contact.phone_number))
}

fn poll(poll: &Poll) -> String {
    let options: Vec<String> = poll.options.iter().map(|option| line(&option.text)).collect();
    format!("[Poll: {} {}]", line(&poll.question), options.join(" / "))
}

fn die(emoji: &DiceEmoji) -> &'static str {
    match emoji {
        DiceEmoji::Dice => "🎲",
        DiceEmoji::Darts => "🎯",
        DiceEmoji::Bowling => "🎳",
        DiceEmoji::Basketball => "🏀",
        DiceEmoji::Football => "⚽",
        DiceEmoji::SlotMachine => "🎰",
    }
}

/// Somebody's data as a part of one line.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(PIECE).collect()
}
