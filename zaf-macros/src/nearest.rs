//! The accepted word that is nearest to a mistyped one.

/// The candidate that `word` was probably meant to be; none if nothing is near. Of equally near ones the first.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // One mistake in three letters is a typing error, more is another word.
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|&candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`, in characters.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut cost = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + usize::from(!same));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[i - 2][j - 2] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let keys = ["name", "extends", "config_options"];
        assert_eq!(nearest("nmae", &keys), Some("name"));
        assert_eq!(nearest("extend", &keys), Some("extends"));
        assert_eq!(nearest("config_option", &keys), Some("config_options"));
    }

    #[test]
    fn another_word_finds_nothing() {
        assert_eq!(nearest("colour", &["name", "extends"]), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn swapping_neighbours_is_one_mistake() {
        assert_eq!(distance("nmae", "name"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
