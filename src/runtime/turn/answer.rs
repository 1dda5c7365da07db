//! Turns an answer into the parts and files that are sent.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::Ending;
use frontdesk_core::markup::{Part, followed_by};
use frontdesk_core::retry::is_shortage;
use frontdesk_core::visible::{is_visible, quoted_label};
use frontdesk_core::{prompt, terminal};
use frontdesk_store::row::{Finish, OutgoingFile, Renderer, Withheld};

use super::TurnRun;
use crate::flow::Silence;
use crate::media::{self, MediaError, SHORTAGE_PAUSE};

/// Sent in place of an empty answer.
const NOTHING: &str = "(The agent had nothing to say.)";
/// Maximum number of files per answer.
const FILES: usize = 20;

/// Maximum number of retries for all files of one answer that could not be copied because the machine ran short of
/// resources. The turn cannot be stopped meanwhile.
const SHORTAGE_RETRIES: u32 = 10;

/// Files that the agent wants to send, in its order.
#[derive(Default)]
pub(super) struct AnswerFiles {
    named: Vec<(PathBuf, Option<String>)>,
    /// Whether there were more than [`FILES`].
    over: bool,
}

impl AnswerFiles {
    pub(super) fn add(&mut self, path: PathBuf, caption: Option<String>) {
        match self.named.len() < FILES {
            true => self.named.push((path, caption)),
            false => self.over = true,
        }
    }
}

/// What became of the files of an answer.
#[derive(Default)]
struct Adopted {
    /// Those that can be sent.
    files: Vec<OutgoingFile>,
    /// One sentence for each reason why others cannot.
    remarks: Vec<String>,
    /// Captions that hooks keep from being sent, with their files.
    withheld: Vec<Withheld>,
}

impl TurnRun<'_> {
    /// The end of a turn with this answer. Hooks see the text before it is split, without the names of files, and each
    /// caption. Terminal sequences are removed from the agent's and the hooks' texts.
    pub(super) async fn answered(&mut self, text: String, end: AnswerEnd) -> Finish {
        let bare = Finish { end, ..self.bare(Ending::Answered) };
        let text = terminal::plain(&text).into_owned();
        let (mut body, lines) = media::without_files(&text);
        let mut own = None;
        // What has become of a task or a run, and what to do about it, is said above its text.
        let is_told = self.turn.works_in_background() && end.is_failure();
        if let Some(remark) = end.remark().filter(|_| !is_told) {
            own = Some(if is_visible(&body) { body.len() as u64 } else { 0 });
            append(&mut body, remark);
        }
        let silence = Silence::of(&self.turn.session).is(&body);
        let mut answer = body.clone();
        if silence {
            body.clear();
        }
        for path in lines {
            self.files.add(path, None);
        }
        let Adopted { files: media, remarks, mut withheld } = self.adopted().await;
        for remark in remarks {
            append(&mut body, &remark);
            append(&mut answer, &remark);
        }
        if self.turn.works_in_background() {
            return self.result(body, media, bare).await;
        }
        // An agent that has sent a message by a tool, or that calls a tool of the client, need not say anything more.
        let has_acted = self.has_sent.load(Ordering::Relaxed)
            || self.shared.work.client_tools.are_called(&self.turn.session);
        let silence = silence || !is_visible(&body) && has_acted;
        let (mut parts, shown) = match self.rendered(&body) {
            parts if parts.is_empty() && !silence && media.is_empty() && withheld.is_empty() => {
                (self.rendered(NOTHING), NOTHING.to_owned())
            }
            parts => (parts, body),
        };
        if !parts.is_empty() {
            match self.sending(shown.clone()).await {
                Ok(text) if text == shown => {}
                // The history keeps what the chat shows.
                Ok(text) => {
                    parts = self.rendered(&text);
                    (answer, own) = (text, None);
                }
                Err(kept) => {
                    withheld.insert(0, kept);
                    return Finish { withheld, ..bare };
                }
            }
        }
        // If a message was posted before, the history keeps what it showed and not `NO_REPLY`.
        let answer = Some(answer).filter(|_| !(silence && self.flow.is_posted()));
        Finish { answer, own, parts, media, withheld, ..bare }
    }

    /// The end of a task or a run with this result. The transaction that ends it makes the message for the chat, which hooks see before
    /// it is sent.
    async fn result(&mut self, text: String, mut media: Vec<OutgoingFile>, bare: Finish) -> Finish {
        let shown = match self.shortened(&text).await {
            Some((shown, file)) => {
                media.push(file);
                Some(shown)
            }
            None => None,
        };
        Finish { answer: Some(text), shown, media, ..bare }
    }

    /// Copies the files that the agent named, and shows their captions to hooks.
    async fn adopted(&mut self) -> Adopted {
        let AnswerFiles { named, over } = std::mem::take(&mut self.files);
        let Adopted { mut files, mut remarks, mut withheld } = Adopted::default();
        let mut retries = SHORTAGE_RETRIES;
        for (path, caption) in named {
            let seen = match caption.clone() {
                Some(caption) => match self.sending(caption).await {
                    Ok(seen) => Some(seen),
                    Err(kept) => {
                        withheld.push(kept);
                        continue;
                    }
                },
                None => None,
            };
            match self.adopt(&path, seen.as_deref(), &mut retries).await {
                Ok(file) => files.push(file),
                Err(error) => {
                    self.warn(&path, &error);
                    remarks.push(remark(&path, &error));
                    // The caption is sent without the file.
                    remarks.extend(caption);
                }
            }
        }
        if over {
            remarks.push(format!("(Some files were not sent: an answer carries at most {FILES}.)"));
        }
        remarks.dedup();
        if let Some(profile) = self.shared.renderer.profile(&self.turn.address) {
            media::join(&mut files, &profile);
        }
        Adopted { files, remarks, withheld }
    }

    /// Copies a file into the media folder, with the retries that are left if the machine runs short of resources.
    async fn adopt(
        &mut self,
        path: &Path,
        caption: Option<&str>,
        retries: &mut u32,
    ) -> Result<OutgoingFile, MediaError> {
        let shared = self.shared;
        let profile = shared.renderer.profile(&self.turn.address).ok_or(MediaError::NotHere)?;
        loop {
            match shared.media.adopt(path, caption, &profile).await {
                Err(MediaError::Disk(error)) if is_shortage(&error) && *retries > 0 => *retries -= 1,
                ended => return ended,
            }
            shared.time.sleep(SHORTAGE_PAUSE).await;
        }
    }

    fn warn(&self, path: &Path, error: &MediaError) {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let (turn, session) = (self.turn.claim.id, &self.turn.session);
        tracing::warn!(%turn, %session, %error, cause, "a file of an answer is not sent");
        // The name is the agent's own text, which may quote a message.
        let file: String = prompt::sanitized(&path.to_string_lossy()).chars().take(60).collect();
        tracing::debug!(%turn, file, "the name of that file");
    }

    pub(super) fn rendered(&self, text: &str) -> Vec<Part> {
        self.shared.renderer.parts(&self.turn.address, text)
    }
}

/// The sentence in the chat about a file that is not sent.
fn remark(path: &Path, error: &MediaError) -> String {
    let name = path.file_name().map(|name| quoted_label(&name.to_string_lossy()));
    match (error, name) {
        (MediaError::NotHere, Some(name)) => {
            format!("(This chat takes no files, so one was not sent: {name})")
        }
        _ => format!("(A file could not be sent: {error}.)"),
    }
}

fn append(text: &mut String, paragraph: &str) {
    *text = match text.trim().is_empty() {
        true => paragraph.to_owned(),
        false => followed_by(text, paragraph),
    };
}
