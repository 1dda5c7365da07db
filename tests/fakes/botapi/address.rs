//! Web and mail addresses in plain text: a port of tdlib's `match_urls`, `fix_url` and `match_tg_urls`.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use crate::entity::Kind;

/// The top-level domains that the server knows: an address without a scheme ends in one of them.
static TOP_LEVEL: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("tlds.txt").split_whitespace().collect());

/// Characters that a path does not end with.
const NO_END: [char; 9] = ['.', ':', ';', ',', '(', '\'', '?', '!', '`'];

/// The web and mail addresses in a text.
pub fn find(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut found: Vec<_> = internal(text).map(|range| (Kind::Url, range)).collect();
    let mut at = 0;
    while let Some(dot) = text[at..].find('.').map(|dot| at + dot) {
        if text[dot + 1..].starts_with(' ') {
            at = dot + 1;
            continue;
        }
        let (url, next) = around(text, at, dot);
        found.extend(url.and_then(|url| known(text, url)));
        at = next.max(dot + 1);
    }
    found
}

/// The candidate around a dot, and where to search on; nothing before `floor` is looked at.
fn around(text: &str, floor: usize, dot: usize) -> (Option<Range<usize>>, usize) {
    let left = |end: usize, of: fn(char) -> bool| floor + text[floor..end].trim_end_matches(of).len();
    let mut start = left(dot, is_host);
    let host_end = dot + run(&text[dot..], |c| c == '@' || is_host(c));
    let has_at = text[dot..host_end].contains('@');
    if has_at {
        start = left(start, is_user);
    }
    let mut end = path_end(text, host_end + port(&text[host_end..]));
    end = dot + 1 + text[dot + 1..end].trim_end_matches('.').len();
    let mut bad = false;
    if text[floor..start].ends_with('@') {
        let user = left(start - 1, is_user);
        bad = has_at || user == start - 1;
        start = user;
    }
    let before = &text[floor..start];
    if let Some(scheme) = before.strip_suffix("://").filter(|_| before.len() >= 6) {
        let word = left(floor + scheme.len(), |c| {
            c.is_ascii_alphanumeric() || "+-".contains(c) || (!c.is_ascii() && !c.is_whitespace())
        });
        let scheme = text[word..floor + scheme.len()].to_lowercase();
        let known = ["https", "http", "ftp", "tonsite"].into_iter().find(|known| scheme.ends_with(known));
        match known.filter(|_| !["shttp", "tftp", "sftp"].contains(&scheme.as_str())) {
            Some(known) => start -= known.len() + 3,
            None => bad = true,
        }
    } else {
        bad |= before.ends_with(|c: char| c.is_alphanumeric() || "_/#@".contains(c));
    }
    if bad {
        return (None, text[..end].rfind('.').map_or(end, |last| last + 1));
    }
    (Some(start..end), end + run(&text[end..], |c| c == '.'))
}

fn port(rest: &str) -> usize {
    let Some(digits) = rest.strip_prefix(':') else { return 0 };
    let length = run(digits, |c| c.is_ascii_digit());
    let valid = digits[..length].parse::<u16>().is_ok_and(|port| port > 0);
    if valid { length + 1 } else { 0 }
}

fn path_end(text: &str, start: usize) -> usize {
    let Some(rest) = text[start..].strip_prefix(['/', '?', '#']) else { return start };
    let path = rest[..run(rest, is_path)].trim_end_matches(NO_END);
    if path.is_empty() && !text[start..].starts_with('/') { start } else { start + 1 + path.len() }
}

/// The kind of a candidate, and its range without trailing characters that do not belong to it.
fn known(text: &str, range: Range<usize>) -> Option<(Kind, Range<usize>)> {
    let url = &text[range.clone()];
    if is_mail(url) {
        return Some((Kind::Email, range));
    }
    if url.strip_prefix("mailto:").is_some_and(is_mail) {
        return Some((Kind::Email, range.start + "mailto:".len()..range.end));
    }
    let lower = url.to_ascii_lowercase();
    let scheme =
        ["http://", "https://", "ftp://", "tonsite://"].into_iter().find(|known| lower.starts_with(known));
    let rest = &url[scheme.map_or(0, str::len)..];
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = balanced(path).trim_end_matches(NO_END);
    let end = range.end - (rest.len() - host.len() - path.len());
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    is_site(host, scheme.is_some()).then_some((Kind::Url, range.start..end))
}

/// A path up to a bracket that closes and was not opened in it.
fn balanced(path: &str) -> &str {
    let mut open = [0; 3];
    let closes = |(_, c): &(usize, char)| {
        if let Some(kind) = "([{".find(*c) {
            open[kind] += 1;
        } else if let Some(kind) = ")]}".find(*c) {
            open[kind] -= 1;
            return open[kind] < 0;
        }
        false
    };
    path.char_indices().find(closes).map_or(path, |(at, _)| &path[..at])
}

fn is_site(host: &str, has_scheme: bool) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let [.., last, top] = labels.as_slice() else { return false };
    if labels.iter().any(|label| label.is_empty() || label.len() > 63 || label.ends_with('-')) {
        return false;
    }
    if labels.len() == 4 && host.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    if host.chars().all(|c| c == '.' || c.is_ascii_digit()) || top.chars().count() < 2 || last.contains('_') {
        return false;
    }
    match top.strip_prefix("xn--") {
        Some(rest) => rest.len() > 1 && rest.chars().all(|c| c.is_ascii_alphanumeric()),
        None => !top.contains(['_', '-']) && (has_scheme || is_top_level(top)),
    }
}

/// A capital letter alone is taken for the beginning of a sentence.
fn is_top_level(top: &str) -> bool {
    let lower = top.to_lowercase();
    let rest = |word: &str| word.chars().skip(1).collect::<String>();
    (lower == top || rest(&lower) != rest(top)) && TOP_LEVEL.contains(lower.as_str())
}

fn is_mail(text: &str) -> bool {
    let Some((user, host)) = text.split_once('@') else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let parts: Vec<&str> = user.split(['.', '+']).collect();
    let labels: Vec<&str> = host.split('.').collect();
    let Some((top, labels)) = labels.split_last() else { return false };
    let ends_well = |label: &&str| {
        label.starts_with(|c: char| c.is_ascii_alphanumeric())
            && label.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    parts.len() <= 11
        && parts.iter().all(|part| part.len() <= 26 && part.chars().all(plain))
        && parts.last().is_some_and(|part| !part.is_empty())
        && (1..=6).contains(&labels.len())
        && labels.iter().all(|label| label.len() <= 30 && label.chars().all(plain))
        && labels.iter().all(ends_well)
        && (2..=8).contains(&top.len())
        && top.chars().all(|c| c.is_ascii_alphabetic())
}

/// Links into the client, which need no dot.
fn internal(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("://").filter_map(|(at, _)| {
        let head = text[..at].to_ascii_lowercase();
        let scheme = ["tonsite", "ton", "tg"].into_iter().find(|known| head.ends_with(known))?;
        let start = at + "://".len();
        let host = run(&text[start..], |c| c.is_ascii_alphanumeric() || "_-".contains(c));
        (host > 0).then(|| at - scheme.len()..path_end(text, start + host))
    })
}

fn is_host(c: char) -> bool {
    if c < '\u{c0}' { c.is_ascii_alphanumeric() || "._-~".contains(c) } else { is_letter(c) }
}

fn is_user(c: char) -> bool {
    !"\n/[]{}()'`<>\"@«»".contains(c) && is_letter(c)
}

fn is_path(c: char) -> bool {
    !"\n<>\"«»".contains(c) && is_letter(c)
}

/// Neither a separator nor in the block General Punctuation, except joiners and dashes.
fn is_letter(c: char) -> bool {
    match c {
        '\u{2000}'..='\u{206f}' => matches!(c, '\u{200c}' | '\u{200d}' | '\u{2010}'..='\u{2015}'),
        c => c == '\n' || !c.is_whitespace(),
    }
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|(_, range)| &text[range]).collect()
    }

    #[test]
    fn words_that_end_in_a_top_level_domain_are_links() {
        for (text, expected) in [
            ("see README.md, main.rs:42 and x.PY.", vec!["README.md", "main.rs:42", "x.PY"]),
            ("R&D.md (example.com/a_(b)).", vec!["D.md", "example.com/a_(b)"]),
            (
                "https://a.invalidtop/x?y=1, http://u:p@b.org:80",
                vec!["https://a.invalidtop/x?y=1", "http://u:p@b.org:80"],
            ),
            ("mail a.b@c.org or mailto:d@e.org", vec!["a.b@c.org", "d@e.org"]),
            ("127.0.0.1 and tg://user?id=5!", vec!["tg://user?id=5", "127.0.0.1"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn paths_numbers_and_ends_of_sentences_are_none() {
        for text in [
            "src/main.rs /a.b/c.rs #a.md my_file.rs 1.2.3 v1.2",
            "So.So e.g. this. ..md a-.md x.toml http://localhost:3000/",
            "sftp://a.org javascript:alert.x a@b",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
