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
    /// The account's number.
    pub id: i64,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: Option<String>,
    /// The name after the @.
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
    pub(crate) fn to_json(&self) -> Value {
        let mut user = json!({"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name});
        if let Some(language) = &self.language {
            user["language_code"] = json!(language);
        }
        self.add_names(user)
    }

    /// A private `Chat` with this person.
    pub(crate) fn to_chat(&self) -> Value {
        self.add_names(json!({"id": self.id, "type": "private", "first_name": self.first_name}))
    }

    fn add_names(&self, mut object: Value) -> Value {
        for (name, value) in [("last_name", &self.last_name), ("username", &self.username)] {
            if let Some(value) = value {
                object[name] = json!(value);
            }
        }
        object
    }
}

/// The accounts that always exist.
pub(crate) fn officials() -> [Person; 3] {
    [
        Person::bot(ANONYMOUS, "Group", "GroupAnonymousBot"),
        Person::bot(CHANNEL_BOT, "Channel", "Channel_Bot"),
        Person { language: None, ..Person::new(TELEGRAM, "Telegram") },
    ]
}
