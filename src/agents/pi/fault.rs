//! What an error of a model means that pi reports: does it concern everybody who asks the model, or only this request?
//!
//! pi passes on a text. With a response of the provider it has the HTTP status, at its beginning (`429: {..}`), in
//! parentheses (`API error (429): ..`) or in the provider's JSON. An error on the way to the provider, and one within its
//! stream, has only words. What is known by neither is about this request: pi then goes on answering everybody else.

use frontdesk_core::cause::Cause;

use crate::outage;

/// The provider has an objection to what was asked, whatever the status is.
const REQUEST: [&str; 5] =
    ["was flagged", "flagged_input", "moderation", "content_policy_violation", "request too large"];

/// The provider refuses the account, also where the status says that the request is wrong.
const ACCOUNT: [&str; 5] = [
    "credit balance",
    "insufficient_quota",
    "api key not valid",
    "api_key_invalid",
    "organization has been disabled",
];

/// Errors without a status that everybody has.
const WORDS: [&str; 42] = [
    // It refuses everybody, for now or until somebody pays.
    "rate limit",
    "rate_limit",
    "too many requests",
    "throttl",
    "resource_exhausted",
    "resourceexhausted",
    "usage limit",
    "usage_limit",
    "quota",
    "billing",
    "insufficient credits",
    // The key is missing or wrong.
    "no api key",
    "invalid api key",
    "authentication",
    "unauthorized",
    "permission_error",
    // It does not work.
    "overloaded",
    "service unavailable",
    "service_unavailable",
    "server error",
    "server_error",
    "internal error",
    "bad gateway",
    "gateway timeout",
    "no healthy upstream",
    "upstream connect",
    // It cannot be reached, or goes away.
    "fetch failed",
    "connection error",
    "network error",
    "socket hang up",
    "socket connection was closed",
    "other side closed",
    "getaddrinfo",
    "econnrefused",
    "econnreset",
    "ehostunreach",
    "enetunreach",
    "certificate",
    "websocket closed",
    "websocket error",
    // It takes too long.
    "timed out",
    "timeout",
];

/// Whether everybody who asks this model has this error.
pub(super) fn is_for_everybody(error: &str) -> bool {
    let error = error.trim().to_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| error.contains(sign));
    if has(&REQUEST) {
        return false;
    }
    // `terminated` is the whole error if a connection breaks.
    let in_words = || error == "terminated" || has(&WORDS);
    has(&ACCOUNT) || status(&error).map_or_else(in_words, outage::is_for_everybody)
}

/// The cause of a turn that failed because of such an error. The provider may have quoted the request.
pub(super) fn cause(error: String) -> Cause {
    match status(&error.trim().to_lowercase()) {
        Some(status) => Cause::quoting(format!("pi's model provider answered with status {status}"), error),
        None => Cause::quoting("pi's model provider does not work", error),
    }
}

/// The HTTP status in an error.
fn status(error: &str) -> Option<u16> {
    let marked = ["error (", "\"code", "status_code", "status code", "status"].into_iter().flat_map(|mark| {
        let plain = |c: char| " :=\"\\".contains(c);
        error.match_indices(mark).map(move |(at, _)| error[at + mark.len()..].trim_start_matches(plain))
    });
    std::iter::once(error).chain(marked).find_map(leading_status)
}

/// The status that a text begins with.
fn leading_status(text: &str) -> Option<u16> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    text[..end].parse().ok().filter(|status| (400..=599).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors as pi reports them from its providers.
    const OF_EVERYBODY: [&str; 32] = [
        r#"429: {"message":"Rate limit reached for gpt-5 on tokens per min (TPM): Limit 30000, Used 29800","type":"tokens","code":"rate_limit_exceeded"}"#,
        r#"429: {"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}"#,
        "429 status code (no body)",
        r#"529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        r#"{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
        r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
        "Cloud Code Assist API error (429): {\n  \"error\": {\n    \"code\": 429,\n    \"status\": \"RESOURCE_EXHAUSTED\"}}",
        r#"{"error":{"message":"{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"The model is overloaded.\"}}","code":503,"status":"Service Unavailable"}}"#,
        "got status: 500 INTERNAL. An error has occurred",
        r#"Codex error: {"type":"error","error":{"type":"usage_limit_reached","message":"The usage limit has been reached"},"status_code":429}"#,
        "You have hit your ChatGPT usage limit (plus plan). Try again in ~231 min.",
        r#"401 {"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
        r#"401: {"message":"Incorrect API key provided: sk-abc","type":"invalid_request_error","code":"invalid_api_key"}"#,
        r#"402: {"message":"Insufficient credits. Add more and try again","code":402}"#,
        "403 status code (no body)",
        r#"400 {"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#,
        r#"404: {"message":"The model `gpt-9` does not exist or you do not have access to it.","code":"model_not_found"}"#,
        "No API key found for anthropic.",
        "Throttling error: Too many tokens, please wait before trying again.",
        "Service unavailable: Bedrock is unable to process your request.",
        "503 no healthy upstream",
        "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
        "fetch failed",
        "Connection error.",
        "Request timed out.",
        "terminated",
        "connect ECONNREFUSED 127.0.0.1:11434",
        "getaddrinfo ENOTFOUND api.example.com",
        "read ECONNRESET",
        "The socket connection was closed unexpectedly.",
        "self-signed certificate in certificate chain",
    ];

    const OF_ONE_REQUEST: [&str; 19] = [
        r#"400: {"message":"Invalid 'messages[500].content': string too long","type":"invalid_request_error","code":"string_above_max_length"}"#,
        r#"400 {"type":"error","error":{"type":"invalid_request_error","message":"messages.3.content.1.image.source.base64: image exceeds 5 MB maximum"}}"#,
        r#"400 {"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
        "400 status code (no body)",
        r#"413 {"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
        r#"422: {"detail":[{"msg":"field required"}]}"#,
        r#"{"error":{"code":400,"message":"Unable to process input image.","status":"INVALID_ARGUMENT"}}"#,
        "Mistral API error (400): the request had a timeout of 429 seconds",
        "prompt is too long: 213462 tokens > 200000 maximum",
        "Validation error: Input is too long for requested model.",
        r#"403: {"message":"This model requires moderation. Your input was flagged for \"violence\"","code":403}"#,
        r#"429: {"message":"Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 50000","code":"rate_limit_exceeded"}"#,
        "Provider finish_reason: content_filter",
        "Stream ended without finish_reason",
        "An unknown error occurred",
        r#"Unexpected token '<', "<html>500" is not valid JSON"#,
        "Cannot read properties of undefined (reading 'length')",
        "the model failed",
        "",
    ];

    #[test]
    fn an_error_is_for_everybody_only_if_it_says_so() {
        for error in OF_EVERYBODY {
            assert!(is_for_everybody(error), "{error}");
        }
        for error in OF_ONE_REQUEST {
            assert!(!is_for_everybody(error), "{error}");
        }
    }
}
