//! What strangers write, against what reads it: built for `cargo fuzz`, and for the test below.
//!
//! | input | is |
//! |---|---|
//! | [`config()`] | a `stagecraft.yml` |
//! | [`host()`] | what a host answers while it is set up |
//! | [`mesh()`] | what the hosts of a mesh say of it |
//! | [`words()`] | the words of a command, with a NUL between them |
//!
//! The answers of hosts are texts with a line of `~~~` between them.

mod config;
mod host;
mod mesh;
mod words;

pub use config::config;
pub use host::host;
pub use mesh::mesh;
pub use words::{as_words, words};

fn parts(input: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(input);
    text.split("~~~\n").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_input_have_a_line_between_them() {
        assert_eq!(parts(b"one\n~~~\ntwo\nlines\n~~~\n"), ["one\n", "two\nlines\n", ""]);
        assert_eq!(parts(b""), [""], "there is a first one");
    }

    #[test]
    fn what_was_tried_once_holds_for_ever() {
        for (name, target) in
            [("config", config as fn(&[u8])), ("host", host), ("mesh", mesh), ("words", words)]
        {
            let folder = format!("{}/../../fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
            let mut files = 0;
            for file in std::fs::read_dir(folder).unwrap() {
                target(&std::fs::read(file.unwrap().path()).unwrap());
                files += 1;
            }
            assert!(files > 0, "{name} has no inputs");
        }
    }
}
