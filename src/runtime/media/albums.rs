//! Which files of an answer are sent together as an album.

use frontdesk_core::profile::Profile;
use frontdesk_store::row::OutgoingFile;

/// Joins files that follow each other into albums, as the platform accepts them.
pub(crate) fn join(files: &mut [OutgoingFile], profile: &Profile) {
    let Some(albums) = &profile.albums else { return };
    let mut album = Vec::new();
    let mut text_follows = false;
    for file in files {
        file.joins = !album.is_empty() && !text_follows && albums.accept(&album, file.kind);
        if !file.joins {
            album.clear();
        }
        album.push(file.kind);
        // The text that did not fit beneath a file must come before the next file.
        text_follows = !file.after.is_empty();
    }
}
