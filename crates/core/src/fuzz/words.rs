use crate::remote::Command;

/// The words of a command, with a NUL between them: as a POSIX shell reads them, they are the same words.
pub fn words(input: &[u8]) {
    let words = as_words(input);
    let (program, arguments) = words.split_first().expect("there is a first word");
    let command = Command::new(program).args(arguments);
    assert_eq!(read(&command.to_shell()), Some(words.clone()), "{}", command.to_shell());
    // As when commands are told how to undo themselves.
    let nested = Command::script(command.to_shell()).to_shell();
    let inner = read(&nested).and_then(|words| read(words.get(2)?));
    assert_eq!(inner, Some(words), "{nested}");
    assert!(command.display().chars().count() <= 61, "{}", command.display());
}

/// The words of an input; at least one.
#[must_use]
pub fn as_words(input: &[u8]) -> Vec<String> {
    input.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The words of a simple command by the rules of POSIX (Shell Command Language, 2.2); `None` for
/// anything that a shell would not take literally.
fn read(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next()? {
                        '\'' => break,
                        quoted => word.push(quoted),
                    }
                }
            }
            '\\' => match rest.next()? {
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            // Reserved, expanded, or the end of the command.
            '"' | '$' | '`' | '|' | '&' | ';' | '<' | '>' | '(' | ')' | '\n' | '*' | '?' | '['
            | ']' | '#' | '~' | '!' | '{' | '}' | '^' => return None,
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::as_words;

    #[test]
    fn words_are_what_stands_between_nuls() {
        assert_eq!(as_words(b"a\0b c\0\xff\0"), ["a", "b c", "\u{fffd}", ""]);
        assert_eq!(as_words(b""), [""], "there is at least one");
    }
}
