//! The folders that files of our own are in.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// The folder of a file.
pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Makes the folder of a file for its owner alone, where there is none.
pub(crate) fn make_folder_of(file: &Path) -> io::Result<()> {
    let folder = folder_of(file);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        io::Error::new(error.kind(), format!("could not create `{}`: {error}", folder.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_folder_is_in_the_current_one() {
        assert_eq!(folder_of(Path::new("key")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/key")), Path::new("a"));
    }
}
