//! The log: text or JSON, on standard error or in a file.
//!
//! Lines name sessions, channels and turns as fields. No line contains message texts or secrets. An event is one line:
//! everything that comes from outside (the output of programs, answers of platforms, names) is escaped where lines are
//! written, so that it can neither look like another line nor control a terminal.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};

use frontdesk::StartError;
use frontdesk::config::{Format, Level, Log};
use frontdesk::home::Home;
use frontdesk_core::visible;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::fmt::{FormatFields, MakeWriter};
use tracing_subscriber::reload::Handle;

/// Sets the level of the log while the program runs.
pub type SetLevel = Arc<dyn Fn(Level) + Send + Sync>;

/// Starts logging.
pub fn start(log: &Log, home: &Home, verbose: bool) -> Result<SetLevel, StartError> {
    let (writer, colours) = match &log.file {
        None => {
            (BoxMakeWriter::new(std::io::stderr), std::io::stderr().is_terminal() && no_color().is_none())
        }
        Some(file) => {
            let path = home.path().join(file);
            let file = open(&path).map_err(|source| StartError::Log { path, source })?;
            (BoxMakeWriter::new(Mutex::new(file)), false)
        }
    };
    let writer = Escaped { writer, json: log.format == Format::Json, colours };
    let lines = tracing_subscriber::fmt().with_env_filter(filter(log.level, verbose)).with_writer(writer);
    // A subscriber that was set earlier stays.
    let (set, level) = match log.format {
        Format::Text => {
            let lines = lines.with_ansi(colours).with_target(false).fmt_fields(fields());
            let lines = lines.with_filter_reloading();
            let level = level_of(lines.reload_handle(), verbose);
            (lines.try_init(), level)
        }
        Format::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true).with_span_list(false);
            let lines = lines.with_filter_reloading();
            let level = level_of(lines.reload_handle(), verbose);
            (lines.try_init(), level)
        }
    };
    if let Err(error) = set {
        tracing::debug!(%error, "a log subscriber was set earlier");
    }
    Ok(level)
}

/// Opens the log file. A FIFO that nobody reads would block the start, and later every line.
fn open(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a FIFO, and logging would wait for its reader",
        ));
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn level_of<S: 'static>(handle: Handle<EnvFilter, S>, verbose: bool) -> SetLevel {
    Arc::new(move |level| {
        if let Err(error) = handle.reload(filter(level, verbose)) {
            tracing::warn!(%error, "the level of the log was not changed");
        }
    })
}

/// Formats `message name=value ...` with every value escaped, so that all colours in a line are the formatter's.
fn fields() -> impl for<'w> FormatFields<'w> + 'static {
    let one = |writer: &mut Writer<'_>, field: &Field, value: &dyn Debug| {
        let value = escaped(&format!("{value:?}"), false);
        match field.name() {
            "message" => writer.write_str(&value),
            name => write!(writer, "{name}={value}"),
        }
    };
    debug_fn(one).delimited(" ")
}

/// Writes each event as one line, with control, invisible and bidirectional characters escaped.
struct Escaped<M> {
    writer: M,
    json: bool,
    /// Whether the formatter writes colours into the line.
    colours: bool,
}

impl<'w, M: MakeWriter<'w>> MakeWriter<'w> for Escaped<M> {
    type Writer = EscapedLine<M::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        EscapedLine { inner: self.writer.make_writer(), json: self.json, colours: self.colours }
    }
}

/// The writer of one event; the subscriber writes each event with one call.
struct EscapedLine<W> {
    inner: W,
    json: bool,
    colours: bool,
}

impl<W: Write> Write for EscapedLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        let line = if self.json { visible::json(line).into_owned() } else { escaped(line, self.colours) };
        self.inner.write_all(format!("{line}{end}").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn escaped(line: &str, colours: bool) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let own = if colours { colour(rest) } else { 0 };
        if own > 0 {
            shown.push_str(&rest[..own]);
            rest = &rest[own..];
        } else {
            visible::push(&mut shown, c);
            rest = &rest[c.len_utf8()..];
        }
    }
    shown
}

/// The length of a colour sequence at the beginning of a text; 0 if there is none.
fn colour(text: &str) -> usize {
    let Some(codes) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = codes.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    if codes.as_bytes().get(end) == Some(&b'm') { 2 + end + 1 } else { 0 }
}

fn no_color() -> Option<String> {
    super::env("NO_COLOR").filter(|value| !value.is_empty())
}

/// RUST_LOG, else the configured level; libraries log warnings and errors only.
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
    // The library of the agents' tools warns with the whole text of what an agent has sent.
    format!("{others},rmcp=error,frontdesk={}", level.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the log is written to in these tests.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the log makes of one event whose fields, message and error come from outside.
    fn logged(json: bool, colours: bool) -> String {
        let kept = Kept::default();
        let writer = {
            let kept = kept.clone();
            move || kept.clone()
        };
        let lines = tracing_subscriber::fmt().with_writer(Escaped { writer, json, colours }).without_time();
        let outside = "a\r\nWARN forged\u{1b}[31mred\u{9b}2J\u{202e}\u{2028}b";
        let event = || tracing::warn!(name = outside, error = %outside, "stderr: {outside}");
        if json {
            tracing::subscriber::with_default(lines.json().finish(), event);
        } else {
            let lines = lines.with_ansi(colours).fmt_fields(fields());
            tracing::subscriber::with_default(lines.finish(), event);
        }
        kept.text()
    }

    #[test]
    fn nothing_from_outside_forges_a_line_or_steers_the_terminal() {
        for (json, colours) in [(false, false), (false, true), (true, false)] {
            let log = logged(json, colours);
            assert_eq!((log.matches('\n').count(), log.ends_with('\n')), (1, true), "{log:?}");
            assert!(log.matches("forged").count() == 3 && !log.contains("\u{1b}[31m"), "{log:?}");
            let odd = |c: char| visible::is_deceptive(c) && c != '\n' && !(colours && c == '\u{1b}');
            assert!(!log.contains(odd), "{log:?}");
        }
        assert!(logged(false, true).contains("\u{1b}[33m"), "the formatter's colours stay");
        let line: serde_json::Value = serde_json::from_str(&logged(true, false)).unwrap();
        assert!(
            line["fields"]["name"].as_str().unwrap().contains("\u{9b}2J"),
            "JSON keeps the value: {line}"
        );
    }

    /// Which of some events are in the log.
    fn shown(level: Level, verbose: bool) -> String {
        let kept = Kept::default();
        let writer = {
            let kept = kept.clone();
            move || kept.clone()
        };
        let lines = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).without_time();
        let lines = lines.with_level(false).with_target(false);
        let lines = lines.with_env_filter(EnvFilter::new(directives(level, verbose))).finish();
        tracing::subscriber::with_default(lines, || {
            tracing::warn!(target: "rmcp::service", "what an agent has sent");
            tracing::warn!(target: "hyper", "library");
            tracing::error!(target: "frontdesk_runtime::turn", "error");
            tracing::info!(target: "frontdesk_runtime::turn", "info");
            tracing::debug!(target: "frontdesk_runtime::turn", "debug");
            tracing::trace!(target: "frontdesk_runtime::turn", "trace");
        });
        kept.text().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_log_shows_the_level_of_the_gateway_and_nothing_that_an_agent_has_sent() {
        assert_eq!(shown(Level::Info, false), "library error info");
        assert_eq!(shown(Level::Error, false), "error");
        assert_eq!(shown(Level::Error, true), "library error info debug");
        assert_eq!(shown(Level::Trace, true), "library error info debug trace", "verbose never says less");
    }
}
