//! Detects fenced code blocks in Markdown, line by line.

/// Whether the lines read so far end inside a fenced code block; if so, the fence's character and length.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CodeFence(Option<(u8, usize)>);

impl CodeFence {
    /// Reads the next line; whether it is outside of code.
    pub(crate) fn is_text(&mut self, line: &str) -> bool {
        let marked = mark(line);
        match (self.0, marked) {
            (None, None) => true,
            (None, Some((sign, length, rest))) => {
                // A backtick fence with another backtick behind it is inline code.
                if sign == b'`' && rest.contains('`') {
                    return true;
                }
                self.0 = Some((sign, length));
                false
            }
            (Some((open, least)), Some((sign, length, rest))) => {
                if open == sign && length >= least && rest.trim().is_empty() {
                    self.0 = None;
                }
                false
            }
            (Some(_), None) => false,
        }
    }
}

/// A fence's character, its length and the rest of the line.
fn mark(line: &str) -> Option<(u8, usize, &str)> {
    let indented = line.len() - line.trim_start_matches(' ').len();
    let line = line.get(indented..).filter(|_| indented < 4)?;
    let sign = *line.as_bytes().first().filter(|sign| matches!(sign, b'`' | b'~'))?;
    let length = line.bytes().take_while(|byte| *byte == sign).count();
    (length >= 3).then(|| (sign, length, &line[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_with_a_fence_of_its_own_kind() {
        let mut fence = CodeFence::default();
        let text: Vec<bool> =
            ["a", "```rust", "b", "~~~", "``", "````", "c", "   ~~~", "```", "~~~~ ", "d", "```x```"]
                .into_iter()
                .map(|line| fence.is_text(line))
                .collect();
        let code = false;
        assert_eq!(text, [true, code, code, code, code, code, true, code, code, code, true, true]);
    }
}
