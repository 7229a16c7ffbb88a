//! The nearest right word for a wrong one.

/// The candidate that differs least from `word`, if it is near enough to be meant: at most a third of the letters (at least
/// one) are added, left out, replaced or swapped. Of equally near ones the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Measuring is quadratic; what is this long was not mistyped.
    const LONGEST: usize = 200;
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
