//! Text with HTML tags, as `parse_mode=HTML` has it, with the server's own complaints: a port of tdlib's `parse_html`.

use crate::entity::{Entity, Formatted, Kind};
use crate::link;

const TAGS: &str = "a b strong i em s strike del u ins tg-spoiler tg-emoji span pre code blockquote";

struct Open {
    tag: String,
    argument: String,
    offset: usize,
    byte: usize,
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    out: Formatted,
    offset: usize,
    open: Vec<Open>,
}

/// Text and entities, or what the server says after "can't parse entities: ".
pub fn parse(source: &str) -> Result<Formatted, String> {
    let mut parser = Parser { source, at: 0, out: Formatted::default(), offset: 0, open: Vec::new() };
    while let Some(next) = parser.peek() {
        match next {
            '<' if source[parser.at + 1..].starts_with('/') => parser.close()?,
            '<' => parser.start()?,
            _ => {
                let next = parser.character(next);
                parser.out.text.push(next);
                parser.offset += next.len_utf16();
            }
        }
    }
    if let Some(open) = parser.open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.tag));
    }
    for entity in &mut parser.out.entities {
        // A language means something only inside of <pre>.
        if entity.kind == Kind::Code {
            entity.argument = None;
        }
    }
    parser.out.sort();
    Ok(parser.out)
}

impl Parser<'_> {
    /// Takes one character, or one character reference.
    fn character(&mut self, next: char) -> char {
        let decoded = if next == '&' { decode(&self.source[self.at..]) } else { None };
        let (next, taken) = decoded.unwrap_or((next, next.len_utf8()));
        self.at += taken;
        next
    }

    fn start(&mut self) -> Result<(), String> {
        let begin = self.at;
        let name_end = self.find(begin + 1, |c| c.is_ascii_whitespace() || c == '>');
        self.at = name_end.ok_or_else(|| format!("Unclosed start tag at byte offset {begin}"))?;
        let tag = self.source[begin + 1..self.at].to_lowercase();
        if !TAGS.split(' ').any(|known| known == tag) {
            return Err(format!("Unsupported start tag \"{tag}\" at byte offset {begin}"));
        }
        let argument = self.attributes(&tag, begin)?;
        if tag == "span" && argument != "spoiler" {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.open.push(Open { tag, argument, offset: self.offset, byte: self.out.text.len() });
        Ok(())
    }

    /// Reads up to the `>` and takes it; returns the one attribute that matters for this tag.
    fn attributes(&mut self, tag: &str, begin: usize) -> Result<String, String> {
        let mut argument = String::new();
        loop {
            self.skip_space();
            if self.peek() == Some('>') {
                self.at += 1;
                return Ok(argument);
            }
            let unclosed = || format!("Unclosed start tag \"{tag}\" at byte offset {begin}");
            let name_end = self.find(self.at, |c| c.is_ascii_whitespace() || "=>/\"'".contains(c));
            let name = self.source[self.at..name_end.ok_or_else(unclosed)?].to_owned();
            if name.is_empty() {
                return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
            }
            self.at += name.len();
            self.skip_space();
            if self.peek().ok_or_else(unclosed)? != '=' {
                if (tag, name.as_str()) == ("blockquote", "expandable") {
                    "1".clone_into(&mut argument);
                }
                continue;
            }
            self.at += 1;
            self.skip_space();
            let value = self.value(begin)?;
            match (tag, name.as_str()) {
                ("a", "href") | ("tg-emoji", "emoji-id") => argument = value,
                ("code", "class") if value.starts_with("language-") => value[9..].clone_into(&mut argument),
                ("span", "class") if value.starts_with("tg-") => value[3..].clone_into(&mut argument),
                ("blockquote", "expandable") => "1".clone_into(&mut argument),
                _ => {}
            }
        }
    }

    fn value(&mut self, begin: usize) -> Result<String, String> {
        let unclosed = || format!("Unclosed start tag at byte offset {begin}");
        let quote = self.peek().ok_or_else(unclosed)?;
        if quote != '"' && quote != '\'' {
            let start = self.at;
            let end = self.find(start, |c| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
            self.at = end.unwrap_or(self.source.len());
            return match self.peek() {
                Some(next) if next.is_ascii_whitespace() || next == '>' => {
                    Ok(self.source[start..self.at].to_lowercase())
                }
                _ => Err(format!("Unexpected end of name token at byte offset {start}")),
            };
        }
        self.at += 1;
        let mut value = String::new();
        loop {
            let next = self.peek().ok_or_else(unclosed)?;
            if next == quote {
                self.at += 1;
                return self.peek().map(|_| value).ok_or_else(unclosed);
            }
            value.push(self.character(next));
        }
    }

    fn close(&mut self) -> Result<(), String> {
        let begin = self.at;
        let open = self.open.pop().ok_or_else(|| format!("Unexpected end tag at byte offset {begin}"))?;
        let name_end = self.find(begin + 2, |c| c.is_ascii_whitespace() || c == '>');
        self.at = name_end.unwrap_or(self.source.len());
        let tag = self.source[begin + 2..self.at].to_lowercase();
        self.skip_space();
        if self.peek() != Some('>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        if !tag.is_empty() && tag != open.tag {
            let expected = open.tag;
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{tag}>\""
            ));
        }
        if self.offset > open.offset { self.keep(open) } else { Ok(()) }
    }

    fn keep(&mut self, open: Open) -> Result<(), String> {
        let (offset, length) = (open.offset, self.offset - open.offset);
        let some = (!open.argument.is_empty()).then(|| open.argument.clone());
        // A language moves from a <code> that fills a <pre> to the <pre>.
        let last = self.out.entities.last_mut();
        let last = last.filter(|last| (last.offset, last.length) == (offset, length));
        let (kind, argument) = match open.tag.as_str() {
            "b" | "strong" => (Kind::Bold, None),
            "i" | "em" => (Kind::Italic, None),
            "u" | "ins" => (Kind::Underline, None),
            "s" | "strike" | "del" => (Kind::Strikethrough, None),
            "tg-spoiler" | "span" => (Kind::Spoiler, None),
            "blockquote" if some.is_some() => (Kind::ExpandableBlockquote, None),
            "blockquote" => (Kind::Blockquote, None),
            "tg-emoji" if open.argument.parse::<u64>().is_ok_and(|id| id != 0) => (Kind::CustomEmoji, some),
            "tg-emoji" => return Err("Invalid custom emoji identifier specified".to_owned()),
            "a" => match link::target(&some.unwrap_or_else(|| self.out.text[open.byte..].to_owned())) {
                Some((kind, target)) => (kind, Some(target)),
                None => return Ok(()),
            },
            tag => match (tag, last) {
                ("pre", Some(last)) if last.kind == Kind::Code && last.argument.is_some() => {
                    last.kind = Kind::Pre;
                    return Ok(());
                }
                ("code", Some(last)) if last.kind == Kind::Pre && some.is_some() => {
                    last.argument = some;
                    return Ok(());
                }
                ("pre", _) => (Kind::Pre, None),
                _ => (Kind::Code, some),
            },
        };
        self.out.entities.push(Entity { kind, offset, length, argument });
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn find(&self, from: usize, wanted: impl Fn(char) -> bool) -> Option<usize> {
        self.source[from..].find(wanted).map(|found| from + found)
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|next| next.is_ascii_whitespace()) {
            self.at += 1;
        }
    }
}

/// A character reference at the start of `text`: the character and how many bytes it took.
fn decode(text: &str) -> Option<(char, usize)> {
    let body = &text[1..];
    let run = |text: &str, wanted: fn(&char) -> bool| text.chars().take_while(wanted).count();
    let (code, mut taken) = if let Some(hex) = body.strip_prefix("#x") {
        let digits = run(hex, char::is_ascii_hexdigit);
        (u32::from_str_radix(&hex[..digits], 16).ok()?, digits + 3)
    } else if let Some(decimal) = body.strip_prefix('#') {
        let digits = run(decimal, char::is_ascii_digit);
        (decimal[..digits].parse().ok()?, digits + 2)
    } else {
        let letters = run(body, char::is_ascii_alphabetic);
        let names = [("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"')];
        let (_, next) = names.into_iter().find(|(name, _)| *name == &body[..letters])?;
        (u32::from(next), letters + 1)
    };
    if code == 0 || taken >= 10 {
        return None;
    }
    taken += usize::from(text[taken..].starts_with(';'));
    Some((char::from_u32(code)?, taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Piece = (Kind, usize, usize, Option<String>);

    fn shown(source: &str) -> (String, Vec<Piece>) {
        let formatted = parse(source).unwrap();
        let entities = formatted.entities.into_iter();
        (formatted.text, entities.map(|e| (e.kind, e.offset, e.length, e.argument)).collect())
    }

    #[test]
    fn code_keeps_its_language_only_in_pre() {
        let language = |source| shown(source).1;
        let rust = Some("rust".to_owned());
        assert_eq!(language("<pre><code class=\"language-rust\">x</code></pre>"), [(Kind::Pre, 0, 1, rust)]);
        assert_eq!(language("<code class=\"language-rust\">x</code>"), [(Kind::Code, 0, 1, None)]);
    }

    #[test]
    fn links_quotes_spoilers_and_emoji() {
        let url = |url: &str| Some(url.to_owned());
        let (_, entities) = shown(
            "<a href=\"https://a.example/?q=1&amp;r=2\">l</a><a href='tg://user?id=7'>m</a><a href=\"x\">n</a>\
             <blockquote expandable>q</blockquote><span class=\"tg-spoiler\">s</span>\
             <tg-emoji emoji-id=\"5368324170671202286\">👍</tg-emoji>",
        );
        let expected = [
            (Kind::TextLink, 0, 1, url("https://a.example/?q=1&r=2")),
            (Kind::TextMention, 1, 1, url("7")),
            (Kind::ExpandableBlockquote, 3, 1, None),
            (Kind::Spoiler, 4, 1, None),
            (Kind::CustomEmoji, 5, 2, url("5368324170671202286")),
        ];
        assert_eq!(entities, expected);
    }

    #[test]
    fn complaints_are_the_servers_own() {
        for (source, complaint) in [
            ("x</b>", "Unexpected end tag at byte offset 1"),
            ("1 < 2", "Unsupported start tag \"\" at byte offset 2"),
            ("a <b", "Unclosed start tag at byte offset 2"),
            ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
            ("<b x=\"y>z</b>", "Unclosed start tag at byte offset 0"),
        ] {
            assert_eq!(parse(source).err().as_deref(), Some(complaint), "{source}");
        }
    }

    #[test]
    fn an_invalid_character_reference_stays_as_it_is() {
        assert_eq!(shown("a & b &nbsp; &#0; &amp;lt; &lt &#128077;").0, "a & b &nbsp; &#0; &lt; < 👍");
    }
}
