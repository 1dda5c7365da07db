//! Text with Markdown, as `parse_mode=MarkdownV2` and the older `Markdown` have it, read simply: it is turned into HTML
//! for `html.rs`, which finds what is not closed.

/// The characters that MarkdownV2 wants escaped when they stand for themselves.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

/// Turns Markdown into HTML. The older dialect (`new` is false) knows only `*`, `_`, code and links, and lets every
/// other character stand for itself.
pub fn to_html(source: &str, new: bool) -> Result<String, String> {
    let tags = [("__", "u"), ("||", "tg-spoiler"), ("~", "s"), ("*", "b"), ("_", "i")];
    let (mut html, mut rest) = (String::new(), source);
    let mut open: Vec<(&str, &str)> = Vec::new();
    while let Some(next) = rest.chars().next() {
        if let Some(code) = ["```", "`"].into_iter().find(|mark| rest.starts_with(mark)) {
            let tag = if code == "`" { "code" } else { "pre" };
            let body = &rest[code.len()..];
            let end = body.find(code).ok_or_else(|| format!("Can't find end of {tag} entity"))?;
            html.push_str(&format!("<{tag}>{}</{tag}>", code_body(&body[..end], tag == "pre")));
            rest = &body[end + code.len()..];
            continue;
        }
        let marks = if new { &tags[..] } else { &tags[3..] };
        if let Some((mark, tag)) = marks.iter().find(|(mark, _)| rest.starts_with(mark)) {
            rest = &rest[mark.len()..];
            let closes = open.iter().any(|(opened, _)| opened == mark);
            open.retain(|(opened, _)| opened != mark);
            if closes {
                html.push_str(&format!("</{tag}>"));
            } else {
                open.push((mark, tag));
                html.push_str(&format!("<{tag}>"));
            }
            continue;
        }
        if next == '['
            && let Some((_, url)) = rest.split_once("](")
            && let Some((url, _)) = url.split_once(')')
        {
            open.push(("](", url));
            html.push_str(&format!("<a href=\"{}\">", escaped(&url.replace('\\', ""))));
            rest = &rest[1..];
            continue;
        }
        if next == ']'
            && let Some(index) = open.iter().position(|(mark, _)| *mark == "](")
        {
            let (mark, url) = open.remove(index);
            html.push_str("</a>");
            rest = &rest["]".len() - 1 + mark.len() + url.len() + 1..];
            continue;
        }
        let mut taken = next;
        let follows = rest[next.len_utf8()..].chars().next();
        match follows.filter(|follows| next == '\\' && follows.is_ascii_punctuation()) {
            Some(follows) => {
                rest = &rest[1..];
                taken = follows;
            }
            None if new && RESERVED.contains(next) => {
                return Err(format!(
                    "Character '{next}' is reserved and must be escaped with the preceding '\\'"
                ));
            }
            None => {}
        }
        rest = &rest[taken.len_utf8()..];
        html.push_str(&escaped(&taken.to_string()));
    }
    Ok(html)
}

/// The inside of code, with its language if it has one.
fn code_body(body: &str, is_pre: bool) -> String {
    let text = escaped(&body.replace("\\`", "`").replace("\\\\", "\\"));
    match text.split_once('\n') {
        Some((language, text)) if is_pre && !language.is_empty() && !language.contains(' ') => {
            format!("<code class=\"language-{language}\">{text}</code>")
        }
        Some(("", text)) if is_pre => text.to_owned(),
        _ => text,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html;

    #[test]
    fn marks_become_entities() {
        let read = |source, new| {
            let formatted = to_html(source, new).and_then(|html| html::parse(&html)).unwrap();
            let entities = formatted.entities.iter().map(|entity| (entity.offset, entity.length));
            (formatted.text, entities.collect::<Vec<_>>())
        };
        let text = "*b _i_* `c` ||s|| [l](https://a.example/) a\\.";
        let spans = vec![(0, 3), (2, 1), (4, 1), (6, 1), (8, 1)];
        assert_eq!(read(text, true), ("b i c s l a.".to_owned(), spans));
        assert_eq!(read("```rust\nlet x;\n```", true), ("let x;\n".to_owned(), vec![(0, 7)]));
        let old = "*bold* and _it_. See [l](https://a.example/x_y)!";
        assert_eq!(read(old, false), ("bold and it. See l!".to_owned(), vec![(0, 4), (9, 2), (17, 1)]));
        assert!(to_html("*open", true).and_then(|html| html::parse(&html)).is_err());
    }
}
