//! An application with very many options, started and asked for help: `cargo bench --bench options`.
//!
//! Prints one line per target (name, measured, target, `ok` or `short`) and ends with 1 if any falls short. The binary has two
//! faces: the measurement, and the application (`--application OPTIONS …`), which the measurement starts. Half of its
//! extensions are always there, half belong to the command `noop`; each asks for ten options of all sorts. They are made while
//! the program starts, which a linked application would not have to do: what is measured is an upper bound.
//!
//! What else the machine does makes everything slower and nothing faster, so a time is the best of many; those of all sizes
//! are taken by turns.

use std::any::TypeId;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use zaf_core::application::Application;
use zaf_core::builtin;
use zaf_core::config::load::variable;
use zaf_core::config::{ConfigOption, OptionId};
use zaf_core::extension::{
    Constructor, Extends, Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Sizes that are measured; the second is what the largest is compared with.
const SIZES: [usize; 5] = [0, 1_000, 2_000, 5_000, 10_000];
const OPTIONS_OF_EACH: usize = 10;
const ROUNDS: usize = 15;
/// The command that is started, and what is asked of it.
const LINES: [(&str, &[&str], f64); 2] = [
    ("start", &["noop"], 150.0),
    ("--help", &["noop", "--help"], 200.0),
];
/// How much more an option may cost among ten thousand than among a thousand: noise, and the logarithm of sorted maps.
const LINEAR: f64 = 1.35;

/// Variable that makes this binary the application, with so many options.
const OPTIONS: &str = "OPTIONS_TO_ASK_FOR";

fn main() -> ExitCode {
    if let Some(count) = variable(OPTIONS) {
        let count = count.to_str().and_then(|count| count.parse().ok());
        return application(count.unwrap_or(0));
    }
    measure().unwrap_or_else(|error| {
        // Standard error may be closed; the exit code says it too.
        drop(writeln!(io::stderr(), "options: {error}"));
        ExitCode::from(101)
    })
}

/// Reads its options once, as every extension does: what a handler uses is a field.
#[derive(Debug)]
struct Asks;

impl Extension for Asks {
    fn new(_: &ExtensionContext<'_>) -> zaf_core::Result<Self> {
        Ok(Self)
    }
}

fn application(options: usize) -> ExitCode {
    let extensions = (0..options / OPTIONS_OF_EACH).map(extension);
    let all = builtin::EXTENSIONS.iter().copied().chain(extensions);
    Application::new("many").made_of(all, [], []).run()
}

/// An extension of its own; it lives as long as the program.
fn extension(number: usize) -> ExtensionDescriptor {
    let name: &'static str = format!("e{number:04}").leak();
    let key = |word: &str| -> &'static str { format!("{name}.{word}").leak() };
    let about = "What a person reads about it in the help, in a sentence of usual length.";
    let options: [ConfigOption; OPTIONS_OF_EACH] = [
        OptionId::text(key("name"))
            .describe(about)
            .default("x")
            .optional(),
        OptionId::integer(key("offset")).describe(about).optional(),
        OptionId::count(key("workers"))
            .describe(about)
            .default(4)
            .optional(),
        OptionId::float(key("rate"))
            .describe(about)
            .default(0.5)
            .optional(),
        OptionId::flag(key("verbose.mode"))
            .describe(about)
            .default(false)
            .optional(),
        OptionId::duration(key("timeout"))
            .describe(about)
            .optional(),
        OptionId::size(key("buffer.size"))
            .describe(about)
            .default(4096)
            .optional(),
        OptionId::path(key("file")).describe(about).optional(),
        OptionId::choice(key("level"), &["low", "high"])
            .describe(about)
            .optional(),
        OptionId::text(key("words"))
            .describe(about)
            .multiple()
            .optional(),
    ];
    let kind = if number.is_multiple_of(2) {
        ExtensionKind::Framework {
            load_order: 200,
            commands: &[],
        }
    } else {
        ExtensionKind::Command {
            extends: &[Extends::Command(&builtin::NOOP_COMMAND)],
        }
    };
    ExtensionDescriptor {
        name,
        description: "One of very many.",
        kind,
        config_options: Vec::from(options).leak(),
        endpoints_and_messages: &[],
        groups: &[],
        default_enabled: true,
        activate_on: &[],
        deactivate_on: &[],
        replaces: &[],
        type_id: TypeId::of::<Asks>,
        construct: Constructor::linked(zaf_core::private::construct::<Asks>),
        krate: "options",
        version: "1.0.0",
        file: file!(),
        line: line!(),
    }
}

/// One line of the result.
struct Target {
    name: String,
    measured: f64,
    limit: f64,
    unit: &'static str,
}

impl Target {
    fn is_met(&self) -> bool {
        self.measured <= self.limit
    }

    fn print(&self) -> io::Result<()> {
        let Self {
            name,
            measured,
            limit,
            unit,
        } = self;
        let word = if self.is_met() { "ok" } else { "short" };
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{name:<48} {measured:>9.2} {unit:<4} ≤ {limit:>6.2} {unit:<4} {word}"
        )?;
        out.flush()
    }
}

fn measure() -> Result<ExitCode> {
    let directory = tempfile::tempdir()?;
    let mut best = [[Duration::MAX; LINES.len()]; SIZES.len()];
    for _ in 0..ROUNDS {
        for (size, best) in SIZES.iter().zip(&mut best) {
            for ((_, line, _), best) in LINES.iter().zip(best) {
                *best = time(*size, line, directory.path())?.min(*best);
            }
        }
    }
    let mut all_met = true;
    for (index, (name, _, limit)) in LINES.iter().enumerate() {
        let millis = |size: usize| best[size][index].as_secs_f64() * 1000.0;
        let per_option = |size: usize| {
            let options = f64::from(u32::try_from(SIZES[size]).unwrap_or(u32::MAX));
            (millis(size) - millis(0)) / options
        };
        let last = SIZES.len() - 1;
        for (size, options) in SIZES.iter().enumerate().take(last) {
            writeln!(
                io::stdout(),
                "{name}, {options} options: {:.2} ms",
                millis(size)
            )?;
        }
        let targets = [
            Target {
                name: format!("{name}, 10 000 options of 1 000 extensions"),
                measured: millis(last),
                limit: *limit,
                unit: "ms",
            },
            Target {
                name: format!("{name}, an option of 10 000 beside one of 1 000"),
                measured: per_option(last) / per_option(1),
                limit: LINEAR,
                unit: "x",
            },
        ];
        for target in targets {
            target.print()?;
            all_met &= target.is_met();
        }
    }
    Ok(if all_met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Time from before the start of the application to after its end.
#[expect(clippy::disallowed_methods, reason = "measures a program from outside")]
fn time(options: usize, line: &[&str], directory: &Path) -> Result<Duration> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(line)
        .env(OPTIONS, options.to_string())
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    Ok(elapsed)
}
