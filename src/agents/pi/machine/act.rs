//! What a run is asked for, what it wants done, and how it ends.

use serde_json::Value;

use crate::pi::answer::Report;
use crate::pi::wire::{Image, UiRequest};

/// What pi is asked for.
pub(in crate::pi) enum Goal {
    Answer {
        text: String,
        images: Vec<Image>,
        facts: String,
    },
    Compact(Option<String>),
    /// Only that it is ready.
    Ready,
}

/// What the caller of the machine has to do next.
#[derive(Debug, PartialEq)]
pub(in crate::pi) enum Act {
    Write(Value),
    Report(Report),
    /// An extension asks something.
    Ask(UiRequest),
    /// A tool wants to begin.
    Permit {
        dialog: String,
        call: PiCall,
        /// Whether it is one of the gateway's own tools.
        ours: bool,
    },
    /// One of the gateway's own tools is called.
    Call {
        dialog: String,
        name: String,
        params: Value,
    },
    /// Whether the steering message with this number became part of the run.
    Steered(u64, bool),
    /// For the log.
    Note(Note),
    End(End),
}

/// A tool call as pi names it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pi) struct PiCall {
    pub(in crate::pi) id: String,
    pub(in crate::pi) name: String,
    pub(in crate::pi) params: Value,
}

/// Something for the log.
#[derive(Debug, PartialEq)]
pub(in crate::pi) enum Note {
    Notification { kind: String, text: String },
    ExtensionError { path: String, event: String, error: String },
    CommandFailed { command: &'static str, error: String },
}

/// How the run has ended.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pi) enum End {
    /// With the text that was reported, or with this one.
    Answered(Option<String>),
    Compacted {
        summary: Option<String>,
        tokens: Option<u64>,
    },
    Ready,
    Failed(String),
    /// The provider of the model does not work; pi has tried several times.
    Unavailable(String),
    /// As it was asked to.
    Aborted,
    /// pi cannot be used any more.
    Broken(String),
}
