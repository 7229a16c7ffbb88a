//! The command `trust`: says which plugins may be run although a file of a repository or a variable names them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use thiserror::Error;
use zaf_core::application::Console;
use zaf_core::extension::Catalog;
use zaf_core::prelude::*;

use super::{TrustStore, Trusted};
use crate::host::{self, ALLOW_INSECURE};
use crate::package::{self, Package};

/// What is trusted: the folder of a plugin, or a directory of such folders.
pub const TRUST_DIR: OptionId<Utf8PathBuf> = OptionId::path("trust.dir")
    .argument()
    .describe("Folder of a plugin, or a directory of such folders.");

/// Whether to show what is trusted instead. `--list`.
pub const TRUST_LIST: OptionId<bool> = OptionId::flag("list")
    .describe("Show what is trusted.")
    .default(false);

/// Whether to trust it no longer. `--remove`.
pub const TRUST_REMOVE: OptionId<bool> = OptionId::flag("remove")
    .describe("Trust it no longer.")
    .default(false);

/// What cannot be trusted, or no longer be.
#[derive(Debug, Error)]
enum Refused {
    #[error("expected the folder of a plugin, or `--list`")]
    Nothing,
    #[error(transparent)]
    Path(#[from] package::FindError),
    #[error("`{}` has no plugin: neither it nor a folder in it has a `plugin.toml`", path.display())]
    NoPlugin { path: PathBuf },
    #[error("nothing in `{}` is trusted", path.display())]
    NotTrusted { path: PathBuf },
}

/// Says which plugins may be run.
///
/// A plugin that is named on the command line or in your own configuration needs no trust. One that is named by a file of a
/// repository or by an environment variable is run only if you trust it: its folder as it is now. This command looks at the files,
/// asks each plugin what it is, which runs it, and keeps both. With `--list` it shows what is trusted, with `--remove` it takes it
/// back.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "trust",
    uses = ["preview"],
    config_options = [
        TRUST_DIR.optional(),
        TRUST_LIST.optional(),
        TRUST_REMOVE.optional(),
    ],
)]
pub fn trust(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let store = TrustStore::of(cx.application());
    let usage = |error: Refused| ExitCode::Usage.with_error(error);
    let text = if cx.config().get(TRUST_LIST)? {
        list(&store.trusted()?)
    } else {
        let directory = cx.config().get_optional(TRUST_DIR)?;
        let directory = directory.ok_or_else(|| usage(Refused::Nothing))?;
        let path = cx.application().invocation.directory.join(directory);
        if cx.config().get(TRUST_REMOVE)? {
            remove(&store, path.as_std_path())?
        } else {
            add(cx, &store, path.as_std_path())?
        }
    };
    let console = cx.component::<Console>()?;
    console.stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::Success)
}

/// Trusts all plugins of a directory, or none.
fn add(cx: &CommandContext<'_>, store: &TrustStore, path: &Path) -> Result<String> {
    let usage = |error: Refused| ExitCode::Usage.with_error(error);
    let found = package::find(path).map_err(|problem| usage(problem.into()))?;
    if found.folders.is_empty() {
        let path = path.to_owned();
        return Err(usage(Refused::NoPlugin { path }));
    }
    let insecure = cx.config().get(ALLOW_INSECURE)?;
    let open_limit = host::open_limit(cx.component::<Catalog>()?.store());
    let mut trusted = store.trusted()?;
    let mut text = String::new();
    for folder in &found.folders {
        let failed = |error: Error| ExitCode::ExtensionFailed.with_error(error);
        let package = Package::read(folder, insecure).map_err(|error| failed(error.into()))?;
        let description = host::describe(&package, cx.application(), open_limit, true)
            .map_err(|error| failed(error.into()))?;
        store.keep(&package, &description)?;
        let now = Trusted {
            path: package.directory,
            digest: package.digest,
            name: description.name,
            version: description.version,
        };
        text.push_str("trusted: ");
        text.push_str(&line(&now));
        let does = description.description.trim().lines().next();
        if let Some(does) = does.filter(|does| !does.is_empty()) {
            text.push_str("  ");
            text.push_str(&printable(does));
            text.push('\n');
        }
        trusted.retain(|one| one.path != now.path);
        trusted.push(now);
    }
    store.write(trusted)?;
    Ok(text)
}

/// Trusts a plugin, or those in a directory, no longer. They need not be there any more.
fn remove(store: &TrustStore, path: &Path) -> Result<String> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = std::fs::canonicalize(&path).unwrap_or(path);
    let (gone, kept): (Vec<Trusted>, Vec<Trusted>) = store
        .trusted()?
        .into_iter()
        .partition(|one| one.path.starts_with(&real));
    if gone.is_empty() {
        let error = Refused::NotTrusted { path: real };
        return Err(ExitCode::Usage.with_error(error));
    }
    store.write(kept)?;
    let lines = gone.iter().map(|one| format!("no longer: {}", line(one)));
    Ok(lines.collect())
}

fn list(trusted: &[Trusted]) -> String {
    if trusted.is_empty() {
        return "nothing is trusted\n".to_owned();
    }
    trusted.iter().map(line).collect()
}

/// Name, version, folder and the beginning of the digest.
fn line(one: &Trusted) -> String {
    let digest = one.digest.to_string();
    let short = digest.get(..12).unwrap_or(&digest);
    format!(
        "{} {}  {}  {short}\n",
        printable(&one.name),
        printable(&one.version),
        one.path.display()
    )
}

/// What a plugin says about itself, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
