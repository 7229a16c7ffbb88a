//! Reads the file that a secret is in.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;
use rustix::fs::OFlags;

/// Longest secret, in bytes: a private key of the largest usual size has a quarter of it.
const LONGEST: u64 = 64 * 1024;

/// The text in a file without the line break at its end. Only regular files are read; never waits.
///
/// # Errors
///
/// What is there instead, with the path.
pub(in crate::config) fn secret(path: &Utf8Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("`{path}`: {error}");
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let is_file = |metadata: std::fs::Metadata| {
        if metadata.is_file() {
            Ok(())
        } else {
            Err(format!("`{path}`, which is no regular file"))
        }
    };
    // Asked before opening, because opening a device may do something; and again after, because it may have been replaced.
    is_file(std::fs::metadata(path).map_err(failed)?)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(failed)?;
    is_file(file.metadata().map_err(failed)?)?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(format!("`{path}`, which has more than {LONGEST} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("`{path}`, which is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(format!("`{path}`, which is empty"));
    }
    Ok(text.to_owned())
}
