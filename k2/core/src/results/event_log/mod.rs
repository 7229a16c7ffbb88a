//! The event log of a run: one JSON object per line, written as things happen.
