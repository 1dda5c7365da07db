//! Images that models take.

/// The formats, by their first bytes. WebP is one of several formats in a RIFF file.
const FORMATS: [(&str, &[u8]); 4] = [
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/gif", b"GIF8"),
    ("image/webp", b"RIFF"),
];

/// The media type of an image that models take, by its first 12 bytes; `None` for any other file.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let (mime, _) = FORMATS.into_iter().find(|(_, start)| bytes.starts_with(start))?;
    (mime != "image/webp" || bytes.get(8..12) == Some(b"WEBP")).then_some(mime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_webp_passes_of_riff_files() {
        assert_eq!(media_type(b"RIFF____WEBPVP8 "), Some("image/webp"));
        for other in [&b"RIFF____WAVEfmt "[..], b"RIFF____AVI LIST", b"RIFF", b"", b"%PDF-1.7"] {
            assert_eq!(media_type(other), None);
        }
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(media_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(media_type(b"GIF89a"), Some("image/gif"));
    }
}
