//! Wrong declarations: each gives one error, at the word that is wrong.

use std::fs;
use std::path::PathBuf;

#[test]
fn wrong_declarations_are_errors_at_the_wrong_word() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/fail/*.rs");
}

#[test]
fn each_wrong_declaration_gives_one_error() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut seen = 0;
    for family in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(family.unwrap().path().join("fail")).unwrap() {
            let path = file.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "stderr")
            {
                let text = fs::read_to_string(&path).unwrap();
                let errors = text
                    .lines()
                    .filter(|line| line.starts_with("error"))
                    .count();
                assert_eq!(errors, 1, "{}:\n{text}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "no messages are checked in");
}
