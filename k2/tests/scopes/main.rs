//! A test command with components in every scope, which note when they come and go, and with sources of a kind of its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use k2::case::{CaseAction, CaseId, Location, Outcome, Parameter, TestCase, Variants};
use k2::finder::{FIND_TEST_CASES, FindTestCases, Found, FoundUnit, Problem, Recipe};
use k2::prelude::*;

k2::test_module!(owner = "everybody");

fn main() -> ExitCode {
    k2::application("scopes").version("1.0.0").run()
}

/// Adds a line to `trace` in the working directory: what happened, and on which thread.
fn note(text: &str) {
    let file = OpenOptions::new().append(true).create(true).open("trace");
    let thread = std::thread::current();
    let line = format!("{text} {}\n", thread.name().unwrap_or("?"));
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("invariant: the working directory can be written");
}

/// Something that notes when it is made and when it goes.
#[derive(Debug)]
struct Noted(&'static str);

impl Noted {
    fn new(name: &'static str) -> Self {
        note(&format!("+{name}"));
        Self(name)
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        note(&format!("-{}", self.0));
    }
}

macro_rules! noted {
    ($type:ident, $function:ident, $name:literal, $scope:tt $(, $needs:ident: $needed:ty)*) => {
        #[derive(Debug)]
        struct $type(#[expect(dead_code, reason = "it is there to be dropped")] Noted);

        #[component(scope = $scope)]
        /// Notes when it comes and goes.
        fn $function($($needs: &$needed),*) -> $type {
            $(let _ = $needs;)*
            $type(Noted::new($name))
        }
    };
}

noted!(OfRun, of_run, "run", "runner");
noted!(OfModule, of_module, "module", "module", run: OfRun);
noted!(AlsoOfModule, also_of_module, "also-module", "module", first: OfModule);
noted!(OfClass, of_class, "class", "class", module: AlsoOfModule);
noted!(OfTest, of_test, "test", "test", class: OfClass);
noted!(AlsoOfTest, also_of_test, "also-test", "test", first: OfTest);

/// Cases of two classes, between others of the module.
mod chain {
    use super::{AlsoOfModule, AlsoOfTest, OfClass, note};

    #[k2::test_case(class = "One", tags = ["chain"])]
    fn first(_test: &AlsoOfTest) {
        note("case first");
    }

    #[k2::test_case(class = "One", tags = ["chain"])]
    fn second(_class: &OfClass) {
        note("case second");
    }

    #[k2::test_case(class = "Two", tags = ["chain"])]
    fn third(_class: &OfClass) {
        note("case third");
    }

    #[k2::test_case(tags = ["chain"])]
    fn fourth(_module: &AlsoOfModule) {
        note("case fourth");
    }
}

/// Has nothing to do with what went before.
mod unrelated {
    #[k2::test_case(tags = ["chain"])]
    fn fifth() {
        super::note("case fifth");
    }
}

macro_rules! many {
    ($module:ident) => {
        mod $module {
            use super::OfModule;

            #[k2::test_case(tags = ["many"])]
            fn numbered(
                #[foreach([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])] number: u32,
                _module: &OfModule,
            ) {
                assert!(number > 0);
            }
        }
    };
}

many!(many_a);
many!(many_b);
many!(many_c);
many!(many_d);

/// Components that cannot be made, or not be taken down.
mod broken {
    use k2::prelude::{Result, component, fail, skip};

    use super::note;

    #[derive(Debug)]
    struct Explosive(&'static str);

    impl Drop for Explosive {
        fn drop(&mut self) {
            assert!(self.0.is_empty(), "{} does not come loose", self.0);
        }
    }

    macro_rules! explosive {
        ($type:ident, $function:ident, $name:literal, $scope:tt) => {
            #[derive(Debug)]
            struct $type(#[expect(dead_code, reason = "it is there to be dropped")] Explosive);

            #[component(scope = $scope)]
            /// Cannot be taken down.
            fn $function() -> $type {
                $type(Explosive($name))
            }
        };
    }

    explosive!(InRun, in_run, "the rack", "runner");
    explosive!(InModule, in_module, "the board", "module");
    explosive!(InClass, in_class, "the plug", "class");
    explosive!(InTest, in_test, "the cable", "test");

    #[k2::test_case(class = "Plugs", tags = ["teardown"])]
    fn passes(_run: &InRun, _module: &InModule, _class: &InClass) {}

    #[k2::test_case(tags = ["teardown"])]
    fn is_spoiled(_test: &InTest) {}

    #[k2::test_case(tags = ["teardown"])]
    fn fails_anyway(_test: &InTest) {
        assert_eq!(1 + 1, 3, "sums");
    }

    #[k2::test_case(tags = ["teardown"], xfail = "sums are known")]
    fn fails_as_expected(_test: &InTest) {
        assert_eq!(1 + 1, 3, "sums");
    }

    #[k2::test_case(tags = ["teardown"], isolation = "process")]
    fn is_spoiled_apart(_test: &InTest) {}

    #[derive(Debug)]
    struct Absent;

    #[component(scope = "module")]
    /// Cannot be made.
    fn absent() -> Result<Absent> {
        note("+absent");
        Err(fail("no board on this desk"))
    }

    #[derive(Debug)]
    struct Elsewhere;

    #[component(scope = "class")]
    /// Is not meant for this place.
    fn elsewhere() -> Result<Elsewhere> {
        Err(skip("only in the laboratory"))
    }

    #[derive(Debug)]
    struct Behind;

    #[component(scope = "test")]
    /// Needs what is not meant for this place.
    fn behind(_elsewhere: &Elsewhere) -> Behind {
        Behind
    }

    #[derive(Debug)]
    struct Panicking;

    #[component(scope = "test")]
    /// Panics.
    fn panicking() -> Panicking {
        panic!("fuse blown")
    }

    #[k2::test_case(tags = ["setup"])]
    fn needs_what_fails(_absent: &Absent) {}

    #[k2::test_case(tags = ["setup"])]
    fn needs_it_too(_absent: &Absent) {}

    #[k2::test_case(tags = ["setup"], class = "Laboratory")]
    fn needs_what_skips(_behind: &Behind) {}

    #[k2::test_case(tags = ["setup"])]
    fn needs_what_panics(_panicking: &Panicking) {}

    #[k2::test_case(tags = ["setup"])]
    fn needs_nothing() {}
}

/// Components that nobody makes, or that nobody could make here.
mod unequipped {
    use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
    use k2::prelude::*;

    /// Nobody makes one.
    #[derive(Debug)]
    struct Unicorn;

    #[derive(Debug)]
    struct Shell;

    /// Is of no use elsewhere.
    #[component(can = ["local"])]
    fn local_shell() -> Shell {
        Shell
    }

    #[derive(Debug)]
    struct Login;

    /// Needs a shell that reaches elsewhere.
    #[component(scope = "test")]
    #[requires(_shell, can = ["remote"])]
    fn login(_shell: &Shell) -> Login {
        Login
    }

    #[k2::test_case(tags = ["unequipped"])]
    fn logs_in(_login: &Login) {}

    #[k2::test_case(tags = ["unequipped"], isolation = "process")]
    fn logs_in_apart(_login: &Login) {}

    #[k2::test_case(tags = ["unequipped"])]
    fn needs_a_local_shell(_shell: &Shell) {}

    #[k2::test_case(tags = ["unequipped"])]
    fn needs_nothing() {}

    /// Whether the extension is there that cannot be.
    const RIDE: OptionId<bool> = OptionId::flag("ride")
        .describe("Ride on what nobody makes")
        .default(false);

    /// Has a handler that asks for what nobody makes.
    #[command_extension(
        name = "riding",
        extends = [k2::RUN_COMMAND],
        config_options = [RIDE.optional()],
        activate_on = [RIDE],
    )]
    #[derive(Debug)]
    struct Riding;

    impl Extension for Riding {
        fn new(_: &ExtensionContext<'_>) -> Result<Self> {
            Ok(Self)
        }
    }

    #[dispatchers]
    impl Riding {
        #[callback_dispatcher(TEST_CASE_FINISHED)]
        fn ride(&self, _: &Message<TestCaseFinished>, _unicorn: &Unicorn) {}
    }
}

/// A component that never lets go.
mod hanging {
    use k2::prelude::component;

    #[derive(Debug)]
    struct Stuck;

    impl Drop for Stuck {
        fn drop(&mut self) {
            loop {
                std::thread::park();
            }
        }
    }

    #[component(scope = "module")]
    /// Hangs when it is taken down.
    fn stuck() -> Stuck {
        Stuck
    }

    #[k2::test_case(tags = ["hanging"])]
    fn passes(_stuck: &Stuck) {}
}

/// Comes behind it.
mod later {
    #[k2::test_case(tags = ["hanging"])]
    fn passes_too() {}
}

/// Parameters of every sort.
mod given {
    use k2::prelude::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Mode {
        Fast,
        Slow,
    }

    /// Says what it was given.
    #[k2::test_case(owner = "parameter team", tags = ["given"])]
    fn typed(
        #[parameter(default = 5)] count: u32,
        #[parameter(default = "nobody")] host: &str,
        #[foreach([Mode::Fast, Mode::Slow])] mode: Mode,
        cx: &TestContext,
    ) -> TestResult {
        assert_eq!(cx.parameter("count"), Some(count.to_string().as_str()));
        Err(skip(format!("{count} {host} {mode:?}")))
    }

    #[k2::test_case(tags = ["given"], exclude = [(x = 1, y = 2)], isolation = "process")]
    fn apart(#[foreach([1, 2])] x: u32, #[foreach([1, 2])] y: u32) -> TestResult {
        Err(skip(format!("{x} {y}")))
    }
}

/// Finds the steps in files of scenarios, and runs them.
///
/// Each line is the name of a case and what becomes of it.
#[command_extension(name = "scenarios", extends = ["find"])]
#[derive(Debug)]
struct Scenarios;

impl Extension for Scenarios {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl Scenarios {
    #[callback_dispatcher(FIND_TEST_CASES, long_running = true)]
    fn find(&self, message: &Message<FindTestCases>) -> Vec<FoundUnit> {
        let recipes = message.data().recipes("scenario");
        recipes
            .map(|(position, recipe)| FoundUnit {
                position,
                found: found(recipe),
            })
            .collect()
    }
}

fn found(recipe: &Recipe) -> Found {
    let mut found = Found::default();
    match std::fs::read_to_string(&recipe.text) {
        Ok(text) => {
            let lines = text.lines().zip(1..);
            found
                .cases
                .extend(lines.filter_map(|(line, number)| scenario(&recipe.text, line, number)));
        }
        Err(error) => {
            let problem = format!("cannot read the scenario `{}`: {error}", recipe.text);
            found.problems.push(Problem::new(&recipe.source, problem));
        }
    }
    found
}

fn scenario(file: &str, line: &str, number: u32) -> Option<TestCase> {
    let (name, end) = line.split_once(' ')?;
    let end = end.to_owned();
    let run = move |cx: &TestContext| match end.as_str() {
        "passes" => Outcome::Passed,
        end => Outcome::Failed {
            reason: format!("{end} at {}", cx.parameter("speed").unwrap_or("no speed")),
            detail: String::new(),
        },
    };
    let id = CaseId::new(format!("{file}::{name}"));
    let mut case = TestCase::new(id, CaseAction::Function(Arc::new(run)));
    case.location = Some(Location::line(file, number));
    case.variants = Some(Arc::new(Variants::of([Parameter::new("speed", ["slow"])])));
    Some(case)
}
