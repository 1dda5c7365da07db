//! The segments of keys, addresses and principals, and their escapes.

use std::borrow::Cow;

/// A segment has an escape that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "segment {segment:?} of {given:?} has a broken escape: write `%` itself as %25, and other escapes as two \
     hexadecimal digits for each UTF-8 byte"
)]
pub struct BrokenEscape {
    /// The whole text that was given, cut if it is long.
    pub given: String,
    /// The segment with the escape, cut if it is long.
    pub segment: String,
}

/// A text from outside as an error may show it: cut if it is long.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Appends a segment that stands between colons.
pub(crate) fn push_id(out: &mut String, raw: &str) {
    push_escaped(out, raw, |c| matches!(c, '%' | ':') || c.is_control());
}

/// Appends a channel's or an account's name, spelled the same way in keys, addresses and principals.
pub(crate) fn push_name(out: &mut String, raw: &str) {
    push_escaped(out, raw, |c| matches!(c, '%' | ':' | '@') || c.is_control());
}

fn push_escaped(out: &mut String, raw: &str, special: impl Fn(char) -> bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for c in raw.chars() {
        if !special(c) {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The decoded segment of a text that was given.
pub(crate) fn decoded<'s>(given: &str, segment: &'s str) -> Result<Cow<'s, str>, BrokenEscape> {
    unescape(segment).ok_or_else(|| BrokenEscape { given: shown(given), segment: shown(segment) })
}

/// Decodes every escape, including unnecessary ones: the caller then compares with the canonical spelling and can show
/// it. `None` if an escape is incomplete, not hexadecimal or not UTF-8.
pub(crate) fn unescape(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high << 4 | low).ok()?);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
