use std::fs;
use std::os::unix::fs::symlink;

use camino::Utf8PathBuf;

use super::*;
use crate::config::{ConfigStore, Key, Outcome, Priority};

struct Directory {
    path: Utf8PathBuf,
    _guard: tempfile::TempDir,
}

impl Directory {
    fn new(files: &[(&str, &str)]) -> Self {
        let guard = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(guard.path().to_path_buf()).expect("UTF-8");
        let directory = Self {
            path,
            _guard: guard,
        };
        for (name, content) in files {
            directory.file(name, content);
        }
        directory
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, content).expect("a file");
    }

    fn load(&self, name: &str) -> Result<Vec<ConfigLayer>, Problems> {
        let mut includes = Includes::new(BTreeSet::new());
        match load::file(&self.path.join(name), Priority::LOCAL) {
            Ok(layer) => includes.add(layer),
            Err(error) => includes.refuse(error.into_problems()),
        }
        includes.finish()
    }

    /// What is wrong, without the directory's name.
    fn refused(&self, name: &str) -> String {
        let problems = self.load(name).expect_err("refused");
        problems.to_string().replace(&format!("{}/", self.path), "")
    }
}

/// The winning value of a key.
fn value(layers: Vec<ConfigLayer>, key: &str) -> Option<String> {
    let mut store = ConfigStore::new();
    for layer in layers {
        store.add(layer);
    }
    let explained = store.explain(&Key::fold(key));
    let winner = explained
        .iter()
        .find(|value| value.outcome == Outcome::Wins)?;
    Some(winner.value.print())
}

#[test]
fn h15_a_file_wins_over_what_it_includes_and_later_ones_over_earlier_ones() {
    let directory = Directory::new(&[
        (
            "k2.yaml",
            "include.files: [parts/a.yaml, parts/b.toml]\nx: 1\n",
        ),
        (
            "parts/a.yaml",
            "include: {files: deep.yaml}\nx: 2\ny: 2\nz: 2\n",
        ),
        ("parts/b.toml", "y = 3\n"),
        ("parts/deep.yaml", "z: 4\nonly: 4\n"),
    ]);
    for (key, expected) in [("x", "1"), ("y", "3"), ("z", "2"), ("only", "4")] {
        let layers = directory.load("k2.yaml").expect("layers");
        assert!(
            layers
                .iter()
                .all(|layer| layer.priority().level() == Priority::LOCAL.level())
        );
        assert_eq!(value(layers, key).as_deref(), Some(expected), "{key}");
    }
    let layers = directory.load("k2.yaml").expect("layers");
    assert_eq!(value(layers, "include.files"), None);
}

#[test]
fn patterns_include_all_matches_in_the_order_of_their_names() {
    let directory = Directory::new(&[
        ("k2.yaml", "include.files: 'parts/*.yaml'\n"),
        ("parts/b.yaml", "x: b\n"),
        ("parts/a.yaml", "x: a\n"),
    ]);
    let layers = directory.load("k2.yaml").expect("layers");
    assert_eq!(value(layers, "x").as_deref(), Some("b"));
}

#[test]
fn h14_f20_a_circle_is_refused_with_its_path() {
    let directory = Directory::new(&[
        ("a.yaml", "x: 1\ninclude.files:\n  - b.yaml\n"),
        ("b.yaml", "include.files: [c.yaml]\n"),
        ("self.yaml", "include.files: self.yaml\n"),
    ]);
    symlink(directory.path.join("a.yaml"), directory.path.join("c.yaml")).expect("a link");
    insta::assert_snapshot!(directory.refused("a.yaml"), @r"
    error: files include each other in a circle
      ╭▸ b.yaml:1:17
      │
    1 │ include.files: [c.yaml]
      │                 ━━━━━━ included already
      │
      ╰ a.yaml → b.yaml → c.yaml

    1 problem in the configuration
    ");
    assert!(
        directory
            .refused("self.yaml")
            .contains("self.yaml → self.yaml")
    );
}

#[test]
fn h15_depth_and_number_are_limited() {
    let directory = Directory::new(&[]);
    let name = |number: usize| format!("f{number}.yaml");
    for number in 0..20 {
        let content = format!("include.files: {}\n", name(number + 1));
        directory.file(&name(number), &content);
    }
    directory.file(&name(20), "x: 1\n");
    assert_eq!(
        directory
            .load(&name(20 - DEEPEST))
            .map(|layers| layers.len()),
        Ok(DEEPEST + 1)
    );
    let refused = directory.refused(&name(20 - DEEPEST - 1));
    assert!(refused.contains("more than 16 deep"), "{refused}");

    // Each includes the next three times.
    for number in 0..10 {
        let next = name(number + 1);
        directory.file(
            &name(number),
            &format!("include.files: [{next}, {next}, {next}]\n"),
        );
    }
    directory.file(&name(10), "x: 1\n");
    let refused = directory.refused(&name(0));
    assert!(refused.contains("more than 1000 files"), "{refused}");
}

#[test]
fn h16_what_cannot_be_included_is_refused_at_once_where_it_is_named() {
    let directory = Directory::new(&[
        ("missing.yaml", "include.files: [nosuch.yaml]\n"),
        ("none.yaml", "include.files: ['nosuch*.yaml']\n"),
        ("device.yaml", "include.files: /dev/zero\n"),
        ("folder.yaml", "include.files: [folder.yaml.d]\n"),
        ("folder.yaml.d/x", ""),
        ("number.yaml", "include.files: [{a: 1}]\n"),
        (
            "reference.yaml",
            "include.files: ['${output.dir}/x.yaml']\n",
        ),
        ("wrong.yaml", "include.files: broken.yaml\n"),
        ("broken.yaml", "a: [\n"),
    ]);
    for (name, expected) in [
        ("missing.yaml", "missing.yaml:1:17"),
        ("missing.yaml", "`nosuch.yaml` cannot be read"),
        ("none.yaml", "no configuration file matches"),
        ("device.yaml", "`/dev/zero` is a device"),
        ("folder.yaml", "is a directory"),
        ("number.yaml", "number.yaml:1"),
        ("reference.yaml", "cannot have references"),
        ("wrong.yaml", "broken.yaml:1:4"),
    ] {
        let refused = directory.refused(name);
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn f24_however_deep_an_include_is_it_stays_in_its_class() {
    let directory = Directory::new(&[
        ("a.yaml", "include.files: b.yaml\n"),
        ("b.yaml", "include.files: c.yaml\n"),
        ("c.yaml", "x: 1\n"),
    ]);
    let layers = directory.load("a.yaml").expect("layers");
    let deepest = layers.iter().map(ConfigLayer::priority).min();
    assert!(deepest.is_some_and(|deepest| deepest > Priority::USER && deepest < Priority::LOCAL));
}

#[test]
fn f23_one_path_is_one_file_and_not_its_letters() {
    let directory = Directory::new(&[("a.yaml", "include.files: b.yaml\n"), ("b.yaml", "x: 1\n")]);
    assert_eq!(directory.load("a.yaml").expect("layers").len(), 2);
}

#[test]
fn f25_f63_a_file_for_an_entity_has_the_entity_in_front_of_each_key_and_is_read_once() {
    let directory = Directory::new(&[
        (
            "k2.yaml",
            "suts.ids: [box]\nsuts.box.include.files: [box.yaml]\nlogs.a:\n  include.files: box.yaml\n",
        ),
        (
            "box.yaml",
            "ip: 1.2.3.4\nssh: {port: 22}\ninclude.files: deep/more.yaml\nserial.include.files: deep/more.yaml\n",
        ),
        ("deep/more.yaml", "baud: 9600\n"),
    ]);
    let layers = directory.load("k2.yaml").expect("layers");
    let mut keys: Vec<String> = layers
        .iter()
        .flat_map(ConfigLayer::entries)
        .map(|entry| {
            format!("{} at {}", entry.key, entry.source).replace(directory.path.as_str(), "")
        })
        .collect();
    keys.sort();
    let mut expected: Vec<String> = vec!["suts.ids at /k2.yaml:1:11".to_owned()];
    for prefix in ["logs.a", "suts.box"] {
        expected.extend([
            format!("{prefix}.baud at /deep/more.yaml:1:7"),
            format!("{prefix}.ip at /box.yaml:1:5"),
            format!("{prefix}.serial.baud at /deep/more.yaml:1:7"),
            format!("{prefix}.ssh.port at /box.yaml:2:13"),
        ]);
    }
    expected.sort();
    assert_eq!(keys, expected);
}

#[test]
fn f20_a_file_cannot_include_itself_for_an_entity() {
    let directory = Directory::new(&[("k2.yaml", "suts.box.include.files: k2.yaml\n")]);
    assert!(directory.refused("k2.yaml").contains("k2.yaml → k2.yaml"));
}
