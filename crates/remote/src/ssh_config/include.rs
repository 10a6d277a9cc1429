//! Finds and reads the files an `Include` line names.

use std::path::{Component, Path, PathBuf};

use super::pattern;

/// The files a pattern names, sorted; relative ones are below `base`.
pub(super) fn files(pattern: &str, base: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let path = match (pattern.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        (_, _) => base.join(pattern),
    };
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        found = found.into_iter().flat_map(|parent| step(&parent, component)).collect();
    }
    found.retain(|path| path.is_file());
    found
}

fn step(parent: &Path, component: Component<'_>) -> Vec<PathBuf> {
    let text = component.as_os_str().to_string_lossy();
    if !text.contains(['*', '?']) {
        return vec![parent.join(component)];
    }
    let Ok(entries) = fs_err::read_dir(parent) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && pattern::matches(&text, name))
        .collect();
    names.sort();
    names.into_iter().map(|name| parent.join(name)).collect()
}
