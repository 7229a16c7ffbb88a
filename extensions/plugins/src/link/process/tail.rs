//! What a plugin writes to its standard error: lines for the log, the last of them for reports.

use std::collections::VecDeque;

use super::super::printable::printable;

/// Lines that are kept.
const LINES: usize = 20;

/// Bytes after which a line is cut, so that nobody collects what never ends.
const LONGEST: usize = 4 << 10;

/// The last lines, and the one that is not complete.
#[derive(Debug, Default)]
pub(super) struct Tail {
    lines: VecDeque<String>,
    begun: Vec<u8>,
}

impl Tail {
    /// Takes what was read; calls `each` with every line that is complete, made printable.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            for piece in part.chunks(LONGEST) {
                self.begun.extend_from_slice(piece);
                if piece.ends_with(b"\n") || self.begun.len() >= LONGEST {
                    self.end_line(&mut each);
                }
            }
        }
    }

    /// Takes the last line as complete.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&str)) {
        self.end_line(&mut each);
    }

    fn end_line(&mut self, each: &mut impl FnMut(&str)) {
        let line = printable(self.begun.trim_ascii_end(), LONGEST);
        self.begun.clear();
        if line.is_empty() {
            return;
        }
        each(&line);
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_all_are_told() {
        let mut tail = Tail::default();
        let mut told = 0;
        for number in 0..LINES + 5 {
            // In two pieces, and with an empty line.
            tail.push(format!("line {number}").as_bytes(), |_| told += 1);
            tail.push(b" end\n\n", |_| told += 1);
        }
        assert_eq!(told, LINES + 5);
        let lines = tail.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], "line 5 end");
    }

    #[test]
    fn what_never_ends_is_cut_and_what_is_not_text_is_shown() {
        let mut tail = Tail::default();
        tail.push(&vec![b'x'; 3 * LONGEST + 1], |_| {});
        assert_eq!(tail.lines().len(), 3);
        tail.push(b"\xff\x1b[2J", |_| {});
        tail.finish(|_| {});
        let last = tail.lines().pop().unwrap();
        assert_eq!(last, "x\u{fffd}\\u{1b}[2J");
    }
}
