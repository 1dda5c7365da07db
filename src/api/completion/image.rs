//! Pictures in a request. They come in the request itself: the gateway downloads nothing from addresses that a client names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_core::image::media_type;

use super::error::unsupported;
use crate::error::ApiError;

/// Maximum number of pictures in one request. Their size is limited by the size of the request.
const MAX_IMAGES: usize = 8;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// The media type.
    pub(crate) mime: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// The pictures of a request, in its order.
#[derive(Debug, Default)]
pub(super) struct Images(Vec<Image>);

impl Images {
    /// Adds the picture of a data URL and returns its number, beginning with 1.
    pub(super) fn add(&mut self, url: &str) -> Result<usize, ApiError> {
        if self.0.len() == MAX_IMAGES {
            return Err(ApiError::bad_request(format!("messages: there are more than {MAX_IMAGES} images")));
        }
        self.0.push(read(url)?);
        Ok(self.0.len())
    }

    pub(super) fn into_list(self) -> Vec<Image> {
        self.0
    }
}

/// The picture in a data URL. The first bytes say which format it has, whatever the URL says.
fn read(url: &str) -> Result<Image, ApiError> {
    let Some(data) = url.strip_prefix("data:") else {
        let why = "an image must be a data: URL, because the gateway downloads none from an address";
        return Err(unsupported("messages", why));
    };
    let encoded =
        data.split_once(',').filter(|(head, _)| head.ends_with(";base64")).map(|(_, encoded)| encoded);
    let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    let bytes =
        bytes.ok_or_else(|| ApiError::bad_request("messages: the data of an image is not valid base64"))?;
    let mime = media_type(&bytes)
        .ok_or_else(|| unsupported("messages", "an image must be PNG, JPEG, GIF or WebP"))?;
    Ok(Image { mime, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_url_with_a_picture_is_read_and_nothing_else() {
        let png = format!("data:image/png;base64,{}", STANDARD.encode(b"\x89PNG\r\n\x1a\nrest"));
        assert_eq!(read(&png).unwrap().mime, "image/png");
        let disguised = png.replace("image/png", "image/jpeg;charset=x");
        assert_eq!(read(&disguised).unwrap().mime, "image/png");
        let text = format!("data:image/png;base64,{}", STANDARD.encode(b"#!/bin/sh"));
        let sound = format!("data:image/webp;base64,{}", STANDARD.encode(b"RIFF____WAVEfmt "));
        for (url, code) in [
            (&*sound, "unsupported_parameter"),
            ("https://example.com/a.png", "unsupported_parameter"),
            ("http://169.254.169.254/", "unsupported_parameter"),
            ("file:///etc/passwd", "unsupported_parameter"),
            ("/etc/passwd", "unsupported_parameter"),
            (&*text, "unsupported_parameter"),
            ("data:image/png,abc", "bad_request"),
            ("data:image/png;base64,***", "bad_request"),
            ("data:", "bad_request"),
        ] {
            assert_eq!(read(url).unwrap_err().code, code, "{url}");
        }
    }

    #[test]
    fn the_number_of_pictures_is_limited() {
        let mut images = Images::default();
        let png = format!("data:;base64,{}", STANDARD.encode(b"\x89PNG\r\n\x1a\n"));
        for n in 1..=MAX_IMAGES {
            assert_eq!(images.add(&png), Ok(n));
        }
        assert!(images.add(&png).is_err());
    }
}
