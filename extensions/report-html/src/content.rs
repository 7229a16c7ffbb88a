//! Attachments that the page holds, so that they are there wherever it is taken to.

use std::fs::File;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use k2::case::Attachment;
use rustix::fs::{CWD, Mode, OFlags, openat};

/// Images that a browser shows and that hold no script.
const IMAGES: [&str; 6] = [
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "image/webp",
];

/// Text that is no `text/…`.
const TEXTS: [&str; 4] = [
    "application/json",
    "application/toml",
    "application/xml",
    "application/yaml",
];

/// Largest image that the page holds, in bytes: a photograph of a screen.
const LARGEST_IMAGE: u64 = 2 * 1024 * 1024;

/// Largest text that the page holds, in bytes.
const LARGEST_TEXT: u64 = 256 * 1024;

/// What the page shows of `attachment`, a file below `directory`: text, or an image in base 64; nothing if it is something else, too
/// large, more than `room`, or not what was recorded any more.
pub(crate) fn read(directory: &Utf8Path, attachment: &Attachment, room: u64) -> String {
    let kind = &*attachment.media_type;
    let is_image = IMAGES.contains(&kind);
    let is_text = kind.starts_with("text/") || TEXTS.contains(&kind);
    let most = match (is_image, is_text) {
        (true, _) => LARGEST_IMAGE,
        (_, true) => LARGEST_TEXT,
        _ => return String::new(),
    };
    if attachment.bytes > most.min(room) {
        return String::new();
    }
    let Some(bytes) = content(directory, attachment) else {
        return String::new();
    };
    if is_image {
        STANDARD.encode(bytes)
    } else {
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The bytes of a regular file of the recorded size in the directory; no link is followed out of it.
fn content(directory: &Utf8Path, attachment: &Attachment) -> Option<Vec<u8>> {
    let is_inside = |part| matches!(part, camino::Utf8Component::Normal(_));
    if !attachment.file.components().all(is_inside) {
        return None;
    }
    let path = directory.join(&attachment.file);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, path.as_std_path(), flags, Mode::empty()).ok()?);
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() != attachment.bytes {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(attachment.bytes).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn attachment(file: &str, kind: &str, bytes: u64) -> Attachment {
        Attachment {
            name: file.into(),
            media_type: kind.into(),
            bytes,
            sha256: "".into(),
            file: file.into(),
        }
    }

    #[test]
    fn images_and_texts_are_shown_and_nothing_from_elsewhere() {
        let scratch = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(scratch.path()).unwrap();
        let directory = root.join("run");
        fs::create_dir(&directory).unwrap();
        fs::write(root.join("secret"), "secret").unwrap();
        fs::write(directory.join("a.txt"), "größe").unwrap();
        symlink("../secret", directory.join("link")).unwrap();
        let shown =
            |file: &str, kind: &str, bytes| read(&directory, &attachment(file, kind, bytes), 1000);
        assert_eq!(shown("a.txt", "text/plain", 7), "größe");
        assert_eq!(shown("a.txt", "image/png", 7), "Z3LDtsOfZQ==");
        assert_eq!(shown("a.txt", "application/zip", 7), "");
        assert_eq!(shown("a.txt", "text/plain", 6), "", "it has changed");
        assert_eq!(shown("link", "text/plain", 6), "");
        assert_eq!(shown("../secret", "text/plain", 6), "");
        assert_eq!(shown("/etc/hostname", "text/plain", 6), "");
        assert_eq!(shown("gone", "text/plain", 6), "");
        let large = attachment("a.txt", "text/plain", 7);
        assert_eq!(read(&directory, &large, 6), "", "no room");
    }
}
