//! Which HTTP statuses of a model provider concern everybody who asks it.

/// Whether a response with this status means that the provider does not work, or refuses everybody who comes with this key
/// and this model: a bad key, no money, no such model, too many requests, or a fault of its own. Any other status is about
/// the one request.
pub(crate) fn is_for_everybody(status: u16) -> bool {
    matches!(status, 401..=404 | 407 | 408 | 429 | 500..=599)
}
