//! What takes too long while extensions are loaded.

use std::sync::LazyLock;
use std::time::Duration;

use super::*;

/// What happens to the extensions of this file; they are called on another thread than the test's.
static HAPPENED: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// What nobody ever sends anything to.
static NEVER: LazyLock<(Sender<()>, Receiver<()>)> = LazyLock::new(|| bounded(0));

/// An extension whose name begins with the step that it hangs in, in capitals; all of a test end in its own word.
struct Slow(String);

impl Slow {
    fn at(&self, step: &str) {
        HAPPENED.lock().push(format!("{step} {}", self.0));
        if self.0.starts_with(&step.replace('_', "")) {
            let _never = NEVER.1.recv();
        }
    }
}

impl Extension for Slow {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let new = Self(cx.name().to_owned());
        new.at("new");
        Ok(new)
    }

    fn get_config(&self, _: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        self.at("get_config");
        Ok(Vec::new())
    }

    fn register_components(&self, _: &Scope) -> Result<()> {
        self.at("register_components");
        Ok(())
    }

    fn register_dispatchers(self: Arc<Self>, _: &MessageBus) -> Result<Vec<Dispatcher>> {
        self.at("register_dispatchers");
        Ok(Vec::new())
    }

    fn destroy(&self) -> Result<()> {
        self.at("destroy");
        Ok(())
    }
}

const fn slow(extension: ExtensionDescriptor) -> ExtensionDescriptor {
    ExtensionDescriptor {
        type_id: TypeId::of::<Slow>,
        construct: Constructor::linked(construct::<Slow>),
        ..extension
    }
}

/// What happened in a step to extensions whose names end like this.
fn happened(step: &str, end: &str) -> Vec<String> {
    let prefix = format!("{step} ");
    let all = HAPPENED.lock();
    let names = all.iter().filter_map(|line| line.strip_prefix(&prefix));
    names
        .filter(|name| name.ends_with(end))
        .map(str::to_owned)
        .collect()
}

/// Long enough for those that do not hang, short enough to wait for those that do.
const LIMIT: (&str, &str) = ("extension.init.timeout", "1s");

#[test]
fn c3_an_extension_that_hangs_is_named_and_left_behind_whatever_step_it_is_in() {
    let cases = [
        ("new", "newone", "a"),
        ("get_config", "getconfigtwo", "b"),
        ("register_components", "registercomponentsthree", "c"),
        ("register_dispatchers", "registerdispatchersfour", "d"),
    ];
    for (step, name, letter) in cases {
        let end: &'static str = format!("of{letter}").leak();
        let named = |start: &str| -> &'static str { format!("{start}{end}").leak() };
        let (before, after, name) = (named("before"), named("zafter"), named(name));
        let errors = loader(
            [
                runner(),
                slow(framework(before, 30)),
                slow(framework(name, 31)),
                slow(framework(after, 32)),
            ],
            &[LIMIT],
        )
        .within_limits()
        .load()
        .unwrap_err();
        assert_eq!(
            texts(errors.errors()),
            [format!(
                "extension `{name}` (crate `demo`, src/demo.rs:11) is still in `{step}` after 1000 ms"
            )]
        );
        assert_eq!(
            errors.errors()[0].hints(),
            ["it is left behind; --extension-init-timeout gives it more time"]
        );
        assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);
        // The others went through the same step, and end in reverse order.
        assert_eq!(happened(step, end), [before, name, after], "{step}");
        assert_eq!(happened("destroy", end), [after, before], "{step}");
    }
}

#[test]
fn c3_two_that_hang_are_both_named_and_the_rest_is_known() {
    let prepared = loader(
        [
            runner(),
            slow(framework("newfirst", 30)),
            slow(framework("newsecond", 31)),
        ],
        &[LIMIT],
    )
    .within_limits()
    .prepare();
    let names: Vec<_> = prepared.errors().iter().map(LoadError::extension).collect();
    assert_eq!(names, [Some("newfirst"), Some("newsecond")]);
    assert!(prepared.catalog().commands().find("run").is_some());
    assert_eq!(prepared.command().unwrap().name, "run");
    assert!(prepared.destroy().is_empty());
}

#[test]
fn without_a_limit_an_extension_may_take_as_long_as_it_likes() {
    let limits = |values: &[(&str, &str)]| {
        let loaded = loader([runner(), slow(framework("quick", 30))], values);
        let loaded = loaded.within_limits().load().unwrap();
        loaded.host().limit()
    };
    assert_eq!(limits(&[]), Some(Duration::from_secs(30)));
    assert_eq!(limits(&[("extension.init.timeout", "0s")]), None);
    assert_eq!(limits(&[LIMIT]), Some(Duration::from_secs(1)));
}
