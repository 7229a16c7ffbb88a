//! Places for test cases: a directory of their own, and ports that nobody else has.
//!
//! ```
//! use k2::prelude::*;
//! use k2_workspace::{FreePorts, Workspace};
//!
//! #[k2::test_case]
//! fn the_server_reads_its_configuration(workspace: &Workspace, ports: &FreePorts) -> TestResult {
//!     let port = ports.tcp()?;
//!     let config = workspace.create_file("etc/server.toml", format!("port = {}", port.number()))?;
//!     workspace.assert_contains("etc/server.toml", "port")?;
//!     // The port is held until the server is about to take it.
//!     let port = port.release();
//!     # let _ = (config, port);
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! Both are components of the scope `test`. A [`Workspace`] lies in the directory of the run, and is kept there if the case fails (option `artefacts.keep`); two attempts at a case, two
//! workers and two runs never share one.

mod error;
mod free_ports;
mod workspace;

use k2::case::CaseRun;
use zaf_core::prelude::*;

pub use error::WorkspaceError;
pub use free_ports::{FreePorts, TcpPort, UdpPort};
pub use workspace::Workspace;

/// An empty directory for a case.
#[component(name = "workspace", scope = "test")]
fn workspace(run: &CaseRun) -> Result<Workspace> {
    Ok(Workspace::create(run.directory().join("workspace"))?)
}

/// Ports that nobody listens at.
#[component(name = "free-ports", scope = "test")]
fn free_ports() -> FreePorts {
    FreePorts
}
