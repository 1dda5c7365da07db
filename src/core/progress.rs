//! How far background work is.

/// How far a task is, as its agent reports it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// From 0 to 100; `None` if the agent does not know.
    pub percent: Option<u8>,
    /// What it does at the moment, on one line.
    pub line: Option<String>,
}

impl Progress {
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
    use super::*;

    #[test]
    fn progress_is_a_bar_and_a_line() {
        let shown = |percent, line: Option<&str>| Progress { percent, line: line.map(str::to_owned) }.shown();
        assert_eq!(shown(Some(50), Some("reading")), "█████░░░░░ 50 % · reading");
        assert_eq!(shown(Some(250), None), "██████████ 100 %");
        assert_eq!(shown(None, Some("reading")), "reading");
        assert_eq!(shown(None, None), "");
    }
}
