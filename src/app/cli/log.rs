//! The log: lines for people or for machines, on standard error or in a file.
//!
//! What is logged names sessions, channels and turns as fields. Texts and secrets are in no line.

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;

use frontdesk::StartError;
use frontdesk::config::{Format, Level, Log};
use frontdesk::home::Home;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Begins to log.
pub fn begin(log: &Log, home: &Home, verbose: bool) -> Result<(), StartError> {
    let (writer, colours) = match &log.file {
        None => {
            (BoxMakeWriter::new(std::io::stderr), std::io::stderr().is_terminal() && no_color().is_none())
        }
        Some(file) => {
            let path = home.path().join(file);
            let open = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
            let file = open.map_err(|source| StartError::Log { path, source })?;
            (BoxMakeWriter::new(Mutex::new(file)), false)
        }
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter(log.level, verbose)).with_writer(writer);
    // A subscriber that somebody set before us stays.
    let set = match log.format {
        Format::Text => lines.with_ansi(colours).with_target(false).try_init(),
        Format::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
    };
    if let Err(error) = set {
        tracing::debug!(%error, "the log was set up before");
    }
    Ok(())
}

fn no_color() -> Option<String> {
    super::env("NO_COLOR").filter(|value| !value.is_empty())
}

/// RUST_LOG, else our own level; libraries speak up only when something is wrong.
fn filter(level: Level, verbose: bool) -> EnvFilter {
    let wanted = super::env("RUST_LOG").filter(|wanted| !wanted.is_empty());
    let own = || EnvFilter::new(directives(level, verbose));
    wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or_else(own)
}

fn directives(level: Level, verbose: bool) -> String {
    let level = match level {
        Level::Error | Level::Warn | Level::Info if verbose => Level::Debug,
        level => level,
    };
    let others = if level == Level::Error { "error" } else { "warn" };
    format!("{others},frontdesk={}", level.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_never_says_less_than_the_configuration() {
        assert_eq!(directives(Level::Info, false), "warn,frontdesk=info");
        assert_eq!(directives(Level::Error, true), "warn,frontdesk=debug");
        assert_eq!(directives(Level::Trace, true), "warn,frontdesk=trace");
        assert_eq!(directives(Level::Error, false), "error,frontdesk=error");
    }
}
