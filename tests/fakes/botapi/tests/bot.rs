//! A bot of the plainest kind.

use std::time::Duration;

use crate::{BotApi, TOKEN};
use serde_json::{Value, json};

/// Long enough for anything that happens at all.
pub const SOON: Duration = Duration::from_secs(10);

/// Asks and reads the answer.
#[derive(Clone)]
pub struct Bot {
    url: String,
    token: String,
    http: reqwest::Client,
}

impl Bot {
    pub fn of(api: &BotApi) -> Self {
        Self::with_token(api, TOKEN)
    }

    pub fn with_token(api: &BotApi, token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url: api.url(), token: token.to_owned(), http }
    }

    /// The whole answer; nothing if the connection broke.
    pub async fn tries(&self, method: &str, body: Value) -> Option<Value> {
        let url = format!("{}/bot{}/{method}", self.url, self.token);
        self.http.post(url).json(&body).send().await.ok()?.json().await.ok()
    }

    /// The result.
    pub async fn asks(&self, method: &str, body: Value) -> Value {
        let answer = self.tries(method, body).await.expect("an answer");
        assert_eq!(answer["ok"], true, "{answer}");
        answer["result"].clone()
    }

    /// The error's number and its words.
    pub async fn is_refused(&self, method: &str, body: Value) -> (i64, String) {
        let answer = self.tries(method, body).await.expect("an answer");
        assert_eq!(answer["ok"], false, "{answer}");
        (answer["error_code"].as_i64().unwrap(), answer["description"].as_str().unwrap().to_owned())
    }

    /// The numbers of the updates from `offset` on, waiting for so many seconds.
    pub async fn polls(&self, offset: i64, seconds: u32) -> Vec<i64> {
        let updates = self.asks("getUpdates", json!({"offset": offset, "timeout": seconds})).await;
        updates.as_array().unwrap().iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
    }
}
