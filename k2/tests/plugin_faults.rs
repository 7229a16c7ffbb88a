//! Plugins that crash, hang and talk nonsense.
