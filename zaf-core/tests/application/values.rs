//! What a person can set, from every source, of options of every kind.

use std::fs;
use std::io::{self, Write};
use std::sync::Arc;

use zaf_core::Result;
use zaf_core::application::{Application, ExitCode};
use zaf_core::builtin;
use zaf_core::command::{ApplicationContext, CommandDescriptor, Invocation};
use zaf_core::config::{ConfigLayer, ConfigOption, OptionDescriptor, OptionId, Priority, Secret};
use zaf_core::extension::{Extension, ExtensionContext, ExtensionDescriptor, ExtensionKind};
use zaf_core::message::Entity;

use super::configuration::Machine;
use super::recorder::{Ended, command, describe, run};

static SUTS: OptionDescriptor = OptionId::<Vec<Entity>>::entities("suts.ids").descriptor();
const IP: OptionId<String> = OptionId::text("ip").at(&SUTS);
const KEY: OptionId<Secret> = OptionId::secret("key").at(&SUTS);
const PASSWORD: OptionId<Secret> = OptionId::secret("db.password").describe("Opens the database.");
static POOLS: OptionDescriptor = OptionId::text("pools")
    .default("fast")
    .multiple()
    .descriptor();
const POOL: OptionId<String> = OptionId::choice_of("pool", &POOLS);
const SPEED: OptionId<u64> = OptionId::count("speed").aliases(&["baud"]);
const LOUD: OptionId<bool> = OptionId::flag("loud").default(true).aliases(&["noise"]);
const SERVICE: OptionId<bool> = OptionId::flag("service")
    .default(false)
    .contexts(&[ApplicationContext::Internal]);
const CODES: OptionId<Vec<i64>> = OptionId::integer("codes").default(77).multiple();
const OFF: OptionId<bool> = OptionId::flag("shine.often").default(false);

const MEASURED: ConfigOption = OptionId::text("unit").optional();
const MEASURE_OPTIONS: [ConfigOption; 1] = [MEASURED];
const MEASURE: CommandDescriptor = command("measure", &MEASURE_OPTIONS, |_| Ok(ExitCode::Success));

const ENTITY_OPTION: ConfigOption = OptionId::<Vec<Entity>>::entities("suts.ids").optional();
const POOLS_OPTION: ConfigOption = OptionId::text("pools")
    .default("fast")
    .multiple()
    .optional();
const OPTIONS: [ConfigOption; 10] = [
    ENTITY_OPTION,
    IP.optional(),
    KEY.optional(),
    PASSWORD.optional(),
    POOLS_OPTION,
    POOL.optional(),
    SPEED.optional(),
    LOUD.optional(),
    SERVICE.optional(),
    CODES.optional(),
];
const OFF_OPTIONS: [ConfigOption; 1] = [OFF.optional()];
const POLISH: CommandDescriptor = command("polish", &[], |_| Ok(ExitCode::Success));
static WITH_PASSWORD: [&[OptionDescriptor]; 1] = [&[PASSWORD.descriptor()]];

#[derive(Debug)]
struct Rig;

impl Extension for Rig {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[derive(Debug)]
struct Shine;

impl Extension for Shine {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// Takes part if there is a password.
#[derive(Debug)]
struct Vault;

impl Extension for Vault {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// Provides a value at load order `ORDER`.
#[derive(Debug)]
struct Giver<const ORDER: u16>;

impl<const ORDER: u16> Extension for Giver<ORDER> {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn get_config(&self, _: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        Ok(vec![
            ConfigLayer::from_extension("giver").with("speed", i64::from(ORDER)),
        ])
    }
}

const fn giver<const ORDER: u16>() -> ExtensionDescriptor {
    ExtensionDescriptor {
        kind: ExtensionKind::Framework {
            load_order: ORDER,
            commands: &[],
        },
        ..describe::<Giver<ORDER>>("giver", &[], &[])
    }
}

fn rig() -> Application {
    let own = [
        describe::<Rig>("rig", &OPTIONS, &[&MEASURE]),
        ExtensionDescriptor {
            default_enabled: false,
            ..describe::<Shine>("shine", &OFF_OPTIONS, &[&POLISH])
        },
        ExtensionDescriptor {
            activate_on: &WITH_PASSWORD,
            ..describe::<Vault>("vault", &OPTIONS, &[])
        },
    ];
    with(own)
}

fn with(own: impl IntoIterator<Item = ExtensionDescriptor>) -> Application {
    let extensions = builtin::EXTENSIONS.iter().copied().chain(own);
    Application::new("demo")
        .version("1.2.3")
        .made_of(extensions, [], [])
}

fn run_in(
    application: Application,
    machine: &Machine,
    environment: &[(&str, &str)],
    line: &[&str],
) -> Ended {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let invocation = Invocation::new(line)
        .environment(environment)
        .directory(machine.path("work"));
    run(application, invocation)
}

/// The value of a key as `config` prints it, without its source; nothing if there is none.
fn value(machine: &Machine, environment: &[(&str, &str)], line: &[&str], key: &str) -> String {
    let line: Vec<&str> = line.iter().copied().chain(["config"]).collect();
    let (code, stdout, stderr) = run_in(rig(), machine, environment, &line);
    assert_eq!((code, stderr.as_str()), (0, ""), "{line:?}");
    let key = format!("{key}: ");
    let line = stdout.lines().find_map(|line| line.strip_prefix(&key));
    let value = line.and_then(|line| line.split_once(" # "));
    value.map_or_else(String::new, |(value, _)| value.trim_end().to_owned())
}

/// Takes what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<parking_lot::Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The exit code of `noop`, and what was logged.
fn logged(machine: &Machine) -> (u8, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let code =
        tracing::subscriber::with_default(subscriber, || run_in(rig(), machine, &[], &["noop"]).0);
    let text = String::from_utf8_lossy(&log.0.lock()).into_owned();
    (code, text)
}

#[test]
fn f18_lists_are_changed_from_files_environment_and_command_line() {
    let machine = Machine::new(&[("work/demo.yaml", "codes: [1, 2]\n")]);
    for (environment, line, expected) in [
        (&[][..], &[][..], "[1, 2]"),
        (&[], &["--codes", "3"], "[3, 1, 2]"),
        (&[], &["--codes-append=3"], "[3, 1, 2]"),
        (
            &[],
            &["--codes-replace", "3", "--codes-replace=4"],
            "[3, 4]",
        ),
        (&[], &["--codes-remove", "2"], "[1]"),
        (&[("DEMO_CODES_REMOVE", "1 9")], &[], "[2]"),
        (&[("DEMO_CODES_REPLACE", "5")], &["--codes=6"], "[6, 5]"),
    ] {
        assert_eq!(
            value(&machine, environment, line, "codes"),
            expected,
            "{environment:?} {line:?}"
        );
    }
    let none = Machine::new(&[]);
    assert_eq!(
        value(&none, &[], &["--codes-append", "3"], "codes"),
        "[3, 77]"
    );
    // An empty list that hides a default can be read back, too.
    assert_eq!(
        value(&none, &[], &["--codes-remove", "77"], "codes.replace"),
        "[]"
    );
}

#[test]
fn another_name_works_on_the_command_line_and_in_the_environment() {
    let machine = Machine::new(&[]);
    assert_eq!(value(&machine, &[], &["--baud", "9600"], "speed"), "9600");
    assert_eq!(value(&machine, &[("DEMO_BAUD", "5")], &[], "speed"), "5");
    assert_eq!(value(&machine, &[], &["--no-noise"], "loud"), "false");
    assert_eq!(value(&machine, &[], &["--noise=false"], "loud"), "false");
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop", "--speed=1", "--speed=2"]);
    assert_eq!(code, 2, "{stderr}");
}

#[test]
fn an_option_for_others_is_unknown_on_the_command_line_and_known_in_files() {
    let machine = Machine::new(&[("work/demo.yaml", "service: true\n")]);
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop", "--service"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("unknown option `--service`"), "{stderr}");
    assert_eq!(value(&machine, &[], &[], "service"), "true");
    let internal = rig().context(ApplicationContext::Internal);
    let (code, _, stderr) = run_in(internal, &machine, &[], &["noop", "--service"]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn a_choice_of_another_options_values_is_judged_when_all_are_known() {
    let machine = Machine::new(&[("work/demo.yaml", "pools: [fast, slow]\n")]);
    assert_eq!(value(&machine, &[], &["--pool", "slow"], "pool"), "slow");
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop", "--pool", "slwo"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("one of `fast`, `slow` (the values of `pools`)")
            && stderr.contains("did you mean `slow`?"),
        "{stderr}"
    );
}

#[test]
fn a_secret_is_masked_whatever_is_asked() {
    let machine = Machine::new(&[(
        "work/demo.yaml",
        "db.password: hunter2\nsuts: {ids: [box], box: {key: hunter2}}\n",
    )]);
    for line in [
        &["config"][..],
        &["config", "--explain", "db.password"],
        &["config", "--explain", "suts.box.key"],
        &["config", "--format", "json"],
        &["config", "--target-command", "noop"],
        &["noop", "--log-level", "trace"],
        &["noop", "--speed", "many", "--log-level", "trace"],
        &["noop", "--help"],
        &["noop", "--full-help"],
        &["commands"],
        &["extensions"],
        &["endpoints"],
        &["messages"],
        &["components"],
        &["why", "vault"],
        &["why", "vault", "--format", "json"],
        &["help", "db.password"],
        &["man"],
        &["complete", "--", "demo", "noop", "--db-password", ""],
        &["config", "--explain", "db.pasword"],
    ] {
        let (_, stdout, stderr) = run_in(rig(), &machine, &[], line);
        assert!(
            !stdout.contains("hunter") && !stderr.contains("hunter"),
            "{line:?}:\n{stdout}\n{stderr}"
        );
    }
    let (_, stdout, _) = run_in(
        rig(),
        &machine,
        &[],
        &["config", "--explain", "db.password"],
    );
    assert!(stdout.starts_with("db.password = \"***\"\n"), "{stdout}");
    let (_, stdout, _) = run_in(rig(), &machine, &[], &["config"]);
    assert!(stdout.contains("# db.password: \"***\""), "{stdout}");
}

#[test]
fn a_broken_file_or_a_secret_on_the_command_line_shows_nothing() {
    let machine = Machine::new(&[("work/demo.yaml", "db:\n  password: [hunter2\n  user: x\n")]);
    let (code, stdout, stderr) = run_in(rig(), &machine, &[], &["noop"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.contains("demo.yaml:") && !stderr.contains("hunter"),
        "{stderr}"
    );

    let machine = Machine::new(&[("work/secret", "hunter2\n")]);
    let line = ["config", "--db-password", "hunter2"];
    let (code, stdout, stderr) = run_in(rig(), &machine, &[], &line);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("where everybody can see it"), "{stderr}");
    assert!(!stderr.contains("hunter"), "{stderr}");
    let from_file = format!("file:{}", machine.path("work/secret"));
    let line = ["config", "--db-password", &from_file];
    let (code, stdout, stderr) = run_in(rig(), &machine, &[], &line);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("\"***\"") && !stdout.contains("hunter"),
        "{stdout}"
    );
}

#[test]
fn config_shows_what_another_command_would_see() {
    let machine = Machine::new(&[]);
    let line = [
        "config",
        "--target-command",
        "measure",
        "--",
        "--unit",
        "ms",
        "--suts-ids",
        "box",
        "--suts-box@ip=1.2.3.4",
    ];
    let (code, stdout, stderr) = run_in(rig(), &machine, &[], &line);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for expected in ["unit: ms", "suts.box.ip: \"1.2.3.4\"", "suts.ids: [box]"] {
        assert!(stdout.contains(expected), "{expected} in\n{stdout}");
    }
    let line = [
        "config",
        "--target-command",
        "measure",
        "--explain",
        "unit",
        "--",
        "--unit",
        "s",
    ];
    let (code, stdout, stderr) = run_in(rig(), &machine, &[], &line);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.starts_with("unit = s\n") && stdout.contains("--unit"),
        "{stdout}"
    );
    for (line, expected) in [
        (&["config", "--", "--unit", "s"][..], "no target command"),
        (
            &["config", "--target-command", "mesure"],
            "did you mean `measure`?",
        ),
        (
            &["config", "--target-command", "measure", "--", "--bogus"],
            "unknown option `--bogus`",
        ),
        (
            &["config", "--target-command", "noop", "--", "--unit=s"],
            "it is an option of `measure`",
        ),
    ] {
        let (code, stdout, stderr) = run_in(rig(), &machine, &[], line);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(expected), "{expected} in\n{stderr}");
    }
}

#[test]
fn what_is_switched_off_is_named_with_who_switched_it_off() {
    let machine = Machine::new(&[("work/demo.yaml", "ext.shine.enabled: false\n")]);
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop", "--shine-often"]);
    assert_eq!(code, 2);
    let expected = "it is an option of extension shine, which is disabled by";
    assert!(
        stderr.contains(expected) && stderr.contains("demo.yaml:1:20"),
        "{stderr}"
    );
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop", "--no-shine-often"]);
    assert!(code == 2 && stderr.contains(expected), "{stderr}");
    let line = ["config", "--explain", "shine.often"];
    let (code, _, stderr) = run_in(rig(), &machine, &[], &line);
    assert!(code == 2 && stderr.contains(expected), "{stderr}");
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["polish"]);
    let expected = "it is a command of extension shine, which is disabled by";
    assert!(
        code == 2
            && stderr.contains("unknown command `polish`")
            && stderr.contains(expected)
            && stderr.contains("demo.yaml:1:20"),
        "{stderr}"
    );
    // A key that is nearly one of its keys.
    let machine = Machine::new(&[("work/demo.yaml", "shine.ofen: true\n")]);
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains(
            "did you mean `shine.often` (extension shine, which is disabled by default)?"
        ),
        "{stderr}"
    );
    // A key that is known has no effect, which is worth a word but no error.
    let machine = Machine::new(&[("work/demo.yaml", "shine.often: true\n")]);
    let (code, logged) = logged(&machine);
    assert_eq!(code, 0, "{logged}");
    assert!(
        logged.contains("INFO")
            && logged.contains("`shine.often` has no effect: it is an option of extension shine"),
        "{logged}"
    );
}

#[test]
fn unknown_keys_can_be_warnings() {
    let machine = Machine::new(&[(
        "work/demo.yaml",
        "config.unknown: warn\nspede: 3\nspeed: 4\n",
    )]);
    let (code, logged) = logged(&machine);
    assert_eq!(code, 0, "{logged}");
    assert!(
        logged.contains("WARN")
            && logged.contains(
                "demo.yaml:2:1: unknown key `spede`: did you mean `speed` (extension rig)?"
            ),
        "{logged}"
    );
}

#[test]
fn f25_f26_f63_files_of_one_entity_from_every_source() {
    let machine = Machine::new(&[
        (
            "work/demo.yaml",
            "suts.ids: [a, b]\nsuts.a.include.files: [a.yaml]\n",
        ),
        ("work/a.yaml", "ip: 10.0.0.1\n"),
        ("work/b.json", "{\"ip\": \"10.0.0.2\"}"),
    ]);
    assert_eq!(value(&machine, &[], &[], "suts.a.ip"), "\"10.0.0.1\"");
    assert_eq!(value(&machine, &[], &[], "suts.b.ip"), "");
    let line = ["--suts-b@include-files", "b.json"];
    assert_eq!(value(&machine, &[], &line, "suts.b.ip"), "\"10.0.0.2\"");
    let environment = [("DEMO_SUTS_A_INCLUDE_FILES", "b.json")];
    assert_eq!(
        value(&machine, &environment, &[], "suts.a.ip"),
        "\"10.0.0.2\""
    );
    // Above files, below the environment; read once.
    let line = ["config", "--explain", "suts.a.ip"];
    let environment = [
        ("DEMO_SUTS_A_INCLUDE_FILES", "b.json"),
        ("DEMO_SUTS_A_IP", "10.0.0.3"),
    ];
    let (_, stdout, _) = run_in(rig(), &machine, &environment, &line);
    let levels: Vec<&str> = stdout
        .lines()
        .filter_map(|line| line.trim_start().split(' ').next())
        .filter(|word| word.parse::<u16>().is_ok())
        .collect();
    assert_eq!(levels, ["99", "90", "30"], "{stdout}");
    let line = ["noop", "--suts-b@include-files", "missing.yaml"];
    let (code, _, stderr) = run_in(rig(), &machine, &[], &line);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("missing.yaml") && stderr.contains("suts.b.include.files"),
        "{stderr}"
    );
}

#[test]
fn json_files_are_read_at_every_place() {
    let machine = Machine::new(&[
        (
            "work/demo.json",
            "{\"speed\": 3,\n \"codes\": {\"append\": [5]}}",
        ),
        ("other.json", "{\"speed\": 4}"),
    ]);
    assert_eq!(value(&machine, &[], &[], "speed"), "3");
    assert_eq!(value(&machine, &[], &[], "codes"), "[5, 77]");
    let other = machine.path("other.json");
    let line = ["--config-file-pattern", other.as_str()];
    assert_eq!(value(&machine, &[], &line, "speed"), "4");
    let (_, stdout, _) = run_in(rig(), &machine, &[], &["config", "--explain", "codes"]);
    assert!(stdout.contains("demo.json:2:"), "{stdout}");
}

#[test]
fn what_config_prints_as_json_can_be_read_back() {
    let machine = Machine::new(&[(
        "work/demo.yaml",
        "suts: {ids: [a], a: {ip: 'x ${y}'}}\ncodes.remove: [77]\nspeed: 18446744073709551615\nloud: false\n",
    )]);
    fs::write(
        machine.path("work/demo.yaml"),
        "suts: {ids: [a], a: {ip: 'x $${y}'}}\ncodes.remove: [77]\nspeed: 18446744073709551615\nloud: false\n",
    )
    .expect("a file");
    let (code, printed, stderr) = run_in(rig(), &machine, &[], &["config", "--format", "json"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let again = Machine::new(&[("work/demo.json", &printed)]);
    let (code, second, stderr) = run_in(rig(), &again, &[], &["config", "--format", "json"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let own = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("output.dir"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(own(&printed), own(&second));
    assert!(printed.contains("\"codes.replace\": []"), "{printed}");
    assert!(printed.contains("\"suts.a.ip\": \"x $${y}\""), "{printed}");
}

#[test]
fn h18_of_two_extensions_with_one_priority_the_one_loaded_later_wins() {
    let own = [
        describe::<Rig>("rig", &OPTIONS, &[&MEASURE]),
        giver::<40>(),
        giver::<30>(),
    ];
    let machine = Machine::new(&[]);
    let (code, stdout, stderr) =
        run_in(with(own), &machine, &[], &["config", "--explain", "speed"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let rows: Vec<&str> = stdout
        .lines()
        .filter(|line| line.contains("extension giver"))
        .collect();
    assert!(
        rows[0].contains("40") && rows[0].contains("wins"),
        "{stdout}"
    );
    assert!(
        rows[1].contains("30") && rows[1].contains("read earlier"),
        "{stdout}"
    );
    assert_eq!(Priority::APPLICATION.level(), 1);
}

#[test]
fn f16_a_name_of_an_entity_that_would_make_keys_ambiguous_is_refused() {
    for name in ["a.b", "a b", "A", "a-b", ""] {
        let machine = Machine::new(&[("work/demo.yaml", &format!("suts.ids: [\"{name}\"]\n"))]);
        let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop"]);
        assert_eq!(code, 2, "{name}: {stderr}");
        assert!(
            stderr.contains("expected a name of lower-case letters and digits"),
            "{stderr}"
        );
    }
}

#[test]
fn f19_keys_of_files_are_normalised_and_unknown_ones_refused() {
    for key in ["db-password", "db_password", "db.password"] {
        let machine = Machine::new(&[("work/demo.yaml", &format!("{key}: x\n"))]);
        let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop"]);
        assert_eq!(code, 0, "{key}: {stderr}");
    }
    let machine = Machine::new(&[("work/demo.yaml", "db.pasword: x\n")]);
    assert_eq!(run_in(rig(), &machine, &[], &["noop"]).0, 2);
}

#[test]
fn f22_a_required_option_with_several_values_needs_one() {
    const NEEDY: CommandDescriptor = command(
        "several",
        &[OptionId::text("many").multiple().required()],
        |_| Ok(ExitCode::Success),
    );
    let own = || [describe::<Rig>("rig", &[], &[&NEEDY])];
    let machine = Machine::new(&[("work/demo.yaml", "many: []\n")]);
    let (code, _, stderr) = run_in(with(own()), &machine, &[], &["several"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--many"), "{stderr}");
    let (code, _, stderr) = run_in(with(own()), &machine, &[], &["several", "--many=x"]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn f61_a_wrong_path_or_entity_names_its_key() {
    let machine = Machine::new(&[("work/demo.yaml", "output.dir: 5\nsuts.ids: [B]\n")]);
    let (code, _, stderr) = run_in(rig(), &machine, &[], &["noop"]);
    assert_eq!(code, 2);
    for expected in [
        "option `output.dir` has the wrong type",
        "option `suts.ids` has a value",
    ] {
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn m4_nobody_is_asked_for_what_is_missing() {
    const NEEDY: CommandDescriptor =
        command("asks", &[OptionId::text("answer").required()], |_| {
            Ok(ExitCode::Success)
        });
    let machine = Machine::new(&[]);
    let own = [describe::<Rig>("rig", &[], &[&NEEDY])];
    let (code, stdout, stderr) = run_in(with(own), &machine, &[], &["asks"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("option `answer` has no value"), "{stderr}");
}
