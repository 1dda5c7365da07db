//! Random ids for requests without an `Idempotency-Key`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::ApiError;

/// 128 random bits as text.
pub(crate) fn id() -> Result<String, ApiError> {
    let mut bits = [0_u8; 16];
    getrandom::fill(&mut bits).map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        ApiError::internal()
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bits))
}
