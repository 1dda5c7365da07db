//! People and bots, as others see them.

use serde_json::{Value, json};

/// The account that anonymous administrators write through.
pub const ANONYMOUS: i64 = 1_087_968_824;
/// The account that carries a channel's posts into its group.
pub const TELEGRAM: i64 = 777_000;
/// The account that posts for a channel in a group.
pub const CHANNEL_BOT: i64 = 136_817_688;

/// Somebody with an account.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The account's number.
    pub id: i64,
    /// The first name.
    pub first_name: String,
    /// The last name, if there is one.
    pub last_name: Option<String>,
    /// The name after the @, if there is one.
    pub username: Option<String>,
    /// The language of the app.
    pub language: Option<String>,
    /// Whether it is a bot.
    pub is_bot: bool,
    /// Whether the account was deleted.
    pub deactivated: bool,
}

impl Person {
    /// Somebody with only a name.
    pub fn new(id: i64, first_name: &str) -> Self {
        Self { id, first_name: first_name.to_owned(), language: Some("en".to_owned()), ..Self::default() }
    }

    /// A `User`.
    pub fn to_json(&self) -> Value {
        let mut user = json!({"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name});
        let language = if self.is_bot { &None } else { &self.language };
        for (name, value) in
            [("last_name", &self.last_name), ("username", &self.username), ("language_code", language)]
        {
            if let Some(value) = value {
                user[name] = json!(value);
            }
        }
        user
    }

    /// A private `Chat` with this person.
    pub fn to_chat(&self) -> Value {
        let mut chat = json!({"id": self.id, "type": "private", "first_name": self.first_name});
        for (name, value) in [("last_name", &self.last_name), ("username", &self.username)] {
            if let Some(value) = value {
                chat[name] = json!(value);
            }
        }
        chat
    }
}

/// The accounts that everybody has.
pub fn officials() -> [Person; 3] {
    let bot = |id, name: &str, username: &str| Person {
        id,
        first_name: name.to_owned(),
        username: Some(username.to_owned()),
        is_bot: true,
        ..Person::default()
    };
    [
        bot(ANONYMOUS, "Group", "GroupAnonymousBot"),
        bot(CHANNEL_BOT, "Channel", "Channel_Bot"),
        Person { id: TELEGRAM, first_name: "Telegram".to_owned(), ..Person::default() },
    ]
}
