//! One line of an OpenSSH configuration file as keyword and arguments.

/// Splits a line into its keyword, in lower case, and its arguments. `None` for blank lines and
/// comments.
pub(super) fn split(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=' || c == '"').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword.to_lowercase(), arguments(rest)))
}

/// Words separated by blanks; quotes group, `\` takes the next quote or backslash literally, `#`
/// at the start of a word begins a comment.
fn arguments(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        match rest.peek() {
            None | Some('#') => return words,
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(&c) = rest.peek() {
            if quote.is_none() && c.is_whitespace() {
                break;
            }
            rest.next();
            if c == '\\' && matches!(rest.peek(), Some('"' | '\'' | '\\')) {
                word.extend(rest.next());
            } else if quote == Some(c) {
                quote = None;
            } else if quote.is_none() && (c == '"' || c == '\'') {
                quote = Some(c);
            } else {
                word.push(c);
            }
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_openssh_does() {
        for (line, expected) in [
            ("", None),
            ("  # note", None),
            ("User ada", Some(("user", vec!["ada"]))),
            ("\tPort = 2222", Some(("port", vec!["2222"]))),
            ("PORT=2222", Some(("port", vec!["2222"]))),
            ("Host a b*  !c # note", Some(("host", vec!["a", "b*", "!c"]))),
            (r#"IdentityFile "~/my keys/id" "#, Some(("identityfile", vec!["~/my keys/id"]))),
            (r"User a\\b", Some(("user", vec![r"a\b"]))),
            ("User", Some(("user", vec![]))),
        ] {
            let expected = expected.map(|(keyword, words)| {
                (keyword.to_owned(), words.into_iter().map(str::to_owned).collect())
            });
            assert_eq!(split(line), expected, "{line}");
        }
    }
}
