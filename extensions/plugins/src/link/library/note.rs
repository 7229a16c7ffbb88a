//! Looks at a library without running it: whether it is a plugin for this program and this machine.
//!
//! Opening a library runs its constructors, so whatever can be refused is refused before. What is read is the head of an ELF file,
//! its segments, the note `zk2` and the dynamic section; every offset in it may lie. Source: the ELF specification and the
//! header of plugins, `docs/examples/plugins/include/zaf_plugin.h`.

use super::super::printable::printable;

/// Version of the table of functions: a library and a host understand each other if it is the same.
pub const ABI: u32 = 1;

/// Bytes of a library that are looked at, at most.
pub(super) const LONGEST: usize = 256 << 20;

/// Name of the note, and its type.
const NOTE_NAME: &[u8] = b"zk2\0";
const NOTE_TYPE: u32 = 1;

/// The machine that this program is for: name in the note, and number in the head of ELF.
const MACHINE: (&str, u16) = if cfg!(target_arch = "x86_64") {
    ("x86_64-linux", 62)
} else if cfg!(target_arch = "aarch64") {
    ("aarch64-linux", 183)
} else {
    ("unsupported", 0)
};

/// Why a library is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No ELF file.
    #[error("it is no ELF file; it begins with {begins}")]
    NotElf {
        /// How it begins.
        begins: String,
    },
    /// It is shorter than it says.
    #[error("it is cut off: {what} should end at byte {end}, the file has {length} bytes")]
    Truncated {
        /// What does not end within the file.
        what: &'static str,
        /// Where it should end.
        end: u64,
        /// Bytes of the file.
        length: u64,
    },
    /// An ELF file that makes no sense.
    #[error("its {what} makes no sense: {problem}")]
    Malformed {
        /// What.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// For another machine.
    #[error("it is for another machine: {found}, this program runs on {expected}")]
    OtherMachine {
        /// For which.
        found: String,
        /// On which this program runs.
        expected: &'static str,
    },
    /// A program or an object file.
    #[error("it is no shared library (ELF type {found}); build it with `-shared`")]
    NotShared {
        /// Its type in ELF.
        found: u16,
    },
    /// A library that is no plugin.
    #[error(
        "it has no note `zk2`, so it is no plugin; include `zaf_plugin.h` and write `ZAF_PLUGIN_NOTE`"
    )]
    NoNote,
    /// A plugin for another version of the table.
    #[error(
        "it was built for abi {found}, this program has abi {expected}; build it with the header of this version"
    )]
    OtherAbi {
        /// For which.
        found: u32,
        /// That of this program.
        expected: u32,
    },
    /// Where it searches for libraries changes with where it lies.
    #[error(
        "it searches for libraries in `{path}`; only absolute directories are allowed, without `$ORIGIN`"
    )]
    SearchPath {
        /// What it says.
        path: String,
    },
    /// It is longer than what is looked at.
    #[error("it has {actual} bytes, at most {limit} are allowed")]
    TooLong {
        /// Its length.
        actual: u64,
        /// The longest.
        limit: u64,
    },
}

/// Looks at the bytes of a library.
///
/// # Errors
/// Why it must not be opened.
pub fn check(file: &[u8]) -> Result<(), Refusal> {
    let elf = Elf::read(file)?;
    let mut notes = Vec::new();
    let mut dynamic = None;
    for segment in elf.segments()? {
        let bytes = elf.within("a segment", segment.offset, segment.length)?;
        match segment.ty {
            PT_NOTE => notes.push(bytes),
            PT_DYNAMIC => dynamic = Some(bytes),
            _ => {}
        }
    }
    let note = notes
        .into_iter()
        .find_map(find_note)
        .ok_or(Refusal::NoNote)?;
    check_note(note)?;
    if let Some(dynamic) = dynamic {
        elf.check_search_paths(dynamic)?;
    }
    Ok(())
}

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_NOTE: u32 = 4;
const ET_DYN: u16 = 3;
const DT_NULL: u64 = 0;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// Bytes of the head of a 64-bit file, of a segment's, of an entry of the dynamic section.
const HEAD: usize = 64;
const SEGMENT: usize = 56;
const ENTRY: usize = 16;

struct Elf<'a> {
    file: &'a [u8],
    head: &'a [u8],
}

struct Segment {
    ty: u32,
    offset: u64,
    address: u64,
    length: u64,
}

impl<'a> Elf<'a> {
    /// Reads the head, and whether it is a library for this machine.
    fn read(file: &'a [u8]) -> Result<Self, Refusal> {
        if !file.starts_with(b"\x7fELF") {
            let begins = match file {
                [] => "nothing: it is empty".to_owned(),
                _ => format!("`{}`", printable(&file[..file.len().min(16)], 16)),
            };
            return Err(Refusal::NotElf { begins });
        }
        let Some(head) = file.get(..HEAD) else {
            return Err(Refusal::Truncated {
                what: "the head",
                end: HEAD as u64,
                length: file.len() as u64,
            });
        };
        let (class, data) = (head[4], head[5]);
        let machine = number16(head, 18);
        if (class, data) != (2, 1) || machine != MACHINE.1 {
            let bits = if class == 1 { "32 bits" } else { "64 bits" };
            let order = if data == 2 {
                "big-endian"
            } else {
                "little-endian"
            };
            return Err(Refusal::OtherMachine {
                found: format!("ELF machine {machine}, {bits}, {order}"),
                expected: MACHINE.0,
            });
        }
        let ty = number16(head, 16);
        if ty != ET_DYN {
            return Err(Refusal::NotShared { found: ty });
        }
        Ok(Self { file, head })
    }

    fn segments(&self) -> Result<Vec<Segment>, Refusal> {
        let (offset, size, count) = (
            number64(self.head, 32),
            usize::from(number16(self.head, 54)),
            u64::from(number16(self.head, 56)),
        );
        if size != SEGMENT {
            return Err(Refusal::Malformed {
                what: "table of segments",
                problem: format!("an entry has {size} bytes instead of {SEGMENT}"),
            });
        }
        let table = self.within("the table of segments", offset, count * SEGMENT as u64)?;
        let segments = table.chunks_exact(SEGMENT).map(|segment| Segment {
            ty: number32(segment, 0),
            offset: number64(segment, 8),
            address: number64(segment, 16),
            length: number64(segment, 32),
        });
        Ok(segments.collect())
    }

    fn within(&self, what: &'static str, offset: u64, length: u64) -> Result<&'a [u8], Refusal> {
        let end = offset.saturating_add(length);
        let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
        let bytes = range.and_then(|(offset, end)| self.file.get(offset..end));
        bytes.ok_or(Refusal::Truncated {
            what,
            end,
            length: self.file.len() as u64,
        })
    }

    /// Where the loader would search for what the library needs.
    fn check_search_paths(&self, dynamic: &[u8]) -> Result<(), Refusal> {
        let entries: Vec<(u64, u64)> = dynamic
            .chunks_exact(ENTRY)
            .map(|entry| (number64(entry, 0), number64(entry, 8)))
            .take_while(|(tag, _)| *tag != DT_NULL)
            .collect();
        let texts = entries.iter().find(|(tag, _)| *tag == DT_STRTAB);
        for (tag, at) in &entries {
            if *tag != DT_RPATH && *tag != DT_RUNPATH {
                continue;
            }
            let malformed = |problem: &str| Refusal::Malformed {
                what: "search path",
                problem: problem.to_owned(),
            };
            let (_, table) = texts.ok_or_else(|| malformed("there is no table of texts"))?;
            let text = self
                .at_address(table.saturating_add(*at))?
                .ok_or_else(|| malformed("it lies outside of all segments"))?;
            let end = text.iter().position(|&byte| byte == 0);
            let text = &text[..end.ok_or_else(|| malformed("it has no end"))?];
            // An empty directory is the current one.
            let is_absolute = |directory: &[u8]| directory.starts_with(b"/");
            let is_safe =
                !text.contains(&b'$') && text.split(|&byte| byte == b':').all(is_absolute);
            if !is_safe {
                let path = printable(text, 200);
                return Err(Refusal::SearchPath { path });
            }
        }
        Ok(())
    }

    /// The bytes of the file from what is loaded at an address to the end of its segment.
    fn at_address(&self, address: u64) -> Result<Option<&'a [u8]>, Refusal> {
        let segment = self.segments()?.into_iter().find(|segment| {
            let behind = address.checked_sub(segment.address);
            segment.ty == PT_LOAD && behind.is_some_and(|behind| behind < segment.length)
        });
        let Some(segment) = segment else {
            return Ok(None);
        };
        let bytes = self.within("a segment", segment.offset, segment.length)?;
        let behind = usize::try_from(address - segment.address).unwrap_or(usize::MAX);
        Ok(bytes.get(behind..))
    }
}

/// The contents of the note of plugins, in a segment of notes.
fn find_note(mut notes: &[u8]) -> Option<&[u8]> {
    const NOTE_HEAD: usize = 12;
    let aligned = |length: u32| (length as usize).checked_next_multiple_of(4);
    loop {
        let (head, rest) = notes.split_at_checked(NOTE_HEAD)?;
        let (name_length, length) = (number32(head, 0), number32(head, 4));
        let (name, rest) = rest.split_at_checked(aligned(name_length)?)?;
        let contents = rest.get(..length as usize)?;
        if name == NOTE_NAME && number32(head, 8) == NOTE_TYPE {
            return Some(contents);
        }
        // The last one may end without filling.
        notes = rest.get(aligned(length)?..)?;
    }
}

/// Abi, then the machine as text that ends with NUL.
fn check_note(note: &[u8]) -> Result<(), Refusal> {
    let Some((_, machine)) = note.split_at_checked(4) else {
        return Err(Refusal::Malformed {
            what: "note `zk2`",
            problem: format!("it has {} bytes, at least 4 are needed", note.len()),
        });
    };
    let found = number32(note, 0);
    if found != ABI {
        return Err(Refusal::OtherAbi {
            found,
            expected: ABI,
        });
    }
    let machine = machine.split(|&byte| byte == 0).next().unwrap_or_default();
    if machine != MACHINE.0.as_bytes() {
        return Err(Refusal::OtherMachine {
            found: printable(machine, 40),
            expected: MACHINE.0,
        });
    }
    Ok(())
}

fn number16(bytes: &[u8], at: usize) -> u16 {
    array(bytes, at).map_or(0, u16::from_le_bytes)
}

fn number32(bytes: &[u8], at: usize) -> u32 {
    array(bytes, at).map_or(0, u32::from_le_bytes)
}

fn number64(bytes: &[u8], at: usize) -> u64 {
    array(bytes, at).map_or(0, u64::from_le_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
