//! What is sent of an answer: its text as the platform takes it, and its files.

use std::path::{Path, PathBuf};

use frontdesk_core::blank::is_visible;
use frontdesk_core::hook::{HookEvent, HookPoint, HookVerdict};
use frontdesk_core::markup::Part;
use frontdesk_core::retry::is_shortage;
use frontdesk_core::{prompt, terminal};
use frontdesk_store::row::OutgoingFile;

use super::Run;
use crate::flow::Silence;
use crate::media::{self, MediaError, SHORTAGE_PAUSE};

/// What a chat is shown in place of nothing.
const NOTHING: &str = "(The agent had nothing to say.)";
/// So many files go with one answer.
const FILES: usize = 20;

/// How often the files of one answer are tried again, all together, that could not be copied because the machine had too
/// little of something: the turn is deaf to /stop meanwhile.
const SHORTAGE_CHANCES: u32 = 10;

/// An answer on its way.
pub(super) struct Said {
    /// As it is kept in the history.
    pub(super) answer: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) media: Vec<OutgoingFile>,
}

/// Files that the agent wants to send, in its order.
#[derive(Default)]
pub(super) struct Files {
    named: Vec<(PathBuf, Option<String>)>,
    /// More than may go.
    over: bool,
}

impl Files {
    pub(super) fn add(&mut self, path: PathBuf, caption: Option<String>) {
        match self.named.len() < FILES {
            true => self.named.push((path, caption)),
            false => self.over = true,
        }
    }
}

impl Run<'_> {
    /// What is sent. A hook has the last word, before anything is split or taken out. Nothing that only a terminal
    /// understands is kept or sent, whoever wrote it.
    pub(super) async fn said(&mut self, text: String) -> Said {
        let text = terminal::plain(&text).into_owned();
        let Some(heard) = self.last_word(&text).await else {
            return Said { answer: Some(text), parts: Vec::new(), media: Vec::new() };
        };
        let heard = terminal::plain(&heard).into_owned();
        let (mut body, lines) = media::without_files(&heard);
        let silence = Silence::of(&self.turn.session).is(&body);
        // The agent's own words, also where a hook has others.
        let mut answer = if heard == text { body.clone() } else { text };
        if silence {
            body.clear();
        }
        for path in lines {
            self.files.add(path, None);
        }
        let (media, remarks) = self.adopted().await;
        for remark in remarks {
            append(&mut body, &remark);
            append(&mut answer, &remark);
        }
        let parts = match self.rendered(&body) {
            parts if parts.is_empty() && !silence && media.is_empty() => self.rendered(NOTHING),
            parts => parts,
        };
        // A message that was begun keeps what it showed: the word for silence is for nobody's eyes.
        let answer = Some(answer).filter(|_| !(silence && self.flow.is_posted()));
        Said { answer, parts, media }
    }

    /// What a hook makes of it; `None` if it is not to be sent.
    async fn last_word(&mut self, text: &str) -> Option<String> {
        if !self.shared.hooks.any(HookPoint::MessageSending) {
            return Some(text.to_owned());
        }
        let moment = HookEvent::at(HookPoint::MessageSending, Some(&self.turn.session)).with_text(text);
        let asked = self.shared.hooks.ask(moment).await;
        (!matches!(asked.end, Some(HookVerdict::Drop(_)))).then_some(asked.moment.text)
    }

    /// The files that can be sent, and a sentence for each reason why others cannot.
    async fn adopted(&mut self) -> (Vec<OutgoingFile>, Vec<String>) {
        let Files { named, over } = std::mem::take(&mut self.files);
        let (mut media, mut remarks) = (Vec::new(), Vec::new());
        let mut chances = SHORTAGE_CHANCES;
        for (path, caption) in named {
            match self.adopt(&path, caption.as_deref(), &mut chances).await {
                Ok(file) => media.push(file),
                Err(error) => {
                    self.warn(&path, &error);
                    remarks.push(remark(&path, &error));
                    // The words are worth having without the file.
                    remarks.extend(caption);
                }
            }
        }
        if over {
            remarks.push(format!("(Some files were not sent: an answer carries at most {FILES}.)"));
        }
        remarks.dedup();
        (media, remarks)
    }

    /// Takes a file over. A machine that has too little of something for it is given the chances that are left.
    async fn adopt(
        &mut self,
        path: &Path,
        caption: Option<&str>,
        chances: &mut u32,
    ) -> Result<OutgoingFile, MediaError> {
        let shared = self.shared;
        let connection = shared.adapters.at(&self.turn.address).ok_or(MediaError::NotHere)?;
        loop {
            match shared.media.adopt(path, caption, connection.adapter.profile()).await {
                Err(MediaError::Disk(error)) if is_shortage(&error) && *chances > 0 => *chances -= 1,
                ended => return ended,
            }
            shared.time.sleep(SHORTAGE_PAUSE).await;
        }
    }

    fn warn(&self, path: &Path, error: &MediaError) {
        // The agent's own words, and perhaps an attacker's: no more of them than tells which file is meant.
        let file: String = prompt::sanitized(&path.to_string_lossy()).chars().take(60).collect();
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let (turn, session) = (self.turn.claim.id, &self.turn.session);
        tracing::warn!(%turn, %session, file, %error, cause, "a file of an answer is not sent");
    }

    fn rendered(&self, text: &str) -> Vec<Part> {
        match self.shared.adapters.at(&self.turn.address) {
            Some(connection) => connection.adapter.profile().render(text),
            // Not configured any more: kept as written until it comes back.
            None if !is_visible(text) => Vec::new(),
            None => vec![Part { key: 0, body: text.to_owned(), plain: text.to_owned() }],
        }
    }
}

/// What the chat is told of a file that is not sent.
fn remark(path: &Path, error: &MediaError) -> String {
    let name = path.file_name().map(|name| prompt::sanitized(&name.to_string_lossy()).replace('`', "'"));
    match (error, name) {
        (MediaError::NotHere, Some(name)) => {
            format!("(This chat takes no files, so one was not sent: `{name}`)")
        }
        _ => format!("(A file could not be sent: {error}.)"),
    }
}

fn append(text: &mut String, paragraph: &str) {
    if !text.trim().is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(paragraph);
}
