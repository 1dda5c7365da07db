//! Text with Markdown, as `parse_mode=MarkdownV2` and the older `Markdown` have it.

use crate::entity::{Entity, Formatted, Kind};
use crate::link;

/// What must be escaped when it is meant as it stands.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

struct Open {
    mark: &'static str,
    offset: usize,
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    out: Formatted,
    offset: usize,
    open: Vec<Open>,
}

/// MarkdownV2.
pub fn parse(source: &str) -> Result<Formatted, String> {
    let mut parser = Parser { source, at: 0, out: Formatted::default(), offset: 0, open: Vec::new() };
    while parser.at < source.len() {
        parser.step()?;
    }
    if let Some(open) = parser.open.last() {
        let name = entity_name(open.mark);
        return Err(format!("Can't find end of {name} entity at byte offset {}", open.offset));
    }
    parser.out.sort();
    Ok(parser.out)
}

/// The older dialect: only `*`, `_`, code and links, and nothing inside of another.
pub fn parse_old(source: &str) -> Result<Formatted, String> {
    let mut escaped = String::with_capacity(source.len());
    let mut inside = None;
    let mut chars = source.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '\\' if chars.peek().is_some_and(|c| "_*`[".contains(*c)) => {
                escaped.push('\\');
                escaped.extend(chars.next());
            }
            '*' | '_' | '`' if inside.is_none_or(|mark| mark == next) => {
                inside = if inside == Some(next) { None } else { Some(next) };
                escaped.push(next);
            }
            '[' | ']' | '(' | ')' => escaped.push(next),
            next => {
                if RESERVED.contains(next) || next == '\\' {
                    escaped.push('\\');
                }
                escaped.push(next);
            }
        }
    }
    parse(&escaped)
}

impl Parser<'_> {
    fn step(&mut self) -> Result<(), String> {
        let rest = &self.source[self.at..];
        if rest.starts_with("```") {
            return self.code("```", Kind::Pre);
        }
        if rest.starts_with('`') {
            return self.code("`", Kind::Code);
        }
        for mark in ["__", "||", "_", "*", "~"] {
            if rest.starts_with(mark) {
                return self.toggle(mark);
            }
        }
        let Some(next) = rest.chars().next() else { return Ok(()) };
        match next {
            '\\' if rest[1..].chars().next().is_some_and(|c| c.is_ascii() && !c.is_ascii_control()) => {
                self.at += 1;
                let escaped = rest[1..].chars().next().unwrap_or('\\');
                self.push(escaped);
            }
            '[' => {
                self.open.push(Open { mark: "[", offset: self.offset });
                self.at += 1;
            }
            ']' => return self.link(),
            '>' if self.out.text.is_empty() || self.out.text.ends_with('\n') => self.quote(),
            next if RESERVED.contains(next) => {
                return Err(format!(
                    "Character '{next}' is reserved and must be escaped with the preceding '\\'"
                ));
            }
            next => self.push(next),
        }
        Ok(())
    }

    fn push(&mut self, next: char) {
        self.out.text.push(next);
        self.offset += next.len_utf16();
        self.at += next.len_utf8();
    }

    fn toggle(&mut self, mark: &'static str) -> Result<(), String> {
        self.at += mark.len();
        match self.open.last() {
            Some(open) if open.mark == mark => {
                let offset = open.offset;
                self.open.pop();
                let kind = match mark {
                    "*" => Kind::Bold,
                    "_" => Kind::Italic,
                    "__" => Kind::Underline,
                    "~" => Kind::Strikethrough,
                    _ => Kind::Spoiler,
                };
                self.keep(kind, offset, None);
                Ok(())
            }
            _ if self.open.iter().any(|open| open.mark == mark) => {
                let name = entity_name(mark);
                Err(format!("Can't find end of {name} entity at byte offset {}", self.at - mark.len()))
            }
            _ => {
                self.open.push(Open { mark, offset: self.offset });
                Ok(())
            }
        }
    }

    fn code(&mut self, fence: &str, kind: Kind) -> Result<(), String> {
        let (begin, start) = (self.at, self.offset);
        self.at += fence.len();
        let name = if kind == Kind::Pre { "Pre" } else { "Code" };
        let unclosed = format!("Can't find end of {name} entity at byte offset {begin}");
        let mut argument = None;
        if kind == Kind::Pre {
            let line = self.source[self.at..].split('\n').next().unwrap_or_default();
            if !line.is_empty()
                && !line.contains(['`', ' '])
                && self.source[self.at + line.len()..].starts_with('\n')
            {
                argument = Some(line.to_owned());
                self.at += line.len();
            }
            self.at += usize::from(self.source[self.at..].starts_with('\n'));
        }
        while !self.source[self.at..].starts_with(fence) {
            let rest = &self.source[self.at..];
            let escaped = rest.starts_with("\\`") || rest.starts_with("\\\\");
            self.at += usize::from(escaped);
            let next = self.source[self.at..].chars().next().ok_or_else(|| unclosed.clone())?;
            self.push(next);
        }
        self.at += fence.len();
        self.keep(kind, start, argument);
        Ok(())
    }

    fn link(&mut self) -> Result<(), String> {
        let Some(open) = self.open.pop().filter(|open| open.mark == "[") else {
            return Err("Character ']' is reserved and must be escaped with the preceding '\\'".to_owned());
        };
        self.at += 1;
        let target = self.source[self.at..].strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let Some((target, _)) = target else {
            return Err(format!("Can't find end of a URL at byte offset {}", self.at));
        };
        self.at += target.len() + 2;
        if let Some((kind, target)) = link::target(&target.replace('\\', "")) {
            self.keep(kind, open.offset, Some(target));
        }
        Ok(())
    }

    fn quote(&mut self) {
        self.at += 1;
        let line = self.source[self.at..].split('\n').next().unwrap_or_default().encode_utf16().count();
        self.keep_length(Kind::Blockquote, self.offset, line, None);
    }

    fn keep(&mut self, kind: Kind, offset: usize, argument: Option<String>) {
        self.keep_length(kind, offset, self.offset - offset, argument);
    }

    fn keep_length(&mut self, kind: Kind, offset: usize, length: usize, argument: Option<String>) {
        if length > 0 {
            self.out.entities.push(Entity { kind, offset, length, argument });
        }
    }
}

fn entity_name(mark: &str) -> &'static str {
    match mark {
        "*" => "Bold",
        "_" => "Italic",
        "__" => "Underline",
        "~" => "Strikethrough",
        "||" => "Spoiler",
        _ => "TextUrl",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(formatted: &Formatted) -> Vec<(Kind, usize, usize)> {
        formatted.entities.iter().map(|entity| (entity.kind, entity.offset, entity.length)).collect()
    }

    #[test]
    fn marks_become_entities() {
        let formatted = parse("*b _i_* `c` ||s|| [l](https://a.example/) a\\.").unwrap();
        assert_eq!(formatted.text, "b i c s l a.");
        assert_eq!(
            kinds(&formatted),
            [
                (Kind::Bold, 0, 3),
                (Kind::Italic, 2, 1),
                (Kind::Code, 4, 1),
                (Kind::Spoiler, 6, 1),
                (Kind::TextLink, 8, 1)
            ]
        );
        let code = parse("```rust\nlet x;\n```").unwrap();
        assert_eq!((code.text.as_str(), code.entities[0].argument.as_deref()), ("let x;\n", Some("rust")));
    }

    #[test]
    fn a_bare_full_stop_is_refused() {
        let complaint = "Character '.' is reserved and must be escaped with the preceding '\\'";
        assert_eq!(parse("Done.").err().as_deref(), Some(complaint));
        assert!(parse("*open").is_err());
    }

    #[test]
    fn the_older_dialect_forgives_full_stops() {
        let formatted = parse_old("*bold* and _it_. See [l](https://a.example/x_y)!").unwrap();
        assert_eq!(formatted.text, "bold and it. See l!");
        assert_eq!(kinds(&formatted), [(Kind::Bold, 0, 4), (Kind::Italic, 9, 2), (Kind::TextLink, 17, 1)]);
    }
}
