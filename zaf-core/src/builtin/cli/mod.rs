//! Reads the command line.

mod line;
mod options;
mod parser;
mod scan;
