//! Takes over what was left in the directory of attachments by somebody else: an executable, or a process that was killed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use camino::Utf8Path;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};

use super::attachment::{self, Attachment, AttachmentLimits, Room};
use super::media_type;

/// Directories inside each other that are looked into.
const DEPTH: usize = 8;

/// Entries of directories that are looked at; a case that leaves more has left a mess.
const MOST_ENTRIES: usize = 10_000;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// In the order of their names.
    pub(crate) attachments: Vec<Attachment>,
    /// How many were removed: over a limit, or no regular file that can be read.
    pub(crate) left_out: u64,
}

/// Takes over the files in `directory`, below `root`; there may be no such directory. `told` is what their author told of them.
///
/// Afterwards the directory holds nothing but what is returned, each file under a safe name. All that is done is done to what is in the
/// directory itself: a link is removed, not what it leads to.
///
/// # Errors
/// If the directory cannot be read.
pub(crate) fn collect(
    directory: &Utf8Path,
    root: &Utf8Path,
    limits: AttachmentLimits,
    told: Vec<Attachment>,
) -> io::Result<Collected> {
    let top = match attachment::open_directory(directory) {
        Ok(top) => top,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Collected::default()),
        Err(error) => return Err(error),
    };
    let told = told.into_iter();
    let told = told.filter_map(|one| Some((one.file.file_name()?.to_owned(), one)));
    let mut collector = Collector {
        top,
        directory,
        root,
        room: limits.into(),
        told: told.collect(),
        entries: 0,
        collected: Collected::default(),
    };
    let top = collector.top.try_clone()?;
    collector.walk(&top, Path::new(""), 0)?;
    if collector.collected.attachments.is_empty() {
        // Nothing is in it any more.
        drop(fs::remove_dir(directory));
    }
    Ok(collector.collected)
}

struct Collector<'a> {
    top: OwnedFd,
    directory: &'a Utf8Path,
    root: &'a Utf8Path,
    room: Room,
    told: BTreeMap<String, Attachment>,
    entries: usize,
    collected: Collected,
}

impl Collector<'_> {
    /// `path` is that of the directory `open`, relative to the top.
    fn walk(&mut self, open: &OwnedFd, path: &Path, depth: usize) -> io::Result<()> {
        for name in names(open)? {
            self.entries += 1;
            let kind = statat(open, &*name, AtFlags::SYMLINK_NOFOLLOW);
            let kind = kind.map(|stat| FileType::from_raw_mode(stat.st_mode));
            let too_many = self.entries > MOST_ENTRIES;
            match kind {
                Ok(FileType::Directory) if depth < DEPTH && !too_many => {
                    let flags =
                        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    if let Ok(inner) = openat(open, &*name, flags, Mode::empty()) {
                        self.walk(&inner, &path.join(&name), depth + 1)?;
                    }
                    if unlinkat(open, &*name, AtFlags::REMOVEDIR).is_err() {
                        self.remove_tree(&path.join(&name));
                    }
                }
                Ok(FileType::Directory) => self.remove_tree(&path.join(&name)),
                Ok(FileType::RegularFile) if !too_many && !is_part(&name) => {
                    if !matches!(self.take(open, path, &name), Ok(true)) {
                        self.remove(open, &name);
                    }
                }
                // What was being written when its writer was killed belongs to nobody.
                Ok(FileType::RegularFile) if is_part(&name) => {
                    let _ = unlinkat(open, &*name, AtFlags::empty());
                }
                Ok(_) => self.remove(open, &name),
                // It is gone.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn remove(&mut self, open: &OwnedFd, name: &OsStr) {
        self.collected.left_out += 1;
        // A report names only what was taken.
        let _ = unlinkat(open, name, AtFlags::empty());
    }

    /// Removes a directory that is too deep, or cannot be read.
    fn remove_tree(&mut self, path: &Path) {
        self.collected.left_out += 1;
        drop(fs::remove_dir_all(self.directory.as_std_path().join(path)));
    }

    /// Takes a regular file; false if it is too much.
    fn take(&mut self, open: &OwnedFd, path: &Path, name: &OsStr) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(openat(open, name, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() || self.room.files == 0 || metadata.len() > self.room.bytes {
            return Ok(false);
        }
        let Some((bytes, sha256)) = attachment::copy(&mut file, &mut io::sink(), self.room.bytes)?
        else {
            return Ok(false);
        };
        let shown = path.join(name);
        let shown = shown.to_string_lossy();
        let told = name.to_str().and_then(|name| self.told.remove(name));
        let safe = attachment::safe_name(&shown);
        let is_in_place = path.as_os_str().is_empty() && name.as_bytes() == safe.as_bytes();
        let file = if is_in_place {
            safe
        } else {
            attachment::move_to(open, &self.top, name.as_ref(), &safe)?
        };
        self.room.files -= 1;
        self.room.bytes -= bytes;
        let file = self.directory.join(file);
        let file = file.strip_prefix(self.root).unwrap_or(&file).to_owned();
        let (name, media_type) = match told {
            Some(told) => (told.name, told.media_type),
            None => (attachment::title(&shown), media_type::of("", &shown)),
        };
        self.collected.attachments.push(Attachment {
            name,
            media_type,
            bytes,
            sha256,
            file,
        });
        Ok(true)
    }
}

/// Whether it is what an attachment is called while it is written.
fn is_part(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".part-")
}

/// Names in a directory, sorted: what is taken, and how it is called, must not depend on the file system.
fn names(open: &OwnedFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(open)?.take(MOST_ENTRIES + 3) {
        let name = entry?.file_name().to_bytes().to_owned();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::Arc;

    use camino::Utf8PathBuf;

    use super::super::{CaseId, CaseRun, Evidence};
    use super::*;
    use crate::supervisor::Cancellation;

    struct Place {
        _scratch: tempfile::TempDir,
        root: Utf8PathBuf,
        run: Arc<CaseRun>,
    }

    fn place() -> Place {
        let scratch = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(scratch.path().to_owned()).unwrap();
        let cancellation = Cancellation::new().unwrap();
        let run = CaseRun::new(CaseId::new("a::b"), "r", root.join("outputs"), cancellation);
        Place {
            _scratch: scratch,
            root,
            run: Arc::new(run),
        }
    }

    impl Place {
        fn directory(&self) -> Utf8PathBuf {
            let directory = self.run.attachments();
            fs::create_dir_all(&directory).unwrap();
            directory
        }

        fn collect(&self, limits: AttachmentLimits) -> Collected {
            collect(&self.run.attachments(), &self.root, limits, Vec::new()).unwrap()
        }

        fn in_directory(&self) -> Vec<String> {
            let entries = fs::read_dir(self.run.attachments());
            let mut names: Vec<_> = entries
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    fn names(attachments: &[Attachment]) -> Vec<(&str, &str)> {
        let shown = attachments.iter();
        shown
            .map(|one| (&*one.name, one.file.file_name().unwrap()))
            .collect()
    }

    const TWO: AttachmentLimits = AttachmentLimits {
        files: 2,
        bytes: 10,
    };

    #[test]
    fn hostile_names_become_safe_files_in_the_directory_and_stay_apart() {
        let place = place();
        let evidence = Evidence::new(Arc::clone(&place.run), AttachmentLimits::default());
        let hostile = [
            "../../etc/passwd",
            "/etc/passwd",
            "..",
            "",
            "a\nb\u{1b}[31m.txt",
            "<script>alert(1)</script>.html",
            "-rf",
            "übung.png",
            "log.txt",
            "log.txt",
            ".part-1",
        ];
        for name in hostile {
            evidence.attach(name, "", name.as_bytes()).unwrap();
        }
        evidence.attach(&"x".repeat(5000), "", b"long").unwrap();
        let told = evidence.close();
        let mut kept: Vec<_> = names(&told.attachments);
        let long = kept.pop().unwrap();
        assert_eq!((long.0.len(), long.1.len()), (200, 80));
        assert_eq!(
            kept.iter().map(|(_, file)| *file).collect::<Vec<_>>(),
            [
                "etc_passwd",
                "etc_passwd-2",
                "attachment",
                "attachment-2",
                "a_b_31m.txt",
                "script_alert_1_script_.html",
                "rf",
                "bung.png",
                "log.txt",
                "log-2.txt",
                "part-1",
            ]
        );
        assert_eq!(place.in_directory().len(), 12);
        let first = &told.attachments[8];
        assert_eq!(first.media_type.as_ref(), "text/plain");
        assert_eq!(first.bytes, 7);
        assert!(place.root.join(&first.file).is_file());
        assert_eq!(
            &*first.sha256,
            "d7e60b33c666e6c4849584b9c36ca85791b55bca10162b75a1d6aa02e8dfdd9e"
        );
        // Nothing is beside the directory.
        assert_eq!(fs::read_dir(&place.root).unwrap().count(), 1);
    }

    #[test]
    fn what_is_too_much_is_left_out_and_counted() {
        let place = place();
        let evidence = Evidence::new(Arc::clone(&place.run), TWO);
        evidence.attach("a", "", b"12345678901").unwrap();
        evidence.attach("b", "", b"123456").unwrap();
        evidence.attach("c", "", b"12345").unwrap();
        evidence.attach("d", "", b"1234").unwrap();
        evidence.attach("e", "", b"").unwrap();
        let told = evidence.close();
        assert_eq!(names(&told.attachments), [("b", "b"), ("d", "d")]);
        assert_eq!(told.attachments_left_out, 3);
        assert_eq!(place.in_directory(), ["b", "d"]);
    }

    #[test]
    fn only_regular_files_can_be_attached() {
        let place = place();
        let target = place.root.join("secret");
        fs::write(&target, "secret").unwrap();
        let link = place.root.join("link");
        symlink(&target, &link).unwrap();
        let evidence = Evidence::new(Arc::clone(&place.run), AttachmentLimits::default());
        for path in [link.as_str(), place.root.as_str(), "/dev/null"] {
            let error = evidence.attach_file("x", "", Path::new(path)).unwrap_err();
            assert!(error.to_string().contains("no regular file"), "{error}");
        }
        let missing = evidence.attach_file("x", "", Path::new("/nowhere/x"));
        assert_eq!(missing.unwrap_err().to_string(), "cannot open `/nowhere/x`");
        evidence.attach_file("x", "", target.as_std_path()).unwrap();
        assert_eq!(evidence.close().attachments[0].bytes, 6);
    }

    #[test]
    fn what_an_executable_leaves_is_taken_over_and_links_lead_nowhere() {
        let place = place();
        let directory = place.directory();
        let secret = place.root.join("secret");
        fs::write(&secret, "secret").unwrap();
        symlink(&secret, directory.join("link.txt")).unwrap();
        symlink("/", directory.join("root")).unwrap();
        fs::create_dir_all(directory.join("sub/deeper")).unwrap();
        fs::write(directory.join("sub/deeper/x.log"), "x").unwrap();
        fs::write(directory.join("sub.deeper"), "other").unwrap();
        fs::write(directory.join("plain.txt"), "text").unwrap();
        fs::write(directory.join("a b\n.txt"), "odd").unwrap();
        fs::write(directory.join(".part-7"), "half").unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            directory.join("fifo").as_std_path(),
            Mode::from_raw_mode(0o600),
        )
        .unwrap();
        let mut deep = directory.join("d");
        for _ in 0..12 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("lost"), "x").unwrap();

        let collected = place.collect(AttachmentLimits::default());
        assert_eq!(
            names(&collected.attachments),
            [
                ("a b\n.txt", "a_b_.txt"),
                ("plain.txt", "plain.txt"),
                ("sub/deeper/x.log", "sub_deeper_x.log"),
                ("sub.deeper", "sub.deeper"),
            ]
        );
        assert_eq!(
            collected.left_out, 4,
            "two links, the pipe, what is too deep"
        );
        assert_eq!(
            place.in_directory(),
            ["a_b_.txt", "plain.txt", "sub.deeper", "sub_deeper_x.log"]
        );
        assert_eq!(fs::read_to_string(secret).unwrap(), "secret");
        // A second look finds the same.
        let again = place.collect(AttachmentLimits::default());
        assert_eq!(again.attachments.len(), 4);
        assert_eq!(again.left_out, 0);
    }

    #[test]
    fn limits_hold_for_what_is_left_too() {
        let place = place();
        let directory = place.directory();
        for name in ["a", "b", "c", "d"] {
            fs::write(directory.join(name), "12345").unwrap();
        }
        let huge = File::create(directory.join("0-huge")).unwrap();
        huge.set_len(1 << 40).unwrap();
        let collected = place.collect(TWO);
        assert_eq!(names(&collected.attachments), [("a", "a"), ("b", "b")]);
        assert_eq!(collected.left_out, 3);
        assert_eq!(place.in_directory(), ["a", "b"]);
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_refused_and_none_is_nothing() {
        let place = place();
        assert_eq!(place.collect(TWO), Collected::default());
        fs::create_dir_all(&place.run.outputs).unwrap();
        symlink("/etc", place.run.attachments()).unwrap();
        let limits = AttachmentLimits::default();
        let directory = place.run.attachments();
        assert!(collect(&directory, &place.root, limits, Vec::new()).is_err());
        fs::remove_file(&directory).unwrap();
        fs::create_dir(&directory).unwrap();
        assert_eq!(place.collect(TWO), Collected::default());
        assert!(!directory.exists(), "an empty one is removed");
    }
}
