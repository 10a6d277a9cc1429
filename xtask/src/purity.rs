//! `core` reads no file, clock, environment or network: the standard library offers all of it, so
//! its sources are searched.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Findings;

/// What the sources of `core` must not say.
const FORBIDDEN: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::os",
    "process::Command",
    "process::exit",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "TcpStream",
    "UdpSocket",
    "println!",
    "eprintln!",
];

pub(crate) fn check(root: &Path) -> Result<Findings, String> {
    let mut findings = Vec::new();
    for file in sources(&root.join("crates/core/src"))? {
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let place = file.strip_prefix(root).unwrap_or(&file).display();
        let said = forbidden_in(&text);
        findings.extend(
            said.into_iter()
                .map(|(line, word)| format!("{place}:{line}: `core` must not use `{word}`")),
        );
    }
    Ok(findings)
}

/// Which forbidden words a source says outside its tests, and on which lines.
fn forbidden_in(text: &str) -> BTreeSet<(usize, &'static str)> {
    let code = without_inline_tests(text);
    let lines = code.lines().enumerate().map(|(number, line)| (number + 1, line.to_owned()));
    let said = lines.chain(imports(&code));
    said.flat_map(|(number, path)| {
        let words = FORBIDDEN.iter().filter(move |word| path.contains(**word));
        words.map(move |word| (number, *word)).collect::<Vec<_>>()
    })
    .collect()
}

/// The text with the lines of test modules that are written in it left empty. A test module in a file
/// of its own leaves what follows its declaration to be searched.
fn without_inline_tests(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let is_for_tests = line.trim() == "#[cfg(test)]";
        let inline = lines.peek().filter(|next| {
            let next = next.trim();
            is_for_tests && next.starts_with("mod ") && next.ends_with('{')
        });
        if let Some(opening) = inline {
            // The sources are formatted: what closes a block stands where its first line does.
            let indent = opening.len() - opening.trim_start().len();
            let closing = format!("{:indent$}}}", "");
            code.push('\n');
            for line in lines.by_ref() {
                code.push('\n');
                if line == closing {
                    break;
                }
            }
        } else {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// The whole path of everything that is imported in a group, and its line: `use std::{fs, env}` says
/// `std::fs` and `std::env`.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut lines = code.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        let declaration = line.strip_prefix("pub").map_or(line, |rest| {
            rest.trim_start_matches(|c: char| c == '(' || c == ')' || c.is_alphanumeric()).trim()
        });
        let Some(first) = declaration.strip_prefix("use ") else { continue };
        let mut tree = vec![(number + 1, first)];
        while !tree.last().is_some_and(|(_, line)| line.ends_with(';')) {
            let Some((number, line)) = lines.next() else { break };
            tree.push((number + 1, line.trim()));
        }
        paths.extend(spelled_out(&tree));
    }
    paths
}

/// The paths of one `use`, which is given line by line.
fn spelled_out(tree: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut before: Vec<String> = Vec::new();
    let mut path = String::new();
    for (number, line) in tree {
        for c in line.chars() {
            match c {
                '{' => before.push(std::mem::take(&mut path)),
                ',' | '}' | ';' => {
                    if !path.is_empty() {
                        paths.push((*number, format!("{}{path}", before.concat())));
                        path.clear();
                    }
                    if c == '}' {
                        before.pop();
                    }
                }
                ' ' => {}
                c => path.push(c),
            }
        }
    }
    paths
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_test_module_in_a_file_of_its_own_is_searched() {
        let text = "#[cfg(test)]\nmod tests;\n\nfn now() {\n    SystemTime::now();\n}\n";
        assert_eq!(said(text), [(5, "SystemTime")]);
    }

    #[test]
    fn what_is_written_inside_a_test_module_is_not() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n\n    fn b() {\n    }\n}\n\n\
                    fn c() {\n    std::env::var(\"A\");\n}\n";
        assert_eq!(said(text), [(12, "std::env")]);
    }

    #[test]
    fn imports_in_groups_are_found_where_they_stand() {
        assert_eq!(said("use std::{env, fs as files};\n"), [(1, "std::env"), (1, "std::fs")]);
        assert_eq!(said("pub(crate) use std::{io::{Read, Write}};\n"), [(1, "std::io")]);
        assert_eq!(said("use std::process::{Command, Stdio};\n"), [(1, "process::Command")]);
        let lines =
            "use std::{\n    collections::{BTreeMap, BTreeSet},\n    thread,\n    fmt,\n};\n";
        assert_eq!(said(lines), [(3, "std::thread")]);
        assert_eq!(said("use std::{collections::BTreeMap, fmt};\nuse crate::env;\n"), []);
    }

    fn said(text: &str) -> Vec<(usize, &'static str)> {
        forbidden_in(text).into_iter().collect()
    }
}
