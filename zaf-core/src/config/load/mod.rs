//! Makes layers of files and of the environment.
