//! multipart/form-data, taken apart.

use axum::body::Bytes;
use memchr::memmem;

use crate::params::Upload;

/// One field of a form.
#[derive(Debug)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// What it holds.
    pub bytes: Bytes,
    file: Option<String>,
    mime: Option<String>,
}

impl Part {
    /// The field as a file, if it is one.
    pub fn upload(&self) -> Option<Upload> {
        let name = self.file.clone()?;
        Some(Upload { name, mime: self.mime.clone(), bytes: self.bytes.clone() })
    }
}

/// The fields of a body; what is malformed is left out.
pub fn parts(content_type: &str, body: &Bytes) -> Vec<Part> {
    let Some(boundary) = attribute(content_type, "boundary") else { return Vec::new() };
    let line = format!("--{boundary}");
    let mut starts: Vec<usize> = memmem::find_iter(body, line.as_bytes()).collect();
    starts.push(body.len());
    starts.windows(2).filter_map(|pair| part(body, pair[0] + line.len(), pair[1])).collect()
}

fn part(body: &Bytes, start: usize, end: usize) -> Option<Part> {
    let whole = body.slice(start..end);
    let head_end = memmem::find(&whole, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&whole[..head_end]).into_owned();
    let bytes = whole.slice(head_end + 4..);
    let bytes = bytes.slice(..bytes.len() - if bytes.ends_with(b"\r\n") { 2 } else { Default::default() });
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let disposition = header("content-disposition")?;
    let file = attribute(&disposition, "filename");
    Some(Part { name: attribute(&disposition, "name")?, file, mime: header("content-type"), bytes })
}

/// The value of `name=value` or `name="value"` among a header's attributes.
fn attribute(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.trim().trim_matches('"').to_owned();
        key.trim().eq_ignore_ascii_case(name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_out_byte_for_byte() {
        let mut body = b"--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n".to_vec();
        let file: Vec<u8> = (0..=255).chain(*b"\r\n\r\n--").collect();
        body.extend(&file);
        body.extend(b"\r\n--b--\r\n");
        let parts = parts("multipart/form-data; boundary=\"b\"", &body.into());
        let upload = parts[0].upload().unwrap();
        assert_eq!((parts.len(), parts[0].name.as_str(), upload.name.as_str()), (1, "photo", "a.png"));
        assert_eq!((upload.mime.as_deref(), &upload.bytes[..]), (Some("image/png"), &file[..]));
    }
}
