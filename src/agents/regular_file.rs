//! Reads files that a person names: regular files of a bounded size. Opening a FIFO would wait for a writer that may never
//! come, and a device may never end.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file, or a symbolic link to one, for reading. Never waits for another program.
pub fn open(path: &Path) -> Result<File> {
    // Asked before the file is opened, because some devices act on being opened.
    check(std::fs::metadata(path)?.is_file())?;
    let without_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(without_waiting).open(path)?;
    check(file.metadata()?.is_file())?;
    Ok(file)
}

/// The content of a regular file of at most `largest` bytes.
pub fn read(path: &Path, largest: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.take(largest.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > largest {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is larger than {}", size(largest))));
    }
    Ok(content)
}

/// Like [`read`], for a text.
pub fn read_text(path: &Path, largest: u64) -> Result<String> {
    String::from_utf8(read(path, largest)?).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

fn check(is_file: bool) -> Result<()> {
    if is_file { Ok(()) } else { Err(Error::new(ErrorKind::InvalidInput, "it is not an ordinary file")) }
}

fn size(bytes: u64) -> String {
    match bytes {
        n if n >= 1 << 20 => format!("{} MiB", n >> 20),
        n => format!("{} KiB", n >> 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_and_links_to_them_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        assert_eq!(read_text(&at("link"), 1 << 10).unwrap(), "text");
        let (fifo, mode) = (at("fifo"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        std::os::unix::fs::symlink("fifo", at("link-to-fifo")).unwrap();
        for odd in [fifo, at("link-to-fifo"), "/dev/zero".into(), dir.path().to_owned()] {
            let error = read(&odd, 1 << 10).unwrap_err().to_string();
            assert_eq!(error, "it is not an ordinary file", "{}", odd.display());
        }
        std::fs::write(at("file"), vec![b'x'; 1025]).unwrap();
        assert_eq!(read(&at("file"), 1 << 10).unwrap_err().to_string(), "it is larger than 1 KiB");
    }
}
