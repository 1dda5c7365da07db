//! Asks for approval of a run that counts as a tool call, before the program gets the prompt.

use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, Delta, ToolApproval, ToolCall, ToolDecision};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::json;
use tokio_util::sync::CancellationToken;

type DeltaResult = Result<Delta, AgentError>;

const ID: &str = "program";

/// Asks for approval and starts the run once it is given. The end of the run is reported as the end of the tool call.
/// `aborted` ends the wait for approval; after that the run handles aborts itself.
pub(super) fn ask_first(
    run: BoxStream<'static, DeltaResult>,
    aborted: CancellationToken,
) -> BoxStream<'static, DeltaResult> {
    let (approval, decision) = ToolApproval::channel();
    let call = ToolCall { id: ID.into(), name: ID.into(), params: json!({}), approval };
    let after = async move {
        let decision = tokio::select! {
            () = aborted.cancelled() => return stream::empty().boxed(),
            decision = decision => decision,
        };
        match decision {
            Ok(ToolDecision::Allow(_)) => run.flat_map(|delta| stream::iter(with_end(delta))).boxed(),
            Ok(ToolDecision::Deny(reason)) => refused(reason),
            Err(_) => refused("the gateway gave no approval".into()),
        }
    };
    stream::iter([Ok(Delta::ToolStart(call))]).chain(after.flatten_stream()).boxed()
}

fn with_end(delta: DeltaResult) -> impl Iterator<Item = DeltaResult> {
    let failed = match &delta {
        Ok(Delta::Done { .. }) => Some(false),
        Err(_) => Some(true),
        Ok(_) => None,
    };
    failed
        .map(|failed| Ok(Delta::ToolEnd { id: ID.into(), name: ID.into(), result: String::new(), failed }))
        .into_iter()
        .chain([delta])
}

fn refused(reason: String) -> BoxStream<'static, DeltaResult> {
    stream::iter([Err(AgentError::Failed(Cause::quoting("the program may not run", reason)))]).boxed()
}
