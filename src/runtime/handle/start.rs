//! What an agent does after each start of the gateway.

use frontdesk_core::task::TaskSource;

use super::{GatewayError, GatewayHandle, TaskPlace, TaskRequest};

/// What the agent is told above the text of the file.
const PREFACE: &str = "The gateway has just started. Nobody is waiting for you: do what the following file says, and reply with what \
                       its author should know, in few words. If there is nothing, reply with NO_REPLY and nothing else.";

impl GatewayHandle {
    /// Hands the file for starts over to an agent, if there is one. The answer goes to the chat of the heartbeat. Once for
    /// each start, and not while the task of an earlier start has not ended, so that a crash loop does not pile them up.
    pub(crate) async fn begin_start_task(&self) -> Result<(), GatewayError> {
        let shared = &self.0;
        let settings = shared.settings();
        let config = &settings.config.heartbeat;
        if !config.enabled {
            return Ok(());
        }
        let Some(text) = shared.instructions.start(config.boot_file.as_deref()).await else { return Ok(()) };
        let Some(to) = shared.heartbeat_chat(&settings) else { return Ok(()) };
        if shared.store.has_open_task(TaskSource::Start).await? {
            return Ok(());
        }
        let task = TaskRequest {
            owner: shared.work.jobs.operator.clone(),
            // The configuration names the chat.
            operator: true,
            source: TaskSource::Start,
            key: Some(format!("start:{}", shared.process.boot)),
            text: format!("{PREFACE}\n\n{text}"),
            files: Vec::new(),
            title: Some("after the start".to_owned()),
            agent: config.agent.clone(),
            place: TaskPlace::Chat(to),
            limit: None,
        };
        self.submit_task(task).await.map(drop)
    }
}
