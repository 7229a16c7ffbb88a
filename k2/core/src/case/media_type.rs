//! What a file holds, in the words of IANA.

use std::sync::Arc;

/// What is said of a file of which nothing is known.
const UNKNOWN: &str = "application/octet-stream";

/// Longest media type that is believed.
const LONGEST: usize = 100;

/// Media types by the end of the name.
const BY_EXTENSION: &[(&str, &str)] = &[
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("mp4", "video/mp4"),
    ("pcap", "application/vnd.tcpdump.pcap"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("toml", "application/toml"),
    ("txt", "text/plain"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
];

/// The media type that was said if it is one, otherwise that of files with such a name.
pub(super) fn of(said: &str, name: &str) -> Arc<str> {
    let said = said.trim().to_ascii_lowercase();
    if is_media_type(&said) {
        return said.into();
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension = extension.to_ascii_lowercase();
    let known = BY_EXTENSION.iter().find(|(known, _)| *known == extension);
    known.map_or(UNKNOWN, |(_, kind)| kind).into()
}

/// `type/subtype` of the characters that RFC 6838 allows.
fn is_media_type(text: &str) -> bool {
    let is_word = |word: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(allowed)
    };
    let words = text.split_once('/');
    text.len() <= LONGEST && words.is_some_and(|(kind, sub)| is_word(kind) && is_word(sub))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_the_case_says_counts_if_it_is_a_media_type() {
        assert_eq!(&*of("Image/PNG", "x.txt"), "image/png");
        assert_eq!(&*of("", "x.TXT"), "text/plain");
        assert_eq!(&*of("text/html\"><script>", "x.log"), "text/plain");
        assert_eq!(&*of("no media type", "png"), "application/octet-stream");
        assert_eq!(&*of(&"a/".repeat(99), ".png"), "image/png");
    }
}
