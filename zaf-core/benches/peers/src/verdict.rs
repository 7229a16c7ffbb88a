//! Who is compared with whom.

pub(crate) use crate::measure::record::Role;
use crate::measure::record::{Figure, Row, Verdict};
use crate::measure::rounds::Series;

/// The figures of all, and the ratio of the bus to the fastest peer.
pub(crate) fn filled(row: Row, results: &[(Role, &str, &Series)]) -> Row {
    let figures = results
        .iter()
        .map(|(role, name, series)| Figure::new(*role, *name, series))
        .collect();
    let ours = results.iter().find(|(role, ..)| *role == Role::Ours);
    let peers = results.iter().filter(|(role, ..)| *role == Role::Peer);
    let fastest = peers.min_by(|(.., one), (.., other)| one.median().total_cmp(&other.median()));
    let verdict = ours.zip(fastest).map(|((.., ours), (.., fastest))| {
        Verdict::at_most(ours.beside(fastest).median(), 1.0, "x")
    });
    Row {
        figures,
        verdict,
        ..row
    }
}
