//! The extensions that belong to `zk2`. A dependency that is not named here is not linked, and its extensions do not exist:
//! see the decision on how the package is split.

#[cfg(feature = "abort")]
use k2_abort as _;
#[cfg(feature = "addon")]
use k2_addon as _;
#[cfg(feature = "history")]
use k2_history as _;
#[cfg(feature = "jobscripts")]
use k2_jobscripts as _;
#[cfg(feature = "proc")]
use k2_proc as _;
#[cfg(feature = "html")]
use k2_report_html as _;
#[cfg(feature = "reports")]
use k2_reports as _;
#[cfg(feature = "sut")]
use k2_sut as _;
#[cfg(feature = "waitfor")]
use k2_waitfor as _;
#[cfg(feature = "workspace")]
use k2_workspace as _;
#[cfg(feature = "plugins")]
use zaf_plugins as _;
