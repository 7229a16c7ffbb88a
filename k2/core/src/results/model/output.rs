//! What a case wrote.

use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::is_default;

/// What a case wrote to one of its outputs: head and tail, with a gap between them if it wrote much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedOutput {
    /// The beginning, or everything if there is no tail.
    #[serde(default)]
    pub head: Arc<str>,
    /// The end, behind the gap; empty unless `truncated`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub tail: Arc<str>,
    /// How many bytes were written in all.
    #[serde(default)]
    pub bytes: u64,
    /// Whether there is a gap between head and tail.
    #[serde(default, skip_serializing_if = "is_default")]
    pub truncated: bool,
    /// Whether bytes that are not UTF-8 were replaced by U+FFFD; the file has them as they were.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lossy: bool,
    /// File with the whole output (up to the cap); none if head and tail say it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Utf8PathBuf>,
}

impl CapturedOutput {
    /// Output of which `head` was kept of the beginning and `tail` of the end; `bytes` were written in all.
    ///
    /// There is a gap if `bytes` is more than both together; if not, the two are joined.
    pub fn from_bytes(head: &[u8], tail: &[u8], bytes: u64, file: Option<Utf8PathBuf>) -> Self {
        let kept = head.len() as u64 + tail.len() as u64;
        let truncated = bytes > kept;
        let lossy = |part: &[u8]| std::str::from_utf8(part).is_err();
        if truncated {
            // A character cut in two by the gap is no sign of bad output.
            let (head, tail) = (trim_cut_end(head), trim_cut_start(tail));
            Self {
                lossy: lossy(head) || lossy(tail),
                head: String::from_utf8_lossy(head).into(),
                tail: String::from_utf8_lossy(tail).into(),
                bytes,
                truncated,
                file,
            }
        } else {
            let all = [head, tail].concat();
            Self {
                lossy: lossy(&all),
                head: String::from_utf8_lossy(&all).into(),
                tail: Arc::default(),
                bytes,
                truncated,
                file,
            }
        }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The last part that was kept: the tail if there is a gap, otherwise everything.
    pub fn end(&self) -> &str {
        if self.truncated {
            &self.tail
        } else {
            &self.head
        }
    }

    /// How many bytes are missing between head and tail, as far as can be told from the text that was kept.
    pub fn missing_bytes(&self) -> u64 {
        let kept = self.head.len() as u64 + self.tail.len() as u64;
        if self.truncated {
            self.bytes.saturating_sub(kept)
        } else {
            0
        }
    }
}

impl From<&str> for CapturedOutput {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes(), &[], text.len() as u64, None)
    }
}

/// Cuts an unfinished character off the end; bytes that are no character at all stay.
fn trim_cut_end(bytes: &[u8]) -> &[u8] {
    let start = bytes.len().saturating_sub(3);
    let cut = (start..bytes.len()).find(|&at| {
        bytes.get(at..).is_some_and(|rest| {
            std::str::from_utf8(rest)
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
    });
    cut.and_then(|at| bytes.get(..at)).unwrap_or(bytes)
}

/// Cuts up to three continuation bytes off the start: the rest of a character whose beginning is in the gap.
fn trim_cut_start(bytes: &[u8]) -> &[u8] {
    let cut = bytes
        .iter()
        .take(3)
        .take_while(|&&byte| byte & 0xC0 == 0x80)
        .count();
    bytes.get(cut..).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e8_head_and_tail_of_a_flood_with_the_count_of_all_bytes() {
        let output = CapturedOutput::from_bytes(b"begin", b"end", 1 << 30, None);
        assert_eq!((&*output.head, output.end()), ("begin", "end"));
        assert!(output.truncated && !output.lossy);
        assert_eq!(output.missing_bytes(), (1 << 30) - 8);
    }

    #[test]
    fn head_and_tail_without_a_gap_are_joined() {
        let output = CapturedOutput::from_bytes(b"gr\xc3", b"\xb6\xc3\x9fe", 6, None);
        assert_eq!((&*output.head, output.end()), ("größe", "größe"));
        assert!(!output.truncated && !output.lossy);
    }

    #[test]
    fn e10_bytes_that_are_no_text_are_replaced_and_that_is_said() {
        let output = CapturedOutput::from_bytes(b"a\xffb", &[], 3, None);
        assert_eq!((&*output.head, output.lossy), ("a\u{fffd}b", true));
    }

    #[test]
    fn e10_a_character_cut_by_the_gap_is_not_bad_output() {
        let euro = "€".as_bytes();
        let head = [b"a", &euro[..2]].concat();
        let tail = [&euro[2..], b"z"].concat();
        let output = CapturedOutput::from_bytes(&head, &tail, 100, None);
        assert_eq!(
            (&*output.head, &*output.tail, output.lossy),
            ("a", "z", false)
        );
    }
}
