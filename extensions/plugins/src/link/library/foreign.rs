//! The border to C: the only module with `unsafe`.
//!
//! What crosses is laid out by C (`docs/examples/plugins/include/zaf_plugin.h`): numbers, pointers with lengths, functions. Bytes are
//! borrowed for one call, or owned and given back to the function that came with them: neither side frees what the other has
//! allocated, and no type of Rust is on both sides. What a library returns is copied before anything else happens.
//!
//! A library is never closed: its threads and destructors may run until the end of the process. So its table, its file and what it
//! was given of the host live as long.
//!
//! Long because all `unsafe` of the crate is in one file.
#![expect(
    unsafe_code,
    reason = "calls functions of C libraries, which no safe code can; the decision on libraries says why and what is checked before"
)]

use std::ffi::{CStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::sync::Once;
use std::time::Duration;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use zaf_core::message::{EncodedMessage, EncodedPayload, Entity, MessageKind, WireFormat};

use super::super::{Calls, LogLevel};
use super::note::ABI;
use crate::protocol::{CallError, ReplyEntry, binary, limits};

/// Name of the table in a library.
const SYMBOL: &CStr = c"zaf_plugin_v1";

/// What functions return.
pub(super) const OK: i32 = 0;
pub(super) const REFUSED: i32 = 1;
pub(super) const PANICKED: i32 = 2;

/// Borrowed bytes: valid during the call. None: no pointer.
#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    data: *const u8,
    length: usize,
}

/// Owned bytes: who gets them calls `free` once, if there is one.
#[repr(C)]
struct Buffer {
    data: *mut u8,
    length: usize,
    free: Option<unsafe extern "C" fn(*mut u8, usize)>,
}

#[repr(C)]
struct Message {
    dispatcher: Bytes,
    name: Bytes,
    endpoint: Bytes,
    entity: Bytes,
    kind: u32,
    format: u32,
    payload: Bytes,
}

#[repr(C)]
struct HostTable {
    size: u32,
    abi: u32,
    context: *mut c_void,
    trigger: unsafe extern "C" fn(*mut c_void, *const Message, *mut Buffer) -> i32,
    send: unsafe extern "C" fn(*mut c_void, *const Message, u64, *mut Buffer) -> i32,
    log: unsafe extern "C" fn(*mut c_void, u32, Bytes),
}

#[repr(C)]
struct PluginTable {
    abi: u32,
    size: u32,
    describe: Option<unsafe extern "C" fn(*mut Buffer) -> i32>,
    start:
        Option<unsafe extern "C" fn(*const HostTable, Bytes, *mut *mut c_void, *mut Buffer) -> i32>,
    message: Option<unsafe extern "C" fn(*mut c_void, *const Message, *mut Buffer) -> i32>,
    stop: Option<unsafe extern "C" fn(*mut c_void, *mut Buffer) -> i32>,
}

/// Why a library could not be opened or has no table.
#[derive(Debug)]
pub(super) enum OpenError {
    Loader(String),
    Symbol,
    Table(String),
}

/// What a function of a library returned: its code, and the bytes that came with it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) bytes: Vec<u8>,
}

/// The table of a library that has been opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table(&'static PluginTable);

impl std::fmt::Debug for PluginTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginTable")
            .field("abi", &self.abi)
            .finish_non_exhaustive()
    }
}

// SAFETY: the table is constant and lives as long as the process; that its functions may be called by any thread is what the header
// asks of authors.
unsafe impl Send for PluginTable {}
// SAFETY: as above.
unsafe impl Sync for PluginTable {}

/// An instance of a plugin: what its `start` has made.
#[derive(Debug)]
pub(super) struct Instance {
    table: Table,
    instance: *mut c_void,
}

// SAFETY: an instance is only handed to functions of its library, which may be called by any thread (the header says so), one at a
// time unless the plugin says that it is concurrent.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Table {
    /// Opens the library behind a descriptor, which runs its constructors, and finds its table.
    ///
    /// A descriptor of its own is kept for ever: the loader knows libraries by their paths, and the number in this one must not
    /// become that of another file.
    pub(super) fn open(file: &OwnedFd) -> Result<Self, OpenError> {
        let file = file
            .try_clone()
            .map_err(|error| OpenError::Loader(error.to_string()))?;
        let path = format!("/proc/self/fd/{}", file.into_raw_fd());
        // SAFETY: constructors run, which may do anything. The caller has read the note by which the author says that it is a plugin
        // for this program, and a process that may die has opened it before.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|error| OpenError::Loader(error.to_string()))?;
        // Never closed.
        let library = ManuallyDrop::new(library);
        // SAFETY: the header declares the symbol as a constant table that begins with two numbers, and the note says that the header
        // was used. It is not looked at beyond these numbers before they are checked.
        let symbol = unsafe { library.get::<*const PluginTable>(SYMBOL.to_bytes_with_nul()) };
        let table: *const PluginTable = match symbol {
            // A symbol is the address; what is wanted is the table at it.
            Ok(symbol) => symbol.into_raw().cast_const().cast(),
            Err(_) => return Err(OpenError::Symbol),
        };
        if table.is_null() || !table.is_aligned() {
            return Err(OpenError::Symbol);
        }
        // SAFETY: not null and aligned; the first two fields are there in every version.
        let (abi, size) = unsafe { ((*table).abi, (*table).size as usize) };
        if abi != ABI || size < size_of::<PluginTable>() {
            return Err(OpenError::Table(format!(
                "its table says abi {abi} and {size} bytes, needed are abi {ABI} and {} bytes",
                size_of::<PluginTable>()
            )));
        }
        // SAFETY: it has at least this size, and lives as long as the library, which is never closed.
        let table = unsafe { &*table };
        let functions = [
            ("describe", table.describe.is_some()),
            ("start", table.start.is_some()),
            ("message", table.message.is_some()),
            ("stop", table.stop.is_some()),
        ];
        match functions.iter().find(|(_, is_there)| !is_there) {
            None => Ok(Self(table)),
            Some((name, _)) => Err(OpenError::Table(format!("its table has no `{name}`"))),
        }
    }

    /// What is the plugin? JSON.
    pub(super) fn describe(self) -> Answer {
        let describe = self.0.describe.expect(CHECKED);
        // SAFETY: a function of the table with an empty buffer, as the header says.
        collect(|buffer| unsafe { describe(buffer) })
    }

    /// Makes an instance. The host that it is given stays for ever.
    pub(super) fn start(self, start: &[u8], host: Box<dyn Calls>) -> Result<Instance, Answer> {
        let context = Box::into_raw(Box::new(host));
        let host = HostTable {
            size: u32::try_from(size_of::<HostTable>()).expect("invariant: some bytes"),
            abi: ABI,
            context: context.cast(),
            trigger,
            send,
            log,
        };
        let host: &'static HostTable = Box::leak(Box::new(host));
        let function = self.0.start.expect(CHECKED);
        let mut instance = null_mut();
        // SAFETY: the host lives for ever, the bytes during the call, the place for the instance is one.
        let answer =
            collect(|buffer| unsafe { function(host, borrowed(start), &raw mut instance, buffer) });
        if answer.code == OK {
            Ok(Instance {
                table: self,
                instance,
            })
        } else {
            Err(answer)
        }
    }
}

const CHECKED: &str = "invariant: checked when the table was found";

impl Instance {
    /// Hands over a message.
    pub(super) fn message(
        &self,
        dispatcher: &str,
        kind: MessageKind,
        message: &EncodedMessage,
    ) -> Answer {
        let function = self.table.0.message.expect(CHECKED);
        let payload = message.payload();
        let message = Message {
            dispatcher: borrowed(dispatcher.as_bytes()),
            name: borrowed(message.name().as_bytes()),
            endpoint: message
                .endpoint()
                .map_or(NONE, |name| borrowed(name.as_bytes())),
            entity: message
                .entity()
                .map_or(NONE, |entity| borrowed(entity.name().as_bytes())),
            kind: match kind {
                MessageKind::Request => 2,
                _ => 1,
            },
            format: match payload.format() {
                WireFormat::Postcard => 2,
                _ => 1,
            },
            payload: borrowed(payload.bytes()),
        };
        // SAFETY: everything borrowed outlives the call, and the instance is one of this library.
        collect(|buffer| unsafe { function(self.instance, &raw const message, buffer) })
    }

    /// Ends it: no other function may be called with it afterwards.
    pub(super) fn stop(self) -> Answer {
        let function = self.table.0.stop.expect(CHECKED);
        // SAFETY: the instance is one of this library, and this takes it.
        collect(|buffer| unsafe { function(self.instance, buffer) })
    }
}

const NONE: Bytes = Bytes {
    data: null(),
    length: 0,
};

fn borrowed(bytes: &[u8]) -> Bytes {
    Bytes {
        data: bytes.as_ptr(),
        length: bytes.len(),
    }
}

/// Calls a function with an empty buffer, copies what is in it then, and gives it back to its owner.
fn collect(call: impl FnOnce(*mut Buffer) -> i32) -> Answer {
    let mut buffer = Buffer {
        data: null_mut(),
        length: 0,
        free: None,
    };
    let code = call(&raw mut buffer);
    let bytes = if buffer.data.is_null() || buffer.length > isize::MAX as usize {
        Vec::new()
    } else {
        // SAFETY: the header asks for `length` bytes that can be read until `free` is called. Longer ones than a frame are cut, and found
        // to be too long.
        unsafe { std::slice::from_raw_parts(buffer.data, buffer.length.min(limits::FRAME + 1)) }
            .to_vec()
    };
    if let Some(free) = buffer.free {
        // SAFETY: the function that came with the bytes, called once, after the last look at them.
        unsafe { free(buffer.data, buffer.length) };
    }
    Answer { code, bytes }
}

/// Bytes that a library has lent for a call. None if there are none, or they are too long.
///
/// # Safety
/// They can be read as long as the result is used.
unsafe fn lent<'a>(bytes: Bytes) -> Option<&'a [u8]> {
    if bytes.data.is_null() || bytes.length > limits::FRAME {
        return None;
    }
    // SAFETY: what the caller promises.
    Some(unsafe { std::slice::from_raw_parts(bytes.data, bytes.length) })
}

/// A message of a library, copied.
///
/// # Safety
/// The pointer is null or to a message, and what that borrows can be read.
unsafe fn copied(message: *const Message) -> Result<EncodedMessage, CallError> {
    let refused = |text: &str| CallError::new("refused", text);
    // SAFETY: what the caller promises.
    let message = unsafe { message.as_ref() }.ok_or_else(|| refused("there is no message"))?;
    let text = |bytes: Bytes| {
        // SAFETY: what the caller promises.
        let Some(bytes) = (unsafe { lent(bytes) }) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes);
        text.map(|text| Some(text.to_owned()))
            .map_err(|_| refused("a name is not UTF-8"))
    };
    let name = text(message.name)?.ok_or_else(|| refused("the message has no name"))?;
    // SAFETY: what the caller promises.
    let bytes = unsafe { lent(message.payload) };
    if message.payload.length > limits::FRAME {
        return Err(CallError::new(
            "too-large",
            "the payload is longer than 1 MiB",
        ));
    }
    let format = match message.format {
        2 => WireFormat::Postcard,
        _ => WireFormat::Json,
    };
    let bytes = bytes.unwrap_or(b"null");
    if format == WireFormat::Json {
        limits::check_json(bytes)
            .map_err(|error| CallError::new("undecodable", error.to_string()))?;
    }
    let mut copy = EncodedMessage::new(name, EncodedPayload::new(format, bytes));
    if let Some(endpoint) = text(message.endpoint)? {
        copy = copy.at(endpoint);
    }
    if let Some(entity) = text(message.entity)? {
        copy = copy.about(Entity::new(entity));
    }
    Ok(copy)
}

/// Calls the host, and keeps a panic of it on this side.
///
/// # Safety
/// `context` is that of the host's table; `out` is null or a buffer.
unsafe fn host_call(
    context: *mut c_void,
    out: *mut Buffer,
    call: impl FnOnce(&dyn Calls) -> Result<Vec<u8>, CallError>,
) -> i32 {
    // SAFETY: what the caller promises; the box behind it is never freed.
    let Some(calls) = (unsafe { context.cast::<Box<dyn Calls>>().as_ref() }) else {
        return REFUSED;
    };
    let (code, bytes) = match catch_unwind(AssertUnwindSafe(|| call(&**calls))) {
        Ok(Ok(bytes)) => (OK, bytes),
        Ok(Err(error)) => (
            REFUSED,
            format!("{}: {}", error.code, error.text).into_bytes(),
        ),
        Err(_) => (PANICKED, b"panicked: the host panicked".to_vec()),
    };
    if !out.is_null() && !bytes.is_empty() {
        let bytes = Box::leak(bytes.into_boxed_slice());
        let buffer = Buffer {
            data: bytes.as_mut_ptr(),
            length: bytes.len(),
            free: Some(free_bytes),
        };
        // SAFETY: not null, and what the caller promises.
        unsafe { out.write(buffer) };
    }
    code
}

/// When the process ends, no destructor of a library is run, and the loader is not asked to: one of their threads has not returned, and may
/// hold what these wait for. All of our own has been written before.
pub(super) fn end_without_libraries() {
    // Of the C library of GNU; with another one the process ends as ever.
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            fn on_exit(
                function: unsafe extern "C" fn(c_int, *mut c_void),
                argument: *mut c_void,
            ) -> c_int;
            fn _exit(code: c_int) -> !;
        }
        unsafe extern "C" fn at_exit(code: c_int, _: *mut c_void) {
            // SAFETY: ends the process with the code that it ends with.
            unsafe { _exit(code) }
        }
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // SAFETY: the function is there as long as the process. Without memory it is not called: as with another C library.
            let _code = unsafe { on_exit(at_exit, null_mut()) };
        });
    }
}

/// Frees what [`host_call`] has handed out.
unsafe extern "C" fn free_bytes(data: *mut u8, length: usize) {
    if !data.is_null() {
        let bytes = std::ptr::slice_from_raw_parts_mut(data, length);
        // SAFETY: the header asks for exactly what was handed out, once.
        drop(unsafe { Box::from_raw(bytes) });
    }
}

unsafe extern "C" fn trigger(
    context: *mut c_void,
    event: *const Message,
    error: *mut Buffer,
) -> i32 {
    // SAFETY: the header asks for a message that can be read during the call.
    let event = unsafe { copied(event) };
    // SAFETY: the header asks for the context of the table, and null or an empty buffer.
    unsafe {
        host_call(context, error, |calls| {
            calls.trigger(&event?)?;
            Ok(Vec::new())
        })
    }
}

unsafe extern "C" fn send(
    context: *mut c_void,
    request: *const Message,
    timeout_ms: u64,
    out: *mut Buffer,
) -> i32 {
    // SAFETY: the header asks for a message that can be read during the call.
    let request = unsafe { copied(request) };
    let timeout = (timeout_ms != 0).then(|| Duration::from_millis(timeout_ms));
    // SAFETY: the header asks for the context of the table, and null or an empty buffer.
    unsafe {
        host_call(context, out, |calls| {
            let replies = calls.send(&request?, timeout)?;
            let entries: Vec<ReplyEntry> = replies.into_iter().map(ReplyEntry::from).collect();
            Ok(binary::write_replies(&entries))
        })
    }
}

unsafe extern "C" fn log(context: *mut c_void, level: u32, text: Bytes) {
    let level = match level {
        1 => LogLevel::Trace,
        2 => LogLevel::Debug,
        4 => LogLevel::Warn,
        5 => LogLevel::Error,
        _ => LogLevel::Info,
    };
    // SAFETY: the header asks for a text that can be read during the call, and the context of the table.
    unsafe {
        let text = lent(text).unwrap_or_default();
        let text = super::super::printable::printable(text, limits::STRING);
        let _code = host_call(context, null_mut(), |calls| {
            calls.log(level, &text);
            Ok(Vec::new())
        });
    }
}
