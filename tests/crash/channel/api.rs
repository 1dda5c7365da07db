//! Requests to the gateway's API, as clients make them.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::harness::Harness;

/// A client with the main token.
pub struct Api {
    harness: Arc<Harness>,
    http: reqwest::Client,
}

pub enum Response {
    Taken(Value),
    /// Cut off, or the client was asked to come again.
    Again,
    Refused(u16, Value),
}

impl Api {
    pub fn new(harness: Arc<Harness>) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build();
        Self { harness, http: http.expect("an HTTP client") }
    }

    /// Makes one request with the main token.
    pub async fn request(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Response {
        let address = self.harness.address().await;
        let request = self.http.request(method, format!("http://{address}{path}"));
        let mut request = request.bearer_auth(self.harness.token()).json(body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        sent(request).await
    }

    /// Hands over an event of another program, with these headers.
    pub async fn event(&self, path: &str, headers: &[(&'static str, String)], body: &str) -> Response {
        let address = self.harness.address().await;
        let mut request = self.http.post(format!("http://{address}{path}")).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        sent(request.header("content-type", "application/json")).await
    }
}

async fn sent(request: RequestBuilder) -> Response {
    let Ok(response) = request.send().await else { return Response::Again };
    let status = response.status().as_u16();
    let Ok(answer) = response.json::<Value>().await else { return Response::Again };
    match status {
        200..=299 => Response::Taken(answer),
        429 | 503 => Response::Again,
        409 if answer["error"]["code"] == "in_progress" => Response::Again,
        status => Response::Refused(status, answer),
    }
}
