/// The candidate that `word` was most likely meant to be, if one is near enough to be worth naming.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    // A third of the letters wrong: beyond that a guess is a riddle rather than a help.
    let near = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= near || is_part(&word, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether `word` is the candidate cut short at a word's end, as `ping` is of `ping_interval`.
fn is_part(word: &str, candidate: &str) -> bool {
    word.len() >= 3 && candidate.split('_').any(|part| part == word)
}

/// Levenshtein's distance, with a swap of neighbours as one step.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name_and_nonsense_finds_none() {
        let names = ["bind", "ping_interval", "ping_timeout", "shards"];
        assert_eq!(nearest("ping-intervall", names), Some("ping_interval"));
        assert_eq!(nearest("bnid", names), Some("bind"));
        assert_eq!(nearest("ping", names), Some("ping_timeout"));
        assert_eq!(nearest("workers", names), None);
    }
}
