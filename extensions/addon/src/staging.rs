//! What is written but not in place yet: files and directories whose names begin with `.addon-`, locked as long as somebody works on them.
//!
//! A process that is killed leaves them behind. Whoever writes in that directory next takes them away: what nobody has locked is nobody's.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;
use rustix::fs::{FlockOperation, OFlags, flock};

/// What their names begin with.
pub(crate) const PREFIX: &str = ".addon-";

/// Holds a file or a directory, for as long as the result lives.
///
/// # Errors
/// Whatever the system says.
pub(crate) fn hold(path: &Utf8Path) -> io::Result<File> {
    let file = open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// A link is no such file, wherever it leads.
fn open(path: &Utf8Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Takes away what killed processes have left in a directory. What cannot be taken away stays.
pub(crate) fn sweep(directory: &Utf8Path) {
    for entry in directory.read_dir_utf8().into_iter().flatten().flatten() {
        let is_ours = entry.file_name().starts_with(PREFIX);
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if !is_ours || !(kind.is_dir() || kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let Ok(_held) = hold(path) else { continue };
        let removed = if kind.is_dir() {
            std::fs::remove_dir_all(path)
        } else {
            std::fs::remove_file(path)
        };
        if let Err(error) = removed {
            tracing::warn!(%error, "`{path}`, which a killed process has left, cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i5_only_what_nobody_holds_is_taken_away() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        for name in [".addon-left", ".addon-held", "mine"] {
            std::fs::create_dir_all(root.join(name).join("src")).unwrap();
        }
        std::fs::write(root.join(".addon-file"), "left").unwrap();
        std::os::unix::fs::symlink("mine", root.join(".addon-link")).unwrap();
        let _held = hold(&root.join(".addon-held")).unwrap();
        sweep(root);
        let mut names: Vec<_> = root
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, [".addon-held", ".addon-link", "mine"]);
        assert!(root.join("mine/src").is_dir());
    }
}
