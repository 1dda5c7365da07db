//! One row of a conversation, and how it looks.

use chrono::{DateTime, Utc};
use ratatui::text::{Line, Span};

use super::markdown;
use super::text::{clean_line, indented};
use super::theme::Theme;

/// What a row is about. An id of the gateway stands for at most one row of each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowId {
    /// A message, `m1`.
    Message(String),
    /// The answer to a message, or the beginning of it.
    Answer(String),
    /// A notice or a message of a program, by its number in the session.
    Seq(u64),
    /// The beginning of a conversation.
    Epoch(u64),
    /// A question, `a1`.
    Ask(String),
    /// A background task, `b1`.
    Task(String),
    /// A message that the gateway has not accepted yet, by the client's id.
    Unsent(String),
}

/// How a row looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// What a person has written.
    Mine,
    /// What the agent or a program has written.
    Theirs,
    /// What the gateway says.
    Notice,
    /// A line across the conversation.
    Divider,
    /// A question to a person.
    Ask,
    /// A background task.
    Task,
}

/// Names a row for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey(pub(super) u64);

/// One row.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub(super) key: RowKey,
    /// What it is about.
    pub id: Option<RowId>,
    /// How it looks.
    pub kind: RowKind,
    /// Whose it is, as a title above the text.
    pub title: String,
    text: String,
    note: String,
    at: Option<DateTime<Utc>>,
    /// Whether its text is complete.
    pub is_done: bool,
    /// Whether it says that something has failed.
    pub is_bad: bool,
    /// The message that a notice is about.
    pub about: Option<String>,
    drawn: Option<Drawn>,
}

/// The lines of a row at one width.
#[derive(Debug)]
struct Drawn {
    columns: usize,
    lines: Vec<Line<'static>>,
}

/// What stands before each line of a text below its title.
const INDENT: &str = "  ";

impl Row {
    /// A row without an id.
    pub fn new(kind: RowKind, title: impl Into<String>) -> Row {
        Row {
            key: RowKey(0),
            id: None,
            kind,
            title: title.into(),
            text: String::new(),
            note: String::new(),
            at: None,
            is_done: false,
            is_bad: false,
            about: None,
            drawn: None,
        }
    }

    /// With this id.
    pub fn id(mut self, id: RowId) -> Row {
        self.id = Some(id);
        self
    }

    /// With this text.
    pub fn text(mut self, text: impl Into<String>) -> Row {
        self.text = text.into();
        self
    }

    /// With this note.
    pub fn note(mut self, note: impl Into<String>) -> Row {
        self.note = note.into();
        self
    }

    /// Written at this time.
    pub fn at(mut self, at: Option<DateTime<Utc>>) -> Row {
        self.at = at;
        self
    }

    /// Its text as it was written.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The note below its text.
    pub fn note_text(&self) -> &str {
        &self.note
    }

    /// Replaces the text.
    pub fn set_text(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.drawn = None;
    }

    /// Adds to the text.
    pub fn push_text(&mut self, more: &str) {
        self.text.push_str(more);
        self.drawn = None;
    }

    /// Replaces the note.
    pub fn set_note(&mut self, note: impl Into<String>) {
        self.note = note.into();
        self.drawn = None;
    }

    /// Says whether it tells of a failure.
    pub fn set_bad(&mut self, is_bad: bool) {
        self.is_bad = is_bad;
        self.drawn = None;
    }

    /// Its lines at this width.
    pub fn draw(&mut self, columns: usize, look: &Look) -> &[Line<'static>] {
        if self.drawn.as_ref().is_none_or(|drawn| drawn.columns != columns) {
            let lines = self.lines(columns, look);
            self.drawn = Some(Drawn { columns, lines });
        }
        self.drawn.as_ref().map_or(&[], |drawn| &drawn.lines)
    }

    fn lines(&self, columns: usize, look: &Look) -> Vec<Line<'static>> {
        let theme = look.theme;
        if self.kind == RowKind::Divider {
            return vec![divider(&clean_line(&self.text), columns, theme), Line::default()];
        }
        let style = match self.kind {
            _ if self.is_bad => theme.bad(),
            RowKind::Mine => theme.me(),
            RowKind::Theirs | RowKind::Divider => theme.agent(),
            RowKind::Notice | RowKind::Ask | RowKind::Task => theme.notice(),
        };
        let mut title = vec![Span::styled(clean_line(&self.title), style)];
        if let Some(at) = self.at {
            let time = at.with_timezone(&look.zone).format("%H:%M");
            title.push(Span::styled(format!("  {time}"), theme.dim()));
        }
        let mut lines = vec![Line::from(title)];
        match self.kind {
            RowKind::Mine | RowKind::Task => {
                lines.extend(indented(&self.text, ratatui::style::Style::new(), INDENT, columns));
            }
            _ if self.text.is_empty() => {}
            _ => lines.extend(markdown::lines(&self.text, INDENT, columns, theme)),
        }
        if !self.note.is_empty() {
            let style = if self.is_bad { theme.bad() } else { theme.dim() };
            lines.extend(indented(&self.note, style, INDENT, columns));
        }
        lines.push(Line::default());
        lines
    }
}

fn divider(text: &str, columns: usize, theme: Theme) -> Line<'static> {
    let text = super::text::cut(text, columns.saturating_sub(6));
    let left = columns.saturating_sub(super::text::width(&text) + 5);
    Line::styled(format!("── {text} {}", "─".repeat(left)), theme.dim())
}

/// How rows are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Their colours.
    pub theme: Theme,
    /// The time zone of their times.
    pub zone: chrono_tz::Tz,
}
