//! OpenSSH's host patterns: `*`, `?`, and `!` for all but.

/// Whether `text` matches one pattern, upper and lower case alike.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((star_p, star_t)) = star else {
                    return false;
                };
                p = star_p + 1;
                t = star_t + 1;
                star = Some((star_p, t));
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// Whether any of `names` matches a positive pattern and none matches a negated one.
pub(crate) fn matches_list<P: AsRef<str>>(patterns: &[P], names: &[&str]) -> bool {
    let mut found = false;
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let (negated, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        if names.iter().any(|name| matches(pattern, name)) {
            if negated {
                return false;
            }
            found = true;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_openssh() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("10.0.*", "10.0.3.4", true),
            ("10.0.?", "10.0.34", false),
            ("*.example.com", "a.b.EXAMPLE.com", true),
            ("*a*b*c", "xxaxxbxxbxc", true),
            ("*a*b*c", "xxaxxcxxbx", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        assert!(matches_list(&["*.example.com", "!db.*"], &["web.example.com"]));
        assert!(!matches_list(&["!db.*", "*.example.com"], &["db.example.com"]));
        assert!(!matches_list(&["!db.*"], &["web.example.com"]));
        assert!(!matches_list(&["*", "!10.*"], &["app-1", "10.0.0.1"]));
    }
}
