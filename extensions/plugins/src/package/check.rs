//! Whether somebody else than the user and the system's owner could have put a plugin where it is, or change it.
//!
//! A file is safe if it belongs to root or to the user, nobody else may write it, and the same holds for every directory above it
//! (directories with the sticky bit may be written by all: what is in them belongs to whom it belongs).
//!
//! Source: what ssh asks of its files (`StrictModes`).

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};
use thiserror::Error;

/// Somebody else may have changed a plugin.
#[derive(Debug, Error)]
#[error("`{}` is not safe: {problem}", path.display())]
pub struct Insecure {
    /// What is wrong: the plugin, a file of it, or a directory above it.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: InsecureProblem,
}

/// What is not safe about a file or directory.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InsecureProblem {
    /// Others may write it.
    #[error("its mode is {mode:04o}, so {who} may write it; `chmod {fix}` mends that")]
    Writable {
        /// The mode bits.
        mode: u32,
        /// Who may.
        who: &'static str,
        /// What takes the right away.
        fix: &'static str,
    },
    /// It belongs to another user.
    #[error("it belongs to user {owner}; expected you (user {user}) or root")]
    Owner {
        /// Number of the owner.
        owner: u32,
        /// Number of the user.
        user: u32,
    },
    /// A link that leads out of the plugin.
    #[error("it is a link that leads out of its folder, to `{}`", target.display())]
    Link {
        /// Where it leads.
        target: PathBuf,
    },
    /// Its state cannot be read.
    #[error("its state cannot be read")]
    Unknown(#[source] io::Error),
}

/// Whether the folder of a plugin, and everything above it, is safe. The files in it are looked at when they are read.
///
/// # Errors
/// The first that is not, from the root on.
pub(super) fn folder(directory: &Path) -> Result<(), Insecure> {
    let mut above: Vec<&Path> = directory.ancestors().collect();
    above.reverse();
    above.into_iter().try_for_each(path)
}

/// Whether what stands at a path is safe; a link is not followed.
///
/// # Errors
/// What is not.
pub(crate) fn path(path: &Path) -> Result<(), Insecure> {
    let state = rustix::fs::lstat(path).map_err(|error| Insecure {
        path: path.to_owned(),
        problem: InsecureProblem::Unknown(error.into()),
    })?;
    opened(path, &state)
}

/// Whether a file in this state is safe.
///
/// # Errors
/// What is not.
pub(super) fn opened(path: &Path, state: &Stat) -> Result<(), Insecure> {
    let user = rustix::process::geteuid().as_raw();
    match unsafe_state(state, user) {
        Some(problem) => Err(Insecure {
            path: path.to_owned(),
            problem,
        }),
        None => Ok(()),
    }
}

fn unsafe_state(state: &Stat, user: u32) -> Option<InsecureProblem> {
    let kind = FileType::from_raw_mode(state.st_mode);
    if state.st_uid != 0 && state.st_uid != user {
        return Some(InsecureProblem::Owner {
            owner: state.st_uid,
            user,
        });
    }
    let mode = state.st_mode & 0o7777;
    let is_sticky = kind.is_dir() && mode & 0o1000 != 0;
    // The mode of a link means nothing.
    if kind.is_symlink() || is_sticky || mode & 0o022 == 0 {
        return None;
    }
    let (who, fix) = match (mode & 0o020 != 0, mode & 0o002 != 0) {
        (true, false) => ("its group", "g-w"),
        (false, true) => ("everybody", "o-w"),
        _ => ("everybody", "go-w"),
    };
    Some(InsecureProblem::Writable { mode, who, fix })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn problem(mode: u32, of: impl FnOnce(&Path) -> io::Result<()>) -> Option<String> {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("x");
        of(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        path(&file).err().map(|error| error.problem.to_string())
    }

    #[test]
    fn c18_who_may_write_is_named_with_the_mode_bits() {
        let file = |path: &Path| std::fs::write(path, "");
        let directory = |path: &Path| std::fs::create_dir(path);
        assert_eq!(problem(0o644, file), None);
        assert_eq!(problem(0o755, directory), None);
        assert_eq!(problem(0o1777, directory), None);
        let said = problem(0o777, directory).unwrap();
        assert_eq!(
            said,
            "its mode is 0777, so everybody may write it; `chmod go-w` mends that"
        );
        let said = problem(0o666, file).unwrap();
        assert!(said.starts_with("its mode is 0666, so everybody"), "{said}");
        let said = problem(0o664, file).unwrap();
        assert!(said.contains("0664, so its group may"), "{said}");
        let said = problem(0o1666, file).unwrap();
        assert!(
            said.contains("1666"),
            "sticky files are no directories: {said}"
        );
    }

    #[test]
    fn c18_what_belongs_to_another_user_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let mut state = rustix::fs::lstat(place.path()).unwrap();
        let user = rustix::process::geteuid().as_raw();
        assert!(unsafe_state(&state, user).is_none());
        state.st_uid = user + 17;
        let problem = unsafe_state(&state, user).unwrap().to_string();
        assert_eq!(
            problem,
            format!(
                "it belongs to user {}; expected you (user {user}) or root",
                user + 17
            )
        );
        state.st_uid = 0;
        assert!(unsafe_state(&state, user).is_none());
    }

    #[test]
    fn s2_a_directory_above_that_others_may_write_is_found() {
        let place = tempfile::tempdir().unwrap();
        let folder_of_all = place.path().join("all");
        let plugin = folder_of_all.join("plugin");
        std::fs::create_dir_all(&plugin).unwrap();
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(&plugin, 0o755);
        mode(&folder_of_all, 0o755);
        assert!(folder(&plugin).is_ok());
        mode(&folder_of_all, 0o777);
        let insecure = folder(&plugin).unwrap_err();
        assert_eq!(insecure.path, folder_of_all);
        // Where only owners may rename what is theirs, nobody else can put something in its place.
        mode(&folder_of_all, 0o1777);
        assert!(folder(&plugin).is_ok());
    }

    #[test]
    fn s20_root_runs_nothing_that_belongs_to_somebody_else() {
        let place = tempfile::tempdir().unwrap();
        let mut state = rustix::fs::lstat(place.path()).unwrap();
        state.st_uid = 1000;
        let problem = unsafe_state(&state, 0).unwrap().to_string();
        assert!(problem.contains("it belongs to user 1000"), "{problem}");
        state.st_uid = 0;
        assert!(unsafe_state(&state, 0).is_none());
    }
}
