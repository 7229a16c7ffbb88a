//! Who an application is for.

/// Who an application is for: decides which commands and options it shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApplicationContext {
    /// For the developers of extensions.
    Internal,
    /// For users who add extensions of their own.
    #[default]
    Extendable,
    /// For users who take it as it is.
    Standalone,
}
