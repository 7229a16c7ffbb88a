use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Priority;
use crate::config::load::{LoadError, SIZE_LIMIT, file};

struct Directory {
    path: Utf8PathBuf,
    _guard: tempfile::TempDir,
}

impl Directory {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(guard.path().to_path_buf()).unwrap();
        Self {
            path,
            _guard: guard,
        }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

fn load(path: &Utf8Path) -> Result<usize, LoadError> {
    file(path, Priority::EXPLICIT).map(|layer| layer.entries().len())
}

#[test]
fn the_end_of_the_name_says_the_format() {
    let directory = Directory::new();
    assert_eq!(
        load(&directory.file("a.toml", "a = 1\nb = 2\n")).unwrap(),
        2
    );
    assert_eq!(load(&directory.file("a.yaml", "a: 1\n")).unwrap(), 1);
    assert_eq!(load(&directory.file("config", "a: 1\n")).unwrap(), 1);
}

#[test]
fn h1_files_that_are_not_utf8_say_where() {
    let directory = Directory::new();
    let path = directory.file("a.yaml", b"a: 1\nb: \xff\n");
    let error = load(&path).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("configuration file `{path}` is not UTF-8: byte 8 (line 2)")
    );
}

#[test]
fn h4_large_files_are_refused() {
    let directory = Directory::new();
    let path = directory.path.join("large.yaml");
    fs::File::create(&path)
        .unwrap()
        .set_len(SIZE_LIMIT + 1)
        .unwrap();
    assert!(matches!(load(&path), Err(LoadError::TooLarge { .. })));
}

#[test]
fn h16_only_regular_files_are_opened() {
    let directory = Directory::new();
    let fifo = directory.path.join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        fifo.as_str(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let what = |path: &Utf8Path| load(path).unwrap_err().to_string();
    assert!(what(&fifo).ends_with("is a pipe, expected a regular file"));
    assert!(what(&directory.path).ends_with("is a directory, expected a regular file"));
    assert!(what(Utf8Path::new("/dev/zero")).ends_with("is a device, expected a regular file"));
    assert!(
        load(&directory.path.join("missing.yaml"))
            .unwrap_err()
            .is_missing()
    );
}

#[test]
fn h22_links_that_lead_nowhere_are_named_with_their_cause() {
    let directory = Directory::new();
    let (round, dangling) = (
        directory.path.join("round"),
        directory.path.join("dangling"),
    );
    symlink(&round, &round).unwrap();
    symlink(directory.path.join("missing"), &dangling).unwrap();
    for path in [&round, &dangling] {
        let problems = load(path).unwrap_err().into_problems();
        let problem = &problems.list()[0];
        assert_eq!(
            problem.title(),
            format!("configuration file `{path}` cannot be read")
        );
        assert!(!problem.details()[0].is_empty());
    }
}

#[test]
fn h14_one_file_is_known_again_under_another_name() {
    let directory = Directory::new();
    let path = directory.file("a.yaml", "a: 1\n");
    let link = directory.path.join("b.yaml");
    symlink(&path, &link).unwrap();
    let id = |path| file(path, Priority::LOCAL).unwrap().file_id().unwrap();
    assert_eq!(id(&path), id(&link));
    assert_ne!(id(&path), id(&directory.file("c.yaml", "")));
}

#[test]
fn h23_a_file_that_everybody_can_change_is_warned_about() {
    let directory = Directory::new();
    let path = directory.file("a.yaml", "a: 1\n");
    let warnings = |mode| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let layer = file(&path, Priority::LOCAL).unwrap();
        layer
            .warnings()
            .iter()
            .map(|warning| warning.title().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(warnings(0o644).is_empty());
    assert_eq!(
        warnings(0o666),
        [format!(
            "configuration file `{path}` can be changed by every user"
        )]
    );
}

#[test]
fn h24_a_file_that_is_replaced_while_it_is_read_is_one_of_the_two() {
    let directory = Directory::new();
    let path = directory.file("a.yaml", "a: 1\nb: 1\n");
    let texts = ["a: 1\nb: 1\n", "a: 2\nb: 2\nc: 2\n"];
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (directory, path, is_done) = (&directory, &path, &is_done);
        scope.spawn(move || {
            for text in texts.iter().cycle() {
                let next = directory.file("next", text);
                fs::rename(next, path).unwrap();
                if is_done.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let read = |_| {
            let layer = file(path, Priority::EXPLICIT).unwrap();
            let text = layer.document().unwrap().text().to_owned();
            (text, layer.entries().len())
        };
        let seen: Vec<(String, usize)> = (0..300).map(read).collect();
        is_done.store(true, Ordering::Relaxed);
        for (text, count) in seen {
            assert!(texts.contains(&text.as_str()), "{text}");
            assert_eq!(count, text.lines().count());
        }
    });
}

#[test]
fn h24_a_picture_shows_what_was_read_and_not_what_is_there_now() {
    let directory = Directory::new();
    let path = directory.file("a.yaml", "output.dri: x\n");
    let layer = file(&path, Priority::EXPLICIT).unwrap();
    fs::write(&path, "something else\n").unwrap();
    let mut store = super::store();
    store.add(layer);
    let problems = store.validate(crate::config::UnknownKeys::Refuse);
    assert!(problems[0].draw(false).contains("output.dri: x"));
}
