//! What `config` and `extensions` say.

use zaf_core::Result;
use zaf_core::command::Invocation;
use zaf_core::config::{ConfigOption, OptionDescriptor};
use zaf_core::extension::{
    Extends, Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind,
};

use super::configuration::Machine;
use super::recorder::{BREAK_BEFORE, PASS, application, describe, run, run_line};

/// Standard output of a line that succeeds, without the directory of the test and what the recorder says.
fn said(machine: &Machine, environment: &[(&str, &str)], line: &[&str]) -> String {
    let (code, stdout, stderr) = machine.run_in(environment, line);
    assert_eq!((code, stderr.as_str()), (0, ""), "{line:?}");
    let inner = stdout
        .lines()
        .filter(|line| {
            !["before ", "after ", "destroyed"]
                .iter()
                .any(|own| line.starts_with(own))
        })
        .collect::<Vec<_>>()
        .join("\n");
    let text = inner.replace(&machine.path("work/"), "");
    // How wide columns are depends on where the directory is.
    let narrow = |line: &str| {
        let start = line.len() - line.trim_start().len();
        let cells: Vec<&str> = line[start..]
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        format!("{}{}", &line[..start], cells.join("  "))
    };
    text.lines().map(narrow).collect::<Vec<_>>().join("\n") + "\n"
}

fn machine() -> Machine {
    Machine::new(&[
        (
            "work/demo.yaml",
            "include.files: base.yaml\noutput.dir: build/out\nwords: ['a # b', '$${x}']\nlog.level: ~\n",
        ),
        ("work/base.yaml", "output.dir: base\nlog.level: error\n"),
    ])
}

#[test]
fn h18_a_key_is_explained_with_all_its_values_and_the_one_that_wins() {
    let environment = [("DEMO_OUTPUT_DIR", "env")];
    let text = said(
        &machine(),
        &environment,
        &["config", "--explain", "output.dir", "--output-dir", "typed"],
    );
    insta::assert_snapshot!(text, @r#"
    output.dir = typed
      100  command line  --output-dir  typed  ◀ wins
       99  environment  DEMO_OUTPUT_DIR  env
       30  local file  demo.yaml:2:13  build/out
       30  local file  base.yaml:1:13  base
        0  default  extension output  output
    Directory for everything that a run produces. Asked for by output.
    Set it by --output-dir, DEMO_OUTPUT_DIR or `output.dir` in a file.
    "#);
    let text = said(&machine(), &[], &["config", "--explain", "log_level"]);
    insta::assert_snapshot!(text, @r#"
    log.level = error
       30  local file  demo.yaml:4:12  null  no value: the next one counts
       30  local file  base.yaml:2:12  error  ◀ wins
        0  default  extension logging  warn
    Least serious log events that are shown. Asked for by logging.
    Set it by --log-level, DEMO_LOG_LEVEL or `log.level` in a file.
    "#);
    let text = said(&machine(), &[], &["config", "--explain=--words"]);
    insta::assert_snapshot!(text, @r#"
    words = ["a # b", "$${x}"]
       30  local file  demo.yaml:3:8  ["a # b", "$${x}"]  ◀ adds
    Asked for by print.
    Set it by --words, DEMO_WORDS or `words` in a file.
    "#);
}

#[test]
fn a_key_that_nobody_knows_is_refused_with_the_nearest() {
    for (key, hint) in [
        (
            "output.dri",
            "hint: did you mean `output.dir` (extension output)?",
        ),
        (
            "application",
            "hint: there are `application.abort.grace`, `application.teardown.timeout`",
        ),
        (
            "elsewhere.level",
            "hint: did you mean `ext.<all>.log.level`, `log.file.level` or `log.level`?",
        ),
        ("ext.<all>.enabled", "hint: for example `ext.cli.enabled`"),
        (
            "quite.another.thing",
            "hint: `config` without a key lists those that have a value",
        ),
    ] {
        let (code, _, stderr) = run_line(&["config", "--explain", key]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(hint), "{stderr}");
    }
}

#[test]
fn what_config_prints_can_be_read_back() {
    let machine = machine();
    let printed = said(&machine, &[], &["config"]);
    insta::assert_snapshot!(printed, @r#"
    application.abort.grace: "10s"  # default
    application.teardown.timeout: "10s"  # default
    break.before: false  # default
    config.unknown: refuse  # default
    disable.default.config.files: false  # default
    ext.default.enabled: true  # default
    extension.init.timeout: "30s"  # default
    format: table  # default
    handler.warn: "5s"  # default
    log.file.format: text  # default
    log.file.keep: 3  # default
    log.file.level: debug  # default
    log.file.size: 10485760  # default
    log.format: text  # default
    log.level: error  # base.yaml:2:12
    ordered: false  # default
    output.dir: build/out  # demo.yaml:2:13
    words: ["a # b", "$${x}"]  # demo.yaml:3:8
    "#);
    let again = Machine::new(&[("work/demo.yaml", &printed)]);
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| Some(line.rsplit_once(" # ")?.0.trim_end().to_owned()))
            .collect()
    };
    assert_eq!(values(&said(&again, &[], &["config"])), values(&printed));
}

#[test]
fn extensions_are_listed_with_their_states() {
    let machine = Machine::new(&[]);
    let environment = [("DEMO_EXT_NOOP_ENABLED", "false")];
    let (code, stdout, stderr) = machine.run_in(&environment, &["extensions"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let text = stdout
        .split_inclusive('\n')
        .filter(|line| {
            line.starts_with(' ') || line.starts_with(|c: char| c.is_ascii_digit() || c == 'O')
        })
        .collect::<String>()
        .replace(env!("CARGO_PKG_VERSION"), "1.2.3");
    insta::assert_snapshot!(text, @r#"
    ORDER  NAME               STATE     FROM            DOES
    1…100  cli                active    zaf-core 1.2.3  Reads the command line
     1…90  environment        active    zaf-core 1.2.3  Reads options from
                                                        environment variables
     2…91  configfiles        active    zaf-core 1.2.3  Reads configuration files
       30  output             active    zaf-core 1.2.3  Says where a run puts what
                                                        it produces
      101  configvalidator    active    zaf-core 1.2.3  Refuses a configuration with
                                                        problems
      101  logging            active    zaf-core 1.2.3  Shows log records on
                                                        standard error and writes
                                                        them to files
      102  trace              active    zaf-core 1.2.3  Records the messages of a
                                                        run for a trace viewer
      103  slowhandlers       active    zaf-core 1.2.3  Names handlers that take too
                                                        long
      110  commandscommand    active    zaf-core 1.2.3  Adds the command that lists
                                                        commands
      110  completion         active    zaf-core 1.2.3  Completes words in shells
      110  componentscommand  active    zaf-core 1.2.3  Adds the command that lists
                                                        components
      110  configcommand      active    zaf-core 1.2.3  Adds the command that shows
                                                        the configuration
      110  docscommand        active    zaf-core 1.2.3  Adds the command that writes
                                                        the reference
      110  endpointscommand   active    zaf-core 1.2.3  Adds the command that lists
                                                        endpoints
      110  extensionscommand  active    zaf-core 1.2.3  Adds the command that lists
                                                        extensions
      110  helpcommand        active    zaf-core 1.2.3  Adds the command that
                                                        explains names
      110  mancommand         active    zaf-core 1.2.3  Adds the command that writes
                                                        manual pages
      110  messagescommand    active    zaf-core 1.2.3  Adds the command that lists
                                                        messages
      110  noop               disabled  zaf-core 1.2.3  Adds the command that does
                                                        nothing
                                                        (disabled by
                                                        DEMO_EXT_NOOP_ENABLED)
      110  pluginscommand     active    zaf-core 1.2.3  Adds the command that lists
                                                        extensions by type
      110  whycommand         active    zaf-core 1.2.3  Adds the command that
                                                        explains an extension
      200  recorder           active    recorder 1.0.0  For tests
    "#);
    assert!(text.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn the_list_for_programs_has_stable_fields_and_order() {
    let machine = Machine::new(&[]);
    let text = said(
        &machine,
        &[],
        &["extensions", "--format", "json", "--target-command", "pass"],
    );
    assert!(
        text.starts_with("{\n  \"schema\": \"1.2\",\n  \"target_command\": \"pass\",\n"),
        "{text}"
    );
    let orders: Vec<u16> = text
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("\"order\": ")?
                .strip_suffix(',')?
                .parse()
                .ok()
        })
        .collect();
    assert!(orders.len() > 10 && orders.is_sorted(), "{orders:?}");
    let (code, _, stderr) = run_line(&["extensions", "--target-command", "pas"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean `pass`?"), "{stderr}");
}

#[test]
fn why_an_extension_takes_part_is_said_with_what_decides() {
    let machine = Machine::new(&[("work/demo.yaml", "ext.noop.enabled: false\n")]);
    let text = said(&machine, &[], &["why", "noop"]);
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "1.2.3"), @r#"
    noop (zaf-core 1.2.3, load order 110) is not loaded: disabled by
    ext.noop.enabled (demo.yaml:1:19)
      enabled  ext.noop.enabled = false  ◀ demo.yaml:1:19
    "#);
    let waiting = ExtensionDescriptor {
        activate_on: &[&[BREAK]],
        kind: ExtensionKind::Command {
            extends: &[Extends::Command(&PASS)],
        },
        ..describe::<Idle>("waiting", &BREAK_OPTIONS, &[])
    };
    let of = |line: &[&str]| {
        run(
            application([waiting]),
            Invocation::new(line).directory(machine.path("work")),
        )
    };
    let (code, stdout, stderr) = of(&["why", "waiting", "--target-command", "pass"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(explanation(&stdout), @r#"
    waiting (recorder 1.0.0, load order 1000) is loaded but inactive for `pass`:
    break.before is false
      extends   pass                        matches pass
      enabled   ext.waiting.enabled = true  default
      activate  break.before = false        ◀ default; --break-before or
                                            --no-break-before decides
    "#);
    let (_, stdout, _) = of(&["why", "waiting", "--target-command", "fail"]);
    insta::assert_snapshot!(explanation(&stdout), @r#"
    waiting (recorder 1.0.0, load order 1000) is loaded but inactive for `fail`:
    does not extend fail
      extends   pass                        ◀ does not match fail
      enabled   ext.waiting.enabled = true  default
      activate  break.before = false        ◀ default; --break-before or
                                            --no-break-before decides
    "#);
    let (code, _, stderr) = of(&["why", "wating"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean `waiting`?"), "{stderr}");
    let (code, _, stderr) = of(&["why"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("`why.extension` has no value"), "{stderr}");
    assert!(
        stderr.contains("set it with the argument EXTENSION"),
        "{stderr}"
    );
}

#[test]
fn a_capability_that_no_command_has_is_a_warning_with_the_nearest() {
    const MISSPELLED: &[Extends] = &[Extends::Capability("pas")];
    // Perhaps another application has a command with it.
    const FOREIGN: &[Extends] = &[Extends::Capability("something-else")];
    let machine = Machine::new(&[]);
    let of = |extends: &'static [Extends], line: &[&str]| {
        let waiting = ExtensionDescriptor {
            kind: ExtensionKind::Command { extends },
            ..describe::<Idle>("waiting", &[], &[])
        };
        run(
            application([waiting]),
            Invocation::new(line).directory(machine.path("work")),
        )
    };
    let (code, stdout, stderr) = of(MISSPELLED, &["why", "waiting"]);
    assert_eq!(code, 0, "{stderr}");
    insta::assert_snapshot!(explanation(&stdout), @r#"
    waiting (recorder 1.0.0, load order 1000) is loaded but inactive: no command has
    the capability `pas` (did you mean `pass`?)
      extends     pas                         --target-command says whether it
                                              matches
      capability  pas                         ◀ no command has it; did you mean
                                              `pass`?
      enabled     ext.waiting.enabled = true  default
    "#);
    let log = machine.path("log");
    let writer = std::fs::File::create(&log).unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.try_clone().unwrap())
        .finish();
    let (code, _, stderr) =
        tracing::subscriber::with_default(subscriber, || of(MISSPELLED, &["pass"]));
    assert_eq!(code, 0, "{stderr}");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains("extends `pas`, which is no capability of any command: did you mean `pass`?"),
        "{log}"
    );
    let (_, stdout, stderr) = of(FOREIGN, &["why", "waiting"]);
    assert_eq!(stderr, "");
    assert!(
        stdout.contains("inactive: no command has\nthe capability `something-else`\n"),
        "{stdout}"
    );
}

/// The lines about the extension.
fn explanation(stdout: &str) -> String {
    stdout
        .split_inclusive('\n')
        .filter(|line| {
            !["before ", "after ", "destroyed"]
                .iter()
                .any(|word| line.starts_with(word))
        })
        .collect()
}

const BREAK: OptionDescriptor = BREAK_BEFORE.descriptor();
const BREAK_OPTIONS: [ConfigOption; 1] = [BREAK_BEFORE.optional()];

struct Idle;

impl Extension for Idle {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}
