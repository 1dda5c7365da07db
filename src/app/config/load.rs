//! Reads a file into a checked configuration.

use std::path::{Path, PathBuf};

use frontdesk_core::config::{ConfigError, join};
use frontdesk_kit::Channel;
use serde_json::Value as Json;

use super::Config;
use super::defaults::fill;
use super::environment;
use super::inherit::inherit;
use super::interpolate::{Lookup, interpolate};
use super::problem::{Problem, Problems};
use super::schema::{self, Schema};
use super::secret;
use super::syntax::Syntax;
use super::walk::walk;
use crate::adapters::registry;
use crate::channels::Channels;
use crate::document::Node;
use crate::regular_file;

/// Maximum size of a configuration file, in bytes.
pub(crate) const LARGEST: u64 = 4 * 1024 * 1024;

/// A configuration and the document it was read from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked values.
    pub config: Config,
    /// The file; `None` if there is none and all values are defaults.
    pub file: Option<PathBuf>,
    /// The document, from which the configuration is shown.
    pub document: Node,
}

/// How to read a text.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// TOML or JSONC.
    pub syntax: Syntax,
    /// The folder at which relative paths of secrets start.
    pub folder: &'a Path,
    /// The environment.
    pub env: Lookup<'a>,
    /// Agents and channels that are not in the text.
    pub more: &'a More,
    /// Told what is waited for, in one sentence, if a secret's command takes longer than two seconds.
    pub still_waits: &'a dyn Fn(&str),
}

/// Agents and channels that a program using the library adds, and that the configuration may name.
#[derive(Debug, Clone, Default)]
pub struct More {
    /// Names of agents.
    pub agents: Vec<String>,
    /// Names of channels without a section.
    pub channels: Vec<String>,
    /// Channels with a section.
    pub platforms: Vec<Channel>,
}

/// Reads and checks a file.
pub fn load(file: &Path, env: Lookup<'_>) -> Result<Loaded, Problems> {
    load_with(file, env, &More::default())
}

/// Reads and checks a file for a gateway with additional agents and channels.
pub fn load_with(file: &Path, env: Lookup<'_>, more: &More) -> Result<Loaded, Problems> {
    load_telling(file, env, more, &log_wait)
}

/// Logs what is waited for.
pub fn log_wait(what: &str) {
    tracing::warn!("{what}");
}

/// Like [`load_with`]; `still_waits` is told what is waited for, instead of the log.
pub fn load_telling(
    file: &Path,
    env: Lookup<'_>,
    more: &More,
    still_waits: &dyn Fn(&str),
) -> Result<Loaded, Problems> {
    let (loaded, problems) = load_unchecked(file, env, more, still_waits)?;
    if problems.is_empty() { Ok(loaded) } else { Err(Problems { file: loaded.file, problems }) }
}

/// Like [`load_telling`], for commands that help to correct a configuration: if the file could be read, what the checks
/// of its values say is no error, and is returned.
pub fn load_unchecked(
    file: &Path,
    env: Lookup<'_>,
    more: &More,
    still_waits: &dyn Fn(&str),
) -> Result<(Loaded, Vec<Problem>), Problems> {
    let at_file = |problems| Problems { file: Some(file.to_owned()), problems };
    let unreadable = |error| ConfigError::new("", format!("the configuration cannot be read: {error}"));
    let text =
        regular_file::read_text(file, LARGEST).map_err(|error| at_file(vec![unreadable(error).into()]))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let reading = Reading { syntax: Syntax::of(file), folder, env, more, still_waits };
    let (config, document, problems) = parse_unchecked(&text, reading).map_err(at_file)?;
    Ok((Loaded { config, file: Some(file.to_owned()), document }, problems))
}

/// Reads and checks a text. Every error is reported, not only the first.
pub fn parse(text: &str, reading: Reading<'_>) -> Result<(Config, Node), Vec<Problem>> {
    let (config, document, problems) = parse_unchecked(text, reading)?;
    if problems.is_empty() { Ok((config, document)) } else { Err(problems) }
}

/// Reads a text, and says what the checks of its values found.
pub fn parse_unchecked(
    text: &str,
    reading: Reading<'_>,
) -> Result<(Config, Node, Vec<Problem>), Vec<Problem>> {
    let mut document = reading.syntax.parse(text).map_err(|problem| vec![problem])?;
    environment::add_agent(&mut document, reading.env).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    interpolate(&mut document, reading.env, &mut problems);
    let platforms: Vec<Channel> =
        registry().into_iter().chain(reading.more.platforms.iter().copied()).collect();
    inherit(&platforms, &mut document);
    let schema = schema::with(&reading.more.platforms);
    let schema = Schema::root(&schema);
    let mut values = walk(schema, &document, &mut problems);
    if problems.is_empty() {
        let mut secrets = Secrets { document: &document, reading, problems: &mut problems };
        secrets.resolve(schema, &mut values, "");
    }
    let values = fill(schema, Some(&values));
    let mut config = match problems.is_empty().then(|| typed(&platforms, values)) {
        Some(Ok(config)) => config,
        // The walk should have found this error; serde's message is better than none.
        Some(Err(error)) => {
            return Err(vec![ConfigError::new("", error.to_string()).into()]);
        }
        None => {
            return Err(in_order(problems));
        }
    };
    config.channels.take_variables(reading.env);
    let wrong = config.check(reading.more).into_iter();
    let problems = wrong.map(|error| environment::placed(&document, error)).collect();
    Ok((config, document, in_order(problems)))
}

fn typed(platforms: &[Channel], mut values: Json) -> Result<Config, serde_json::Error> {
    let channels = values.get_mut("channels").map(Json::take).unwrap_or_default();
    if let Some(values) = values.as_object_mut() {
        values.remove("channels");
    }
    Ok(Config { channels: Channels::read(platforms, channels)?, ..serde_json::from_value(values)? })
}

/// Sorts problems by position. An error in a setting that accounts inherit is reported once, where it is written.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.position);
    problems.dedup_by(|later, first| {
        later.position.is_some()
            && later.position == first.position
            && later.error.problem == first.error.problem
    });
    problems
}

/// Replaces `{ file = ... }` and `{ command = [...] }` by the texts of the secrets.
struct Secrets<'a> {
    document: &'a Node,
    reading: Reading<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Secrets<'_> {
    fn resolve(&mut self, schema: Schema<'_>, value: &mut Json, path: &str) {
        if schema.secret() {
            match secret::resolve(value, path, self.reading.folder, self.reading.still_waits) {
                Ok(text) => *value = Json::String(text),
                Err(message) => {
                    let position = self.document.position_of(path);
                    self.problems.push(Problem { position, error: ConfigError::new(path, message) });
                }
            }
            return;
        }
        let taken = schema.taken(Some(value));
        if taken.secret() {
            return self.resolve(taken, value, path);
        }
        match value {
            Json::Object(entries) => {
                let known = taken.properties();
                for (name, inner) in entries.iter_mut() {
                    let entry = known.iter().find(|(known, _)| known == name).map(|(_, schema)| *schema);
                    if let Some(entry) = entry.or_else(|| taken.others()) {
                        self.resolve(entry, inner, &join(path, name));
                    }
                }
            }
            Json::Array(items) => {
                if let Some(schema) = taken.items() {
                    items.iter_mut().for_each(|item| self.resolve(schema, item, path));
                }
            }
            _ => {}
        }
    }
}
