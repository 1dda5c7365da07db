//! Suggests the name that was probably meant.

/// The one of `names` that is most similar to `word`; `None` if none is similar enough. Ignores case.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let word = word.to_lowercase();
    // One typing mistake for every four letters begun. A longer word is not compared at all.
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    names
        .into_iter()
        .map(|name| (distance(&word, &name.to_lowercase()), name))
        .filter(|(slips, _)| *slips <= length.div_ceil(4))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

/// The number of letters that were added, left out, replaced, or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut left = None;
    for (i, here) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, there) in b.iter().enumerate() {
            let exchanged = last[j] + usize::from(here != *there);
            let mut least = exchanged.min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && left == Some(*there) && here == b[j - 1] {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
        left = Some(here);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_very_long_word_is_not_compared() {
        assert_eq!(nearest(&"x".repeat(1_000_000), ["help"]), None);
    }

    #[rstest]
    #[case("kitten", "sitting", 3)]
    #[case("stpo", "stop", 1)]
    #[case("", "abc", 3)]
    #[case("abc", "", 3)]
    #[case("ca", "ac", 1)]
    fn slips_are_counted(#[case] a: &str, #[case] b: &str, #[case] slips: usize) {
        assert_eq!(distance(a, b), slips);
    }
}
