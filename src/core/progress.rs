//! How far background work is.

use serde_json::Value;

use crate::visible::{self, is_visible};

/// How far a task is, as its agent reports it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// From 0 to 100; `None` if the agent does not know.
    pub percent: Option<u8>,
    /// What it does at the moment, on one line.
    pub line: Option<String>,
}

/// The parameters of tools that say in a few words what a call does, in the order in which they are looked for.
const TELLING: [&str; 9] =
    ["command", "cmd", "path", "file_path", "file", "url", "query", "pattern", "description"];

impl Progress {
    /// What a call of a tool says about the work: `runs bash: cargo test`.
    pub fn of_call(name: &str, params: &Value) -> Self {
        let told =
            TELLING.iter().find_map(|field| params.get(field)?.as_str().filter(|text| is_visible(text)));
        let line = match told.and_then(|text| text.trim().lines().next()) {
            Some(told) => format!("runs {name}: {told}"),
            None => format!("runs {name}"),
        };
        Self { percent: None, line: Some(visible::name(&line)) }
    }

    /// A bar of ten fields with the percentage, and the line: `█████░░░░░ 50 % · reading`. Empty if nothing is known.
    pub fn shown(&self) -> String {
        let bar = self.percent.map(|percent| {
            let full = usize::from(percent.min(100)) / 10;
            format!("{}{} {} %", "█".repeat(full), "░".repeat(10 - full), percent.min(100))
        });
        let parts: Vec<&str> = bar.iter().chain(&self.line).map(String::as_str).collect();
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_one_short_line() {
        let line = |name, params| Progress::of_call(name, &params).line.unwrap();
        assert_eq!(
            line("bash", json!({"timeout": 5, "command": " cargo test\nrm x"})),
            "runs bash: cargo test"
        );
        assert_eq!(line("read", json!({"path": "a/b.txt", "limit": 3})), "runs read: a/b.txt");
        for params in [json!(null), json!({}), json!({"command": 5}), json!({"path": "\u{200b}"})] {
            assert_eq!(line("look", params.clone()), "runs look", "{params}");
        }
        let long = line("bash", json!({"command": format!("\u{202e}{}", "x".repeat(9999))}));
        assert!(long.starts_with("runs bash: xx") && long.chars().count() == visible::NAME + 1, "{long}");
    }

    #[test]
    fn progress_is_a_bar_and_a_line() {
        let shown = |percent, line: Option<&str>| Progress { percent, line: line.map(str::to_owned) }.shown();
        assert_eq!(shown(Some(50), Some("reading")), "█████░░░░░ 50 % · reading");
        assert_eq!(shown(Some(250), None), "██████████ 100 %");
        assert_eq!(shown(None, Some("reading")), "reading");
        assert_eq!(shown(None, None), "");
    }
}
