//! Files of chats, in and out, piece by piece: no file is in memory as a whole.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_core::delivery::MediaFile;
use frontdesk_core::port::{Bytes, FetchError};
use futures_util::stream::{self, Stream, StreamExt};
use reqwest::multipart::Part;
use reqwest::{Body, Response, StatusCode};

/// The size of the pieces in which a file is read.
const PIECE: usize = 256 * 1024;

/// An outgoing file as a part of a form.
pub fn form_part(file: &MediaFile) -> Part {
    let untyped = || {
        let body = Body::wrap_stream(pieces(file.handle.clone(), file.size));
        Part::stream_with_length(body, file.size).file_name(file.name.clone())
    };
    match &file.mime {
        // An invalid media type would make the whole request fail.
        Some(mime) => untyped().mime_str(mime).unwrap_or_else(|_| untyped()),
        None => untyped(),
    }
}

/// The first bytes of an outgoing file, at most `most`; an error if it is shorter than it should be.
pub async fn head(file: &MediaFile, most: usize) -> io::Result<Vec<u8>> {
    let handle = file.handle.clone();
    let length = usize::try_from(file.size).unwrap_or(most).min(most);
    let read = tokio::task::spawn_blocking(move || {
        let mut head = vec![0; length];
        handle.read_exact_at(&mut head, 0).map(|()| head)
    });
    read.await.map_err(io::Error::other)?
}

/// The bytes of a file, read by position, because several requests may share the handle.
fn pieces(file: Arc<File>, size: u64) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    stream::try_unfold((file, 0_u64), move |(file, at)| async move {
        let left = size.saturating_sub(at);
        if left == 0 {
            return Ok(None);
        }
        let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; length];
            file.read_exact_at(&mut piece, at).map(|()| (piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        let next = at + u64::try_from(piece.len()).unwrap_or(left);
        Ok(Some((piece, (file, next))))
    })
}

/// The file in a response, of at most `most` bytes.
pub fn download(response: Response, most: u64) -> Result<Bytes, FetchError> {
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
            return Err(FetchError::Refused(format!("HTTP {}", response.status().as_u16())));
        }
        other => return Err(FetchError::Later(format!("HTTP {}", other.as_u16()))),
    }
    if response.content_length().is_some_and(|length| length > most) {
        return Err(too_big(most));
    }
    let pieces = response.bytes_stream().map(|piece| match piece {
        Ok(piece) => Ok(piece.to_vec()),
        Err(error) => Err(FetchError::Later(error.without_url().to_string())),
    });
    Ok(capped(pieces, most).boxed())
}

/// A file on this machine, of at most `most` bytes. Only for a path that a trusted server has named.
pub async fn open_local(path: PathBuf, most: u64) -> Result<Bytes, FetchError> {
    let opened = tokio::task::spawn_blocking(move || {
        // Opening a FIFO would wait for its writer.
        match std::fs::metadata(&path)?.is_file() {
            true => File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file))),
            false => Err(io::Error::other("it is no regular file")),
        }
    });
    let refused = |error: io::Error| FetchError::Refused(format!("the file cannot be read here: {error}"));
    let (size, file) = opened.await.map_err(io::Error::other).and_then(|opened| opened).map_err(refused)?;
    if size > most {
        return Err(too_big(most));
    }
    Ok(pieces(Arc::new(file), size).map(move |piece| piece.map_err(refused)).boxed())
}

/// The error of a file of more than `most` bytes.
pub fn too_big(most: u64) -> FetchError {
    FetchError::Refused(format!("the file is over {most} bytes"))
}

/// Ends with an error when the download exceeds the limit.
fn capped(
    pieces: impl Stream<Item = Result<Vec<u8>, FetchError>> + Send + 'static,
    most: u64,
) -> impl Stream<Item = Result<Vec<u8>, FetchError>> + Send + 'static {
    let mut left = most;
    pieces.map(move |piece| {
        let piece = piece?;
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        left = left.checked_sub(length).ok_or_else(|| too_big(most))?;
        Ok(piece)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn a_file_can_be_read_several_times_through_one_handle() {
        let whole: Vec<u8> = (0..PIECE + 1000).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&whole).unwrap();
        let handle = Arc::new(file);
        let size = u64::try_from(whole.len()).unwrap();
        for _ in 0..2 {
            let read: Vec<Vec<u8>> = pieces(handle.clone(), size).map(Result::unwrap).collect().await;
            assert!(read.concat() == whole);
        }
        let longer: Vec<io::Result<Vec<u8>>> = pieces(handle, size + 1).collect().await;
        assert!(longer.last().unwrap().is_err(), "a file that shrank is not sent as if it were whole");
    }

    #[tokio::test]
    async fn a_local_file_is_read_up_to_its_limit_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("voice.ogg");
        std::fs::write(&path, [7; 100]).unwrap();
        let read: Vec<_> = open_local(path.clone(), 100).await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(read.concat(), [7; 100]);
        for (path, most) in [(path, 99), (folder.path().to_owned(), 100), (folder.path().join("gone"), 100)] {
            assert!(matches!(open_local(path, most).await, Err(FetchError::Refused(_))));
        }
    }

    #[tokio::test]
    async fn a_file_that_does_not_end_is_cut_off() {
        let endless = stream::repeat_with(|| Ok(vec![0; 10]));
        let got: Vec<_> = capped(endless, 25).take(3).collect().await;
        assert!(got[1].is_ok() && matches!(got[2], Err(FetchError::Refused(_))));
    }
}
