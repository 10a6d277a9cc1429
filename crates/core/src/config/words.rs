//! Finding the name a user meant.

/// The candidate most like `text`, if one is alike enough to be meant: a slip of the keyboard, or
/// the name `text` is the first or last part of.
pub(super) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if text.chars().nth(LONGEST).is_some() {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let text = plain(text);
    let slip = |candidate: &str| {
        let distance = strsim::damerau_levenshtein(&text, &plain(candidate));
        let longer = text.chars().count().max(candidate.chars().count());
        (distance * 3 <= longer.max(3)).then_some(distance)
    };
    let part = |candidate: &str| {
        let candidate = plain(candidate);
        text.len() > 2
            && (candidate.starts_with(&format!("{text}_"))
                || candidate.ends_with(&format!("_{text}")))
    };
    let candidates: Vec<&str> = candidates.into_iter().collect();
    candidates
        .iter()
        .filter_map(|&candidate| Some((slip(candidate)?, candidate)))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
        .or_else(|| candidates.iter().copied().find(|candidate| part(candidate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_and_another_word_does_not() {
        let keys = ["role", "region", "size", "ssh_key_name"];
        assert_eq!(nearest("rol", keys), Some("role"));
        assert_eq!(nearest("regoin", keys), Some("region"));
        assert_eq!(nearest("SSH-key-name", keys), Some("ssh_key_name"));
        assert_eq!(nearest("ssh_key", keys), Some("ssh_key_name"));
        assert_eq!(nearest("zone", keys), None);
        assert_eq!(nearest("", keys), None);
        assert_eq!(nearest("abcdefghi", ["abcdexyzu"]), None, "four slips in nine letters");
        assert_eq!(nearest("abcdefghi", ["abcdefxyz"]), Some("abcdefxyz"));
        assert_eq!(nearest("key", ["the_other_key"]), Some("the_other_key"), "a part of it");
        assert_eq!(nearest("id", ["the_other_id"]), None, "two letters are part of too much");
        assert_eq!(nearest(&"role".repeat(1000), keys), None);
    }
}
