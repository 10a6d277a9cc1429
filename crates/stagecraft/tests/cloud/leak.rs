//! Tokens are looked for in everything the binary writes.

use std::path::Path;

use crate::account::TOKENS;

/// So many characters of a token in a row are a part of it. Others write no such words.
const PART: usize = 5;

/// The part of a token that is somewhere in `bytes`, if one is.
pub(crate) fn found(bytes: &[u8]) -> Option<&'static str> {
    let parts = TOKENS
        .iter()
        .flat_map(|token| (0..=token.len() - PART).map(move |from| &token[from..from + PART]));
    let mut leaked = parts.filter(|part| bytes.windows(PART).any(|at| at == part.as_bytes()));
    leaked.next()
}

/// The files below `folder` that hold a part of a token, or are called so.
pub(crate) fn files_with(folder: &Path) -> Vec<String> {
    let mut leaking = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            leaking.extend(files_with(&path));
        } else if found(&std::fs::read(&path).unwrap()).is_some() {
            leaking.push(name.clone());
        }
        if found(name.as_bytes()).is_some() {
            leaking.push(name);
        }
    }
    leaking
}
