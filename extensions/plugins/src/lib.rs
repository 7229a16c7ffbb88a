//! Extensions that are loaded at run time.
//!
//! A plugin is a program in any language that speaks the plugin protocol on its standard input and output, or a C library with the
//! same table of functions. It says what it is in a [`Description`](protocol::Description): options, endpoints, messages,
//! dispatchers. From there on it takes part as an extension that was linked.
//!
//! - [`protocol`] is what crosses the border: the description, the frames, their two codecs, and the limits of both.
//! - [`link`] is one running plugin, whatever it is made of: a [`Link`](link::Link) to a process or to a library.
//!
//! A description, and what is wrong with one:
//!
//! ```
//! use zaf_plugins::protocol::Description;
//!
//! let text = r#"{"protocol": 1, "name": "example", "version": "1.0", "description": "Counts.",
//!     "kind": {"command": {"extends": ["run"]}},
//!     "dispatchers": [{"name": "main", "messages": ["TEST_CASE_FINISHED"], "format": "postcard"}]}"#;
//! let description: Description = serde_json::from_str(text)?;
//! let problems = description.problems(false);
//! assert!(problems[0].contains("which needs \"codec\": \"binary\""), "{problems:?}");
//! # Ok::<(), serde_json::Error>(())
//! ```

//! - [`package`] is a plugin as it lies in a directory, and [`trust`] what the user said about it.
//! - The extension [`Plugins`] finds them, checks whether they may be run, and makes them extensions.

mod host;
pub mod link;
pub mod package;
pub mod protocol;
pub mod trust;

pub use host::{ALLOW_INSECURE, Json, PATHS, Plugins, RESTARTS, TIMEOUT};
