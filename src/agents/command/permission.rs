//! A run that counts as a tool call: it is asked for before the program hears the prompt.

use frontdesk_core::delta::{AgentError, Delta, Permit, ToolCall, Verdict};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::json;
use tokio_util::sync::CancellationToken;

type Said = Result<Delta, AgentError>;

const ID: &str = "program";

/// Asks for the run, and runs it when it is permitted. The end of the run is reported as the tool's end.
/// `aborted` ends the waiting; from then on the run looks after itself.
pub(super) fn ask_first(
    run: BoxStream<'static, Said>,
    aborted: CancellationToken,
) -> BoxStream<'static, Said> {
    let (permit, word) = Permit::pair();
    let call = ToolCall { id: ID.into(), name: ID.into(), params: json!({}), permit };
    let after = async move {
        let word = tokio::select! {
            () = aborted.cancelled() => return stream::empty().boxed(),
            word = word => word,
        };
        match word {
            Ok(Verdict::Allow(_)) => run.flat_map(|said| stream::iter(with_end(said))).boxed(),
            Ok(Verdict::Deny(reason)) => refused(reason),
            Err(_) => refused("nobody permitted it".into()),
        }
    };
    stream::iter([Ok(Delta::ToolStart(call))]).chain(after.flatten_stream()).boxed()
}

fn with_end(said: Said) -> impl Iterator<Item = Said> {
    let failed = match &said {
        Ok(Delta::Done { .. }) => Some(false),
        Err(_) => Some(true),
        Ok(_) => None,
    };
    failed.map(|failed| Ok(Delta::ToolEnd { id: ID.into(), failed })).into_iter().chain([said])
}

fn refused(reason: String) -> BoxStream<'static, Said> {
    stream::iter([Err(AgentError::Failed(format!("the program may not run: {reason}")))]).boxed()
}
