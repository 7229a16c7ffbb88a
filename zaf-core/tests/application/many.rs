//! Many extensions with many options, on the command line and in its help. How long it takes is a matter of benchmarks.
//!
//! A tenth of what is asked for: the parser compares all options with all others in builds for tests. The loader without it has a
//! test with all of them.

use zaf_core::application::Application;
use zaf_core::builtin;
use zaf_core::config::{ConfigOption, OptionId};
use zaf_core::extension::{ExtensionDescriptor, ExtensionKind};

use super::kitchen::{Cook, run_wide};
use super::recorder::describe;

const EXTENSIONS: usize = 100;
const OPTIONS: usize = 10;

/// Extensions with as many options, each an integer with a default.
fn many() -> Vec<ExtensionDescriptor> {
    let extension = |number: usize| {
        let options: Vec<ConfigOption> = (0..OPTIONS)
            .map(|index| {
                let key: &'static str = format!("many{number}.value{index}").leak();
                OptionId::integer(key)
                    .describe("A number.")
                    .default(7)
                    .optional()
            })
            .collect();
        ExtensionDescriptor {
            kind: ExtensionKind::Framework {
                load_order: 50,
                commands: &[],
            },
            ..describe::<Cook<100>>(format!("many{number}").leak(), options.leak(), &[])
        }
    };
    (0..EXTENSIONS).map(extension).collect()
}

fn application(extensions: impl Iterator<Item = ExtensionDescriptor>) -> Application {
    let extensions = builtin::EXTENSIONS.iter().copied().chain(extensions);
    Application::new("demo").made_of(extensions, [], [])
}

#[test]
fn c24_options_of_many_extensions_are_known_and_can_be_set() {
    let line = [
        "config",
        "--explain",
        "many99.value9",
        "--many99-value9",
        "3",
    ];
    let (code, stdout, stderr) = run_wide(application(many().into_iter()), 80, &line);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("many99.value9 = 3\n"), "{stdout}");
}

#[test]
fn c13_c24_help_is_the_same_to_the_byte_whatever_the_order_of_registration() {
    let help = |extensions: Vec<ExtensionDescriptor>| {
        let line = ["--full-help"];
        let (code, stdout, stderr) = run_wide(application(extensions.into_iter()), 80, &line);
        assert_eq!((code, stderr.as_str()), (0, ""));
        stdout
    };
    let forward = help(many());
    assert_eq!(forward.matches("--many42-value9").count(), 1, "{forward}");
    let mut other = many();
    other.reverse();
    assert!(help(other) == forward, "in reverse order");
    let mut other = many();
    other.rotate_left(31);
    assert!(help(other) == forward, "in another order");
}
