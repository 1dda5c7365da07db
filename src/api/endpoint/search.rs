//! A search in messages: with the scope `chat` in those of the caller's own chats, otherwise in all.

use frontdesk_core::access::Action;
use frontdesk_core::id::MessageId;
use frontdesk_store::row;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::Timestamp;
use crate::token::Scope;

/// Maximum length of the words that are searched for, in bytes.
const MAX_WORDS: usize = 200;

/// Number of characters before and after what was found.
const AROUND: usize = 60;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    /// The words, without regard to ASCII case.
    #[schemars(length(min = 1, max = MAX_WORDS), pattern(r"\S"))]
    search: String,
    /// `next` of the page before.
    #[schemars(pattern(r"^m[0-9]{1,18}$"))]
    before: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// Messages that were found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FoundMessages {
    messages: Vec<FoundMessage>,
    next: Option<String>,
}

/// A message that was found.
#[derive(Debug, Serialize, JsonSchema)]
struct FoundMessage {
    message: String,
    session: String,
    received: Timestamp,
    /// The words in the text with those around them.
    text: Option<String>,
    /// The words in the answer with those around them.
    answer: Option<String>,
}

/// Searches messages: with the scope `chat` those of the caller's own chats, otherwise all. Returns those whose text or answer has these words, the newest first, with the words around them.
#[utoipa::path(get, path = "/api/messages", params(SearchQuery), responses((status = 200, body = FoundMessages)))]
pub(crate) async fn messages(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let SearchQuery { search, before, limit } = request.query()?;
    let words = search.trim();
    if words.is_empty() || words.len() > MAX_WORDS {
        return Err(ApiError::bad_request(format!("search: write 1 to {MAX_WORDS} bytes to search for")));
    }
    let before = before.as_deref().map(str::parse::<MessageId>).transpose();
    let before = before.map_err(|error| ApiError::bad_request(format!("before: {error}")))?;
    let (server, caller) = (&request.server, request.caller()?);
    let (of_chats, action) = match caller.scope {
        Scope::Chat | Scope::App => (Some(caller.chats()), Action::Write),
        Scope::Read | Scope::Admin => (None, Action::Administer),
    };
    server.authorize(caller, Scope::Read, action)?;
    let found_in = server.handle.store().search(words, of_chats.as_deref(), before, list::row_limit(limit)?);
    let (rows, next) = found_in.await?;
    let messages = rows.iter().map(|row| found(row, words)).collect();
    Ok(ApiResponse::ok(FoundMessages { messages, next: next.map(|next| next.to_string()) }))
}

fn found(row: &row::FoundMessage, words: &str) -> FoundMessage {
    FoundMessage {
        message: row.message.to_string(),
        session: row.session.as_str().to_owned(),
        received: row.received.into(),
        text: excerpt(&row.text, words),
        answer: row.answer.as_deref().and_then(|answer| excerpt(answer, words)),
    }
}

/// The words with what stands around them, on one line; `None` where they do not occur.
fn excerpt(text: &str, words: &str) -> Option<String> {
    // Only ASCII letters change, so that places are the same in both texts.
    let place = text.to_ascii_lowercase().find(&words.to_ascii_lowercase())?;
    let (before, found) = text.split_at_checked(place)?;
    let begin = before.char_indices().rev().nth(AROUND).map_or(0, |(begin, _)| begin);
    let end =
        found.char_indices().nth(words.chars().count() + AROUND).map_or(text.len(), |(end, _)| place + end);
    let middle = text.get(begin..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    let (left, right) = (if begin > 0 { "…" } else { "" }, if end < text.len() { "…" } else { "" });
    Some(format!("{left}{middle}{right}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_the_words_and_what_stands_around_them() {
        assert_eq!(excerpt("A\n  blue GARDEN", "garden").as_deref(), Some("A blue GARDEN"));
        assert_eq!(excerpt("nothing", "garden"), None);
        let long = excerpt(&format!("{}İhaus{}", "ä".repeat(100), "ö".repeat(100)), "haus").unwrap();
        assert!(long.starts_with("…ä") && long.ends_with("ö…") && long.contains("haus"), "{long}");
        assert!(long.chars().count() <= 2 * AROUND + 8, "{long}");
    }
}
