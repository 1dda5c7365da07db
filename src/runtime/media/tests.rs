//! Which files an agent may send, and which paths are refused.

use std::os::unix::fs::symlink;

use frontdesk_core::markup::{Dialect, Rendering};
use frontdesk_core::message::FileKind;
use frontdesk_core::profile::{Flow, Limit, MessageChanges, Pacing, Profile, ReceiptRule, Unit};
use tempfile::TempDir;

use super::*;

static DIALECT: Dialect = Dialect { name: "test", rendering: Rendering::Verbatim };

fn profile(media: Option<u64>) -> Profile {
    Profile {
        channel: "test".to_owned(),
        limit: Limit { max: 1000, unit: Unit::Characters },
        caption: 10,
        dialect: &DIALECT,
        flow: Flow::Whole,
        receipt: ReceiptRule::Platform,
        typing: None,
        threads: false,
        media,
        albums: None,
        person_chat: None,
        operator_chat: None,
        ends: false,
        buttons: false,
        changes: MessageChanges::default(),
        waiting_marks: false,
        private_posts: false,
        command_mark: '/',
        native: None,
        idempotent: None,
        pacing: Pacing::default(),
        max_silence: None,
    }
}

/// A home with a media folder, a file in it and a secret beside it.
struct Sandbox {
    home: TempDir,
    media: Media,
}

impl Sandbox {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let limits = config::Media { max_out_bytes: 1000, ..config::Media::default() };
        let media = Media::open(&home.path().join("media"), limits).unwrap();
        let sandbox = Self { home, media };
        sandbox.write("media/a.png", b"picture");
        sandbox.write("secret.txt", b"secret");
        sandbox
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    async fn adopt(&self, path: &str) -> Result<frontdesk_store::row::OutgoingFile, MediaError> {
        self.media.adopt(Path::new(path), None, &profile(Some(500))).await
    }

    fn out(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("media/out")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[tokio::test]
async fn a_file_in_the_folder_is_copied_and_its_copy_is_sent() {
    let sandbox = Sandbox::new();
    sandbox.write("media/deep/er/b.ogg", b"voice");
    let absolute = sandbox.path("media/a.png");
    for (path, name, kind, bytes) in [
        ("a.png", "a.png", FileKind::Photo, "picture"),
        (absolute.to_str().unwrap(), "a.png", FileKind::Photo, "picture"),
        ("./deep//er/b.ogg", "b.ogg", FileKind::Voice, "voice"),
    ] {
        let adopted = sandbox.adopt(path).await.unwrap();
        assert_eq!((adopted.name.as_str(), adopted.kind), (name, kind));
        let copy = adopted.file.strip_prefix("out/").unwrap();
        assert_ne!(copy, name, "the copy has a random name");
        let sent = sandbox.media.opened(&adopted).await.unwrap();
        assert_eq!(sent.size, u64::try_from(bytes.len()).unwrap());
        assert_eq!(std::io::read_to_string(&*sent.handle).unwrap(), bytes);
        assert_eq!(
            sandbox.path("media").join(&adopted.file).metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[tokio::test]
async fn only_files_in_the_media_folder_are_sent() {
    let sandbox = Sandbox::new();
    let home = sandbox.home.path().to_str().unwrap().to_owned();
    symlink(sandbox.path("secret.txt"), sandbox.path("media/link.txt")).unwrap();
    symlink("/proc/self/environ", sandbox.path("media/environ")).unwrap();
    symlink(sandbox.home.path(), sandbox.path("media/up")).unwrap();
    symlink("a.png", sandbox.path("media/alias.png")).unwrap();
    std::fs::hard_link(sandbox.path("secret.txt"), sandbox.path("media/hard.txt")).unwrap();
    sandbox.write("media/..%2fsecret.txt", b"x");
    for path in [
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "environ",
        "file:///etc/passwd",
        "file:a.png",
        "https://example.org/a.png",
        "../secret.txt",
        "deep/../../secret.txt",
        "..%2fsecret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "link.txt",
        "alias.png",
        "up/secret.txt",
        "up/media/a.png",
        "hard.txt",
        "\\\\host\\share\\a.png",
        "//host/share/a.png",
        "C:\\a.png",
        "a.png\0.txt",
        "~/secret.txt",
        "",
        ".",
        "in",
        &format!("{home}/secret.txt"),
        &format!("{home}/media/../secret.txt"),
        &format!("{home}/mediaeval/x"),
    ] {
        let refused = sandbox.adopt(path).await;
        assert!(refused.is_err(), "{path:?} was taken: {refused:?}");
    }
    assert!(sandbox.out().is_empty(), "not even a piece was copied");
}

#[tokio::test]
async fn the_refusal_says_what_to_do() {
    let sandbox = Sandbox::new();
    symlink(sandbox.path("secret.txt"), sandbox.path("media/link.txt")).unwrap();
    sandbox.write("media/empty.txt", b"");
    for (path, why) in [
        ("/etc/passwd", "it must lie in the media folder"),
        ("link.txt", "it must lie in the media folder"),
        ("missing.png", "there is no such file in the media folder"),
        ("in", "it is not an ordinary file"),
        ("empty.txt", "it is empty"),
    ] {
        assert_eq!(sandbox.adopt(path).await.unwrap_err().to_string(), why, "{path}");
    }
    let nowhere = sandbox.media.adopt(Path::new("a.png"), None, &profile(None)).await;
    assert!(matches!(nowhere, Err(MediaError::NotHere)));
}

#[tokio::test]
async fn a_pipe_is_refused_without_waiting() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("media/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();
    assert!(matches!(sandbox.adopt("pipe").await, Err(MediaError::Odd)));
}

#[tokio::test]
async fn the_narrower_limit_holds_to_the_byte() {
    let sandbox = Sandbox::new();
    sandbox.write("media/fits.bin", &[0; 500]);
    sandbox.write("media/over.bin", &[0; 501]);
    sandbox.write("media/huge.bin", &[0; 1001]);
    assert!(sandbox.adopt("fits.bin").await.is_ok());
    assert!(matches!(sandbox.adopt("over.bin").await, Err(MediaError::TooLarge { most: 500 })));
    let generous = profile(Some(u64::MAX));
    assert!(sandbox.media.adopt(Path::new("over.bin"), None, &generous).await.is_ok());
    let huge = sandbox.media.adopt(Path::new("huge.bin"), None, &generous).await;
    assert!(matches!(huge, Err(MediaError::TooLarge { most: 1000 })));
    assert_eq!(sandbox.out().len(), 2, "what was refused left nothing");
}

#[tokio::test]
async fn a_caption_that_does_not_fit_is_sent_after_its_file() {
    let sandbox = Sandbox::new();
    let with =
        async |caption| sandbox.media.adopt(Path::new("a.png"), Some(caption), &profile(Some(500))).await;
    assert_eq!(with("ten signs!").await.unwrap().caption.unwrap().body, "ten signs!");
    let longer = with("eleven sign").await.unwrap();
    let after: Vec<&str> = longer.after.iter().map(|part| part.body.as_str()).collect();
    assert_eq!((longer.caption, after), (None, vec!["eleven sign"]));
    let empty = with(" ").await.unwrap();
    assert_eq!((empty.caption, empty.after), (None, vec![]));
    let without = Profile { caption: 0, ..profile(Some(500)) };
    let none = sandbox.media.adopt(Path::new("a.png"), Some("ten signs!"), &without).await.unwrap();
    assert_eq!((none.caption, none.after.len()), (None, 1), "a platform without captions");
}

#[tokio::test]
async fn a_stored_name_cannot_leave_the_folder() {
    let sandbox = Sandbox::new();
    let mut adopted = sandbox.adopt("a.png").await.unwrap();
    symlink(sandbox.path("secret.txt"), sandbox.path("media/out/link.txt")).unwrap();
    for file in ["../secret.txt", "/etc/passwd", "out/link.txt", "out/missing.png"] {
        file.clone_into(&mut adopted.file);
        assert!(sandbox.media.opened(&adopted).await.is_err(), "{file}");
    }
}

#[test]
fn the_folder_is_private_and_unfinished_files_are_deleted() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("media");
    std::fs::create_dir_all(root.join("in")).unwrap();
    std::fs::set_permissions(&root, Permissions::from_mode(0o777)).unwrap();
    std::fs::write(root.join("in/.part-12"), "half").unwrap();
    std::fs::write(root.join("in/34.jpg"), "whole").unwrap();
    Media::open(&root, config::Media::default()).unwrap();
    for folder in [root.clone(), root.join("in"), root.join("out")] {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert!(!root.join("in/.part-12").exists() && root.join("in/34.jpg").exists());
}

#[test]
fn a_link_in_place_of_the_folder_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("media");
    std::fs::create_dir(&root).unwrap();
    std::fs::create_dir(home.path().join("elsewhere")).unwrap();
    symlink(home.path().join("elsewhere"), root.join("out")).unwrap();
    assert!(Media::open(&root, config::Media::default()).is_err());
}
