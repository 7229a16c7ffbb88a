//! The variants of one case: their common name, and their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::case::{CaseId, Parameters, TestCase};

/// The id without parameters.
pub(super) fn name_of(case: &TestCase) -> String {
    let id = case.id.as_str();
    match id.split_once('[') {
        Some((name, _)) if !case.parameters.is_empty() => name.to_owned(),
        _ => id.to_owned(),
    }
}

/// The case none of whose variants is left stays, as one that is switched off.
pub(super) fn all_excluded(mut case: TestCase) -> TestCase {
    case.id = CaseId::new(name_of(&case));
    case.parameters = Parameters::default();
    case.disabled
        .get_or_insert_with(|| "all its variants are excluded".to_owned());
    case
}

/// Sorts variants as a product: the first parameter changes slowest, values in the order in which they came.
pub(super) fn in_order(variants: &mut [TestCase]) {
    let count = variants.iter().map(|case| case.parameters.len()).max();
    let mut seen: Vec<Vec<Arc<str>>> = vec![Vec::new(); count.unwrap_or(0)];
    let mut rank = |case: &TestCase| -> Vec<usize> {
        let values = case.parameters.iter().zip(&mut seen);
        values
            .map(|((_, value), seen)| {
                seen.iter()
                    .position(|other| other == value)
                    .unwrap_or_else(|| {
                        seen.push(Arc::clone(value));
                        seen.len() - 1
                    })
            })
            .collect()
    };
    // In the order of the product of values, and within that of SUTs: so each value is seen in its order.
    let ranks: BTreeMap<CaseId, Vec<usize>> = variants
        .iter()
        .map(|case| (case.id.clone(), rank(case)))
        .collect();
    variants.sort_by(|one, other| ranks.get(&one.id).cmp(&ranks.get(&other.id)));
}
