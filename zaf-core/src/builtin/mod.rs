//! Framework extensions that every application has.

mod cli;
