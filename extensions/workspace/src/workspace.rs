//! A directory of a case.

use std::fs;
use std::io::{self, ErrorKind};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use zaf_core::prelude::*;

use crate::WorkspaceError;

/// An empty directory that belongs to one attempt at one case. What is made in it stays with the results of the run if the case fails, or
/// as the option `artefacts.keep` says.
///
/// All paths are relative to it and cannot leave it. Directories in between are made as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    path: Utf8PathBuf,
}

impl Workspace {
    /// Makes the directory; what is there already is deleted.
    ///
    /// # Errors
    /// When the directory cannot be emptied or made.
    pub fn create(path: impl Into<Utf8PathBuf>) -> Result<Self, WorkspaceError> {
        let path = path.into();
        let failed = |action| io_error(action, &path);
        match fs::symlink_metadata(&path) {
            // A link is deleted, not what it leads to.
            Ok(metadata) if metadata.is_dir() => {
                fs::remove_dir_all(&path).map_err(failed("empty the workspace"))?;
            }
            Ok(_) => fs::remove_file(&path).map_err(failed("empty the workspace"))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("look at the workspace")(error)),
        }
        fs::create_dir_all(&path).map_err(failed("make the workspace"))?;
        let path = path
            .canonicalize_utf8()
            .map_err(failed("look at the workspace"))?;
        Ok(Self { path })
    }

    /// Its absolute path.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The absolute path of something in it, whether it exists or not.
    ///
    /// # Errors
    /// When the path leads out of the workspace.
    pub fn join(&self, path: impl AsRef<Utf8Path>) -> Result<Utf8PathBuf, WorkspaceError> {
        let path = path.as_ref();
        let mut parts = path.components();
        let inside = |part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir);
        if !parts.all(inside) {
            let path = path.to_owned();
            return Err(WorkspaceError::Outside { path });
        }
        Ok(self.path.join(path))
    }

    /// Writes a file, over one that is there, and returns its absolute path.
    ///
    /// # Errors
    /// When the path leads out of the workspace, or it cannot be written.
    pub fn create_file(
        &self,
        path: impl AsRef<Utf8Path>,
        content: impl AsRef<[u8]>,
    ) -> Result<Utf8PathBuf, WorkspaceError> {
        let path = self.prepare(path.as_ref())?;
        fs::write(&path, content).map_err(io_error("write", &path))?;
        Ok(path)
    }

    /// Makes a directory, unless there is one, and returns its absolute path.
    ///
    /// # Errors
    /// When the path leads out of the workspace, or it cannot be made.
    pub fn create_dir(&self, path: impl AsRef<Utf8Path>) -> Result<Utf8PathBuf, WorkspaceError> {
        let path = self.join(path)?;
        fs::create_dir_all(&path).map_err(io_error("make the directory", &path))?;
        Ok(path)
    }

    /// Copies a file from elsewhere, with its permissions, and returns its absolute path here.
    ///
    /// # Errors
    /// When the path leads out of the workspace, or it cannot be copied.
    pub fn add_file(
        &self,
        from: impl AsRef<Utf8Path>,
        path: impl AsRef<Utf8Path>,
    ) -> Result<Utf8PathBuf, WorkspaceError> {
        let path = self.prepare(path.as_ref())?;
        let from = from.as_ref();
        fs::copy(from, &path).map_err(io_error("copy", from))?;
        Ok(path)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// When the path leads out of the workspace, or the file cannot be read or is not UTF-8.
    pub fn read(&self, path: impl AsRef<Utf8Path>) -> Result<String, WorkspaceError> {
        let path = self.join(path)?;
        fs::read_to_string(&path).map_err(io_error("read", &path))
    }

    /// Fails the case unless there is something at the path.
    ///
    /// # Errors
    /// See above; also when the path leads out of the workspace.
    pub fn assert_exists(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        match fs::symlink_metadata(self.join(path)?) {
            Ok(_) => Ok(()),
            Err(_) => Err(k2::fail(format!(
                "`{path}` is not in the workspace{}",
                self.neighbours(path)
            ))),
        }
    }

    /// Fails the case if there is something at the path.
    ///
    /// # Errors
    /// See above; also when the path leads out of the workspace.
    pub fn assert_does_not_exist(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        match fs::symlink_metadata(self.join(path)?) {
            Ok(_) => Err(k2::fail(format!("`{path}` is in the workspace"))),
            Err(_) => Ok(()),
        }
    }

    /// Fails the case unless there is a symbolic link at the path.
    ///
    /// # Errors
    /// See above; also when the path leads out of the workspace.
    pub fn assert_is_link(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        match fs::symlink_metadata(self.join(path)?) {
            Ok(metadata) if metadata.is_symlink() => Ok(()),
            Ok(_) => Err(k2::fail(format!("`{path}` is no symbolic link"))),
            Err(_) => self.assert_exists(path),
        }
    }

    /// Fails the case unless the file contains the text.
    ///
    /// # Errors
    /// See above; also when the file cannot be read.
    pub fn assert_contains(&self, path: impl AsRef<Utf8Path>, text: &str) -> Result<()> {
        let path = path.as_ref();
        self.assert_exists(path)?;
        let content = self.read(path)?;
        if content.contains(text) {
            return Ok(());
        }
        let lines: Vec<_> = content.lines().take(20).collect();
        let shown = lines.join("\n  ");
        Err(k2::fail(format!(
            "`{path}` does not contain `{text}`\n  {shown}"
        )))
    }

    /// Where a file will be, with the directories above it.
    fn prepare(&self, path: &Utf8Path) -> Result<Utf8PathBuf, WorkspaceError> {
        let path = self.join(path)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io_error("make the directory", parent))?;
        }
        Ok(path)
    }

    /// What is where something was looked for.
    fn neighbours(&self, path: &Utf8Path) -> String {
        let parent = self.path.join(path.parent().unwrap_or(Utf8Path::new("")));
        let Ok(entries) = parent.read_dir_utf8() else {
            return String::new();
        };
        let mut names: Vec<_> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.file_name().to_owned())
            .collect();
        names.sort();
        if names.is_empty() {
            return "; its directory is empty".to_owned();
        }
        format!("; beside it there are: {}", names.join(", "))
    }
}

fn io_error(action: &'static str, path: &Utf8Path) -> impl Fn(io::Error) -> WorkspaceError {
    move |source| WorkspaceError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(directory.path()).unwrap();
        let workspace = Workspace::create(path.join("a/b")).unwrap();
        (directory, workspace)
    }

    #[test]
    fn files_are_made_with_their_directories() {
        let (_directory, workspace) = workspace();
        let path = workspace.create_file("deep/er/file", "text").unwrap();
        assert!(path.is_absolute());
        assert_eq!(workspace.read("deep/er/file").unwrap(), "text");
        let copy = workspace.add_file(&path, "copies/file").unwrap();
        assert_eq!(fs::read_to_string(copy).unwrap(), "text");
        workspace.assert_contains("copies/file", "ex").unwrap();
        workspace.create_dir("empty").unwrap();
        workspace.assert_exists("empty").unwrap();
        workspace.assert_does_not_exist("nothing").unwrap();
    }

    #[test]
    fn what_is_not_as_it_should_be_is_named() {
        let (_directory, workspace) = workspace();
        workspace.create_file("one", "text\n").unwrap();
        let text = |result: Result<()>| result.unwrap_err().to_string();
        assert_eq!(
            text(workspace.assert_exists("two")),
            "`two` is not in the workspace; beside it there are: one"
        );
        assert_eq!(
            text(workspace.assert_does_not_exist("one")),
            "`one` is in the workspace"
        );
        assert_eq!(
            text(workspace.assert_contains("one", "x y")),
            "`one` does not contain `x y`\n  text"
        );
        assert_eq!(
            text(workspace.assert_is_link("one")),
            "`one` is no symbolic link"
        );
        symlink("nowhere", workspace.path().join("link")).unwrap();
        workspace.assert_is_link("link").unwrap();
        workspace.assert_exists("link").unwrap();
    }

    #[test]
    fn nothing_is_written_outside() {
        let (_directory, workspace) = workspace();
        for path in ["../x", "a/../../x", "/tmp/x"] {
            let error = workspace.create_file(path, "").unwrap_err();
            assert!(matches!(error, WorkspaceError::Outside { .. }), "{error}");
        }
        assert!(!workspace.path().parent().unwrap().join("x").exists());
    }

    #[test]
    fn a_new_workspace_is_empty_and_a_link_is_not_followed() {
        let (directory, workspace) = workspace();
        workspace.create_file("old", "").unwrap();
        let again = Workspace::create(workspace.path()).unwrap();
        again.assert_does_not_exist("old").unwrap();
        let precious = directory.path().join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("file"), "").unwrap();
        let link = Utf8PathBuf::from_path_buf(directory.path().join("link")).unwrap();
        symlink(&precious, &link).unwrap();
        Workspace::create(&link).unwrap();
        assert!(precious.join("file").exists());
    }
}
