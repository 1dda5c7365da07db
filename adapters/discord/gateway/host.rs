//! The host of a connection. A session is taken up again at the host that it has named, unless that host is gone.

use frontdesk_core::port::AdapterError;

use super::budget;
use crate::CHANNEL;
use crate::context::Context;
use crate::progress::Progress;

/// The number of failed connections in a row after which the host of a session counts as gone.
const HOST_GONE: u32 = 3;
/// The number after which the session does.
const SESSION_GONE: u32 = 6;

/// Where to connect. While Discord itself cannot be reached, a session is kept for however long: that says nothing about
/// its host.
pub(super) async fn address(context: &Context, progress: &mut Progress) -> Result<String, AdapterError> {
    let failed = context.failed.count();
    match &progress.session {
        Some(session) if failed < HOST_GONE => return Ok(session.url.clone()),
        Some(_) if failed < SESSION_GONE => {
            let address = budget::general_address(context).await?;
            tracing::info!(channel = CHANNEL, account = %context.bot.account, "the host of the session does not answer, so the session is resumed at Discord's general address");
            return Ok(address);
        }
        Some(_) => progress.lose_session(),
        None => {}
    }
    budget::address(context, progress).await
}
