//! Uploads and downloads of files.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use frontdesk_botapi::{BotApi, Content, Fault};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::delivery::{AlbumFile, Delivery, MediaFile, SendError};
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::port::{Adapter, FetchError};
use frontdesk_telegram::{Account, Settings, TelegramAdapter};
use futures_util::StreamExt;

use crate::setup::{account, adapter, post, running, to, until};

fn file(bytes: &[u8], name: &str, mime: &str, kind: FileKind) -> MediaFile {
    let mut handle = tempfile::tempfile().unwrap();
    handle.write_all(bytes).unwrap();
    let size = u64::try_from(bytes.len()).unwrap();
    MediaFile {
        handle: Arc::new(handle),
        size,
        name: name.into(),
        mime: Some(mime.into()),
        kind,
        tried: false,
    }
}

async fn got(telegram: &TelegramAdapter, file: &Attachment) -> Result<Vec<u8>, FetchError> {
    let mut pieces = telegram.fetch(file).await?;
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        whole.extend(piece?);
    }
    Ok(whole)
}

#[tokio::test]
async fn a_file_is_sent_as_its_kind_with_its_caption() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    let kinds = [
        (FileKind::Photo, "a.png", "image/png", "sendPhoto"),
        (FileKind::Photo, "a.svg", "image/svg+xml", "sendDocument"),
        (FileKind::Document, "a b.pdf", "application/pdf", "sendDocument"),
        (FileKind::Voice, "a.ogg", "audio/ogg", "sendVoice"),
        (FileKind::Audio, "a.mp3", "audio/mpeg", "sendAudio"),
        (FileKind::Video, "a.mp4", "video/mp4", "sendVideo"),
        (FileKind::Animation, "a.gif", "image/gif", "sendAnimation"),
    ];
    for (kind, name, mime, method) in kinds {
        let file = file(&[7; 300_000], name, mime, kind);
        let delivery = Delivery::Media { file, post: post("<b>see</b>", "see") };
        let receipt = telegram
            .deliver(&to("telegram:1001"), delivery)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(receipt.message.is_some());
        let call = api.journal().posts_in(&anna).pop().unwrap();
        assert_eq!(call.method, method, "{name}");
        assert_eq!(anna.sees().pop().unwrap().text, "see", "{name}");
    }
}

#[tokio::test]
async fn a_picture_that_telegram_cannot_show_goes_as_a_file() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    api.fault(Fault::refuse(400, "Bad Request: PHOTO_INVALID_DIMENSIONS").on("sendPhoto"));
    let delivery =
        Delivery::Media { file: file(&[1; 10], "a.png", "image/png", FileKind::Photo), post: post("", "") };
    telegram.deliver(&to("telegram:1001"), delivery).await.unwrap();
    assert_eq!(api.journal().posts_in(&anna).pop().unwrap().method, "sendDocument");
}

/// The beginning of a PNG file.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// The beginning of a JPEG file, after this number of bytes of metadata.
fn jpeg(width: u16, height: u16, metadata: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1];
    bytes.extend((metadata + 2).to_be_bytes());
    bytes.extend(vec![0; usize::from(metadata)]);
    bytes.extend([0xff, 0xc0, 0, 11, 8]);
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
    bytes
}

#[tokio::test]
async fn a_picture_too_large_or_too_long_to_be_shown_is_uploaded_once_as_a_file() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    for (bytes, name, mime, methods) in [
        (png(800, 600), "a.png", "image/png", vec!["sendPhoto"]),
        (png(9_000, 1_001), "a.png", "image/png", vec!["sendDocument"]),
        (png(2_100, 100), "a.png", "image/png", vec!["sendDocument"]),
        (jpeg(4_000, 3_000, 60_000), "a.jpg", "image/jpeg", vec!["sendPhoto"]),
        (jpeg(6_000, 6_000, 60_000), "a.jpg", "image/jpeg", vec!["sendDocument"]),
    ] {
        let before = api.journal().calls().len();
        let delivery =
            Delivery::Media { file: file(&bytes, name, mime, FileKind::Photo), post: post("see", "see") };
        telegram.deliver(&to("telegram:1001"), delivery).await.unwrap();
        let sent: Vec<_> = api.journal().calls()[before..].iter().map(|call| call.method.clone()).collect();
        assert_eq!(sent, methods, "{name} of {} bytes", bytes.len());
    }
}

#[tokio::test]
async fn a_file_over_the_limit_is_not_uploaded() {
    let api = BotApi::start().await;
    let handle = Arc::new(File::open("/dev/null").unwrap());
    let file = MediaFile {
        handle,
        size: 50_000_001,
        name: "x".into(),
        mime: None,
        kind: FileKind::Document,
        tried: false,
    };
    let refused = adapter(account(&api))
        .deliver(&to("telegram:1001"), Delivery::Media { file, post: post("", "") })
        .await;
    assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
    assert!(api.journal().calls().is_empty());
}

#[tokio::test]
async fn a_received_file_can_be_downloaded_and_one_that_is_too_large_cannot() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    anna.message(&anna).text("see").document(Content::of(bytes.clone()).named("a.bin")).send().await;
    let mut huge = Content::of(vec![0; 10]).named("huge.bin");
    huge.claimed = 30_000_000;
    anna.message(&anna).document(huge).send().await;
    let telegram = adapter(account(&api));
    running(&telegram, &inbox, async { until(|| inbox.events().len() == 2).await }).await;
    let files: Vec<Attachment> = inbox.events().into_iter().flat_map(|event| event.attachments).collect();
    assert_eq!(files[0].name.as_deref(), Some("a.bin"));
    assert!(got(&telegram, &files[0]).await.unwrap() == bytes);
    assert!(matches!(got(&telegram, &files[1]).await, Err(FetchError::Refused(_))), "as its size says");
    let unsized_one = Attachment { size: None, ..files[1].clone() };
    let refused = got(&telegram, &unsized_one).await;
    assert!(matches!(&refused, Err(FetchError::Refused(why)) if why.contains("20 MB")), "{refused:?}");
    let unknown = Attachment { reference: "no-such-file".into(), size: None, ..files[0].clone() };
    assert!(matches!(got(&telegram, &unknown).await, Err(FetchError::Refused(_))));
    api.fault(Fault::status(502).on("getFile").times(1));
    assert!(matches!(got(&telegram, &files[0]).await, Err(FetchError::Later(_))));
    api.cut().await;
    assert!(matches!(got(&telegram, &files[0]).await, Err(FetchError::Later(_))));
}

#[tokio::test]
async fn a_server_of_ones_own_puts_files_of_any_size_on_the_disk() {
    let (api, folder) = (BotApi::start().await, tempfile::tempdir().unwrap());
    api.local(folder.path());
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    anna.message(&anna).document(Content::of(vec![7; 25_000_000]).named("large.bin")).send().await;
    let of = |local_files: bool, most: u64| {
        let account = account(&api);
        let settings = Settings { local_files, max_download_bytes: most, ..account.settings.clone() };
        adapter(Account { settings, ..account })
    };
    let telegram = of(true, 30_000_000);
    running(&telegram, &inbox, async { until(|| inbox.events().len() == 1).await }).await;
    let file = inbox.events()[0].attachments[0].clone();
    assert!(got(&telegram, &file).await.unwrap() == vec![7; 25_000_000]);
    assert!(matches!(got(&of(true, 20_000_000), &file).await, Err(FetchError::Refused(_))), "over the limit");
    let refused = got(&of(false, 30_000_000), &file).await;
    assert!(matches!(&refused, Err(FetchError::Refused(why)) if why.contains("local_files")), "{refused:?}");
}

fn album(files: &[(&str, &str, FileKind, &str)]) -> Delivery {
    let one = |(name, mime, kind, caption): &(&str, &str, FileKind, &str)| AlbumFile {
        file: file(&[7; 1000], name, mime, *kind),
        post: post(caption, &caption.replace("<b>", "").replace("</b>", "")),
    };
    Delivery::Album(files.iter().map(one).collect())
}

#[tokio::test]
async fn an_album_is_one_request_with_a_caption_and_an_id_for_each_file() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let hello = anna.starts().await;
    let telegram = adapter(account(&api));
    let albums = [
        [
            ("a.png", "image/png", FileKind::Photo, "<b>one</b>"),
            ("b.mp4", "video/mp4", FileKind::Video, "a < b"),
        ],
        [
            ("a.pdf", "application/pdf", FileKind::Document, ""),
            ("b.txt", "text/plain", FileKind::Document, "two"),
        ],
        [("a.mp3", "audio/mpeg", FileKind::Audio, ""), ("b.mp3", "audio/mpeg", FileKind::Audio, "")],
    ];
    for files in albums {
        let Delivery::Album(mut parts) = album(&files) else { panic!() };
        parts[0].post.reply_to = Some(hello.message_id.to_string());
        let before = api.journal().calls().len();
        let sent = telegram.deliver(&to("telegram:1001"), Delivery::Album(parts)).await.unwrap();
        let calls: Vec<_> = api.journal().calls()[before..].to_vec();
        assert_eq!(calls.iter().map(|call| call.method.as_str()).collect::<Vec<_>>(), ["sendMediaGroup"]);
        assert!(calls[0].params["reply_parameters"].to_string().contains(&hello.message_id.to_string()));
        let shown = anna.sees().split_off(anna.sees().len() - 2);
        let ids: Vec<String> = shown.iter().map(|shown| shown.message_id.to_string()).collect();
        assert_eq!((sent.message, sent.others), (Some(ids[0].clone()), vec![ids[1].clone()]));
        let captions: Vec<&str> = shown.iter().map(|shown| shown.text.as_str()).collect();
        let expected = files.map(|(.., caption)| caption.replace("<b>", "").replace("</b>", ""));
        assert_eq!(captions, expected);
    }
}

#[tokio::test]
async fn an_album_that_telegram_would_refuse_is_refused_before_its_upload() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(account(&api));
    let before = api.journal().calls().len();
    let png = ("a.png", "image/png", FileKind::Photo, "");
    let svg = ("b.svg", "image/svg+xml", FileKind::Photo, "");
    let mixed = telegram.deliver(&to("telegram:1001"), album(&[png, svg])).await;
    assert!(matches!(mixed, Err(SendError::Refused(_))), "{mixed:?}");
    let large = || AlbumFile {
        file: MediaFile { size: 30_000_000, ..file(&[1], "a.pdf", "application/pdf", FileKind::Document) },
        post: post("", ""),
    };
    let large = telegram.deliver(&to("telegram:1001"), Delivery::Album(vec![large(), large()])).await;
    assert!(matches!(large, Err(SendError::Refused(_))), "{large:?}");
    assert_eq!(api.journal().calls().len(), before);

    let markup = album(&[png, ("b.png", "image/png", FileKind::Photo, "<b>two")]);
    let markup = telegram.deliver(&to("telegram:1001"), markup).await;
    assert!(matches!(markup, Err(SendError::Markup(_))), "{markup:?}");
    api.fault(Fault::lost().on("sendMediaGroup").times(1));
    let lost = telegram.deliver(&to("telegram:1001"), album(&[png, png])).await;
    assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
}
