//! Files in a request. They come in the request itself: the gateway downloads nothing from addresses that a client names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_core::message::Attachment;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ApiError;
use crate::server::ServerState;

/// Maximum number of files in one request. Their size is limited by the size of the request.
const MAX_FILES: usize = 8;

/// Maximum length of a file's name, in characters.
const NAME: usize = 200;

/// A file as a client sends it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFile {
    /// The name that people and the agent read.
    name: Option<String>,
    /// A data URL.
    url: String,
}

/// Stores files that belong to one message. They must be discarded if that is not accepted.
pub(crate) async fn kept(server: &ServerState, files: Vec<NewFile>) -> Result<Vec<Attachment>, ApiError> {
    if files.len() > MAX_FILES {
        return Err(ApiError::bad_request(format!("attachments: there are more than {MAX_FILES}")));
    }
    // All are read before the first one is stored.
    let contents = files.iter().enumerate().map(|(n, file)| file.read(n));
    let contents = contents.collect::<Result<Vec<_>, _>>()?;
    let mut kept = Vec::with_capacity(files.len());
    for (file, (mime, bytes)) in files.into_iter().zip(contents) {
        let name = file.name.map(|name| name.chars().take(NAME).collect());
        match server.handle.keep_file(bytes, name, mime).await {
            Ok(file) => kept.push(file),
            Err(error) => {
                tracing::error!(%error, "the files of a request could not be stored");
                server.handle.discard_files(&kept).await;
                return Err(ApiError::internal());
            }
        }
    }
    Ok(kept)
}

impl NewFile {
    /// The media type, if the URL names one, and the content. `n` is its place in the request.
    fn read(&self, n: usize) -> Result<(Option<String>, Vec<u8>), ApiError> {
        let wrong = |why: &str| ApiError::bad_request(format!("attachments[{n}].url: {why}"));
        let Some(data) = self.url.strip_prefix("data:") else {
            return Err(wrong(
                "it must be a data: URL, because the gateway downloads nothing from an address",
            ));
        };
        let Some((head, encoded)) = data.split_once(',') else { return Err(wrong("it has no data")) };
        let Some(head) = head.strip_suffix(";base64") else {
            return Err(wrong("its data must be in base64"));
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| wrong("its data is not valid base64"))?;
        if bytes.is_empty() {
            return Err(wrong("the file is empty"));
        }
        let mime = head.split(';').next().filter(|mime| !mime.is_empty());
        Ok((mime.map(str::to_owned), bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_data_url_in_base64_and_nothing_else() {
        let read = |url: &str| NewFile { name: None, url: url.to_owned() }.read(3);
        let text = (Some("text/plain".to_owned()), b"hello".to_vec());
        assert_eq!(read("data:text/plain;charset=utf-8;base64,aGVsbG8="), Ok(text));
        assert_eq!(read("data:;base64,aGVsbG8="), Ok((None, b"hello".to_vec())));
        for url in [
            "https://example.com/a",
            "/etc/passwd",
            "data:",
            "data:,hello",
            "data:;base64,***",
            "data:;base64,",
        ] {
            let error = read(url).unwrap_err();
            assert!(error.message.starts_with("attachments[3].url: "), "{url}: {}", error.message);
        }
    }
}
