//! People and bots, as others see them.

use serde_json::{Value, json};

/// The account that anonymous administrators write through.
pub const ANONYMOUS: i64 = 1_087_968_824;
/// The account that brings a channel's posts into its group.
pub const TELEGRAM: i64 = 777_000;
/// The account that posts for a channel in a group.
pub const CHANNEL_BOT: i64 = 136_817_688;

/// An account.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub id: i64,
    pub first_name: String,
    pub username: Option<String>,
    /// The language of the app; bots have none.
    pub language: Option<String>,
    pub is_bot: bool,
    /// Whether the account was deleted.
    pub deactivated: bool,
}

impl Person {
    /// Somebody with only a name.
    pub fn new(id: i64, first_name: &str) -> Self {
        Self { id, first_name: first_name.to_owned(), language: Some("en".to_owned()), ..Self::default() }
    }

    /// A bot with a name.
    pub fn bot(id: i64, first_name: &str, username: &str) -> Self {
        Self {
            language: None,
            is_bot: true,
            username: Some(username.to_owned()),
            ..Self::new(id, first_name)
        }
    }

    /// A `User`.
    pub fn to_json(&self) -> Value {
        let mut user = json!({"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name});
        for (name, value) in [("username", &self.username), ("language_code", &self.language)] {
            if let Some(value) = value {
                user[name] = json!(value);
            }
        }
        user
    }

    /// A private `Chat` with this person.
    pub fn to_chat(&self) -> Value {
        let mut chat = json!({"id": self.id, "type": "private", "first_name": self.first_name});
        if let Some(username) = &self.username {
            chat["username"] = json!(username);
        }
        chat
    }
}

/// The accounts that always exist.
pub fn officials() -> [Person; 3] {
    [
        Person::bot(ANONYMOUS, "Group", "GroupAnonymousBot"),
        Person::bot(CHANNEL_BOT, "Channel", "Channel_Bot"),
        Person { language: None, ..Person::new(TELEGRAM, "Telegram") },
    ]
}
