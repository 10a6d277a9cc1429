//! Files that are no YAML, no text, or made to do harm.

use super::{local_hosts, problems, problems_of, told, told_of};
use crate::config::Problems;

#[test]
fn a_file_is_shown_without_what_a_terminal_obeys_and_without_secrets() {
    let text = "\u{feff}project: { name: p }  # \u{202e}\ncloud:\n  providers:\n    hetzner:\n      \
                token: planted-secret\n";
    let shown = crate::config::shown(text.as_bytes());
    assert_eq!(shown.len(), text.len() - "\u{feff}".len());
    assert!(shown.starts_with("project: { name: p }  # ???\n"), "{shown}");
    assert!(shown.ends_with("token: **************\n"), "{shown}");
    let later = crate::config::Problems::of_file("f", text.as_bytes(), Vec::new());
    assert_eq!(later.text, shown);
}

#[test]
fn an_empty_file_is_told_with_what_writes_one() {
    for text in ["", "# only a comment\n", "---\n", "\n\n", "\u{feff}"] {
        assert_eq!(
            told(text),
            [
                "1:1 [config.missing-key] the file says nothing / `stagecraft init` writes a first one; it never overwrites, so move this file away first"
            ],
            "{text:?}"
        );
    }
}

#[test]
fn a_huge_file_is_refused_unread() {
    let bytes = vec![b'['; 10 * 1024 * 1024];
    let problems = problems_of(&bytes);
    assert_eq!(
        told_of(&problems),
        [
            "- [config.unreadable] the file is too large: 10485760 bytes, at most 1048576 / check the path given with `--config`"
        ]
    );
    assert_eq!(problems.text, "");
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let problems = problems_of(b"project:\n  name: sh\xffp\n");
    assert_eq!(
        told_of(&problems),
        [
            "2:11 [config.syntax] the file is not UTF-8: byte 0xff is not part of a character / the first byte that is no text / save the file as UTF-8"
        ]
    );
    assert_eq!(marked(&problems), "\u{fffd}");
    let utf16 = problems_of(b"\xff\xfep\0r\0");
    assert!(told_of(&utf16)[0].ends_with("the file looks like UTF-16: save it as UTF-8"));
    assert_eq!(problems_of(b"a: \xe2\x82").problems[0].position.unwrap().column, 4);
}

#[test]
fn a_tab_in_the_indentation_is_told_as_such() {
    let tab =
        "[config.syntax] a tab is used for indentation / a tab / YAML is indented with spaces only";
    assert_eq!(told("project:\n\tname: shop\n"), [format!("2:1 {tab}")]);
    assert_eq!(told("project:\n  name: shop\n\tx: y\n"), [format!("3:1 {tab}")]);
    assert_eq!(told("project:\n  a: 1\n  \tb: 2\n"), [format!("3:3 {tab}")]);
    assert_eq!(marked(&problems("project:\n\tname: shop\n")), "\t");
    let later = "project: { name: p }\ncloud:\n    a: 1\n  b: 2\n\tc: 3\n";
    assert_eq!(told(later), [format!("5:1 {tab}")], "in the line after the first that is odd");
    let earlier = "project: |\n  a\n  \tb\ncloud: @c\n";
    assert!(told(earlier)[0].starts_with("4:8 [config.syntax] the file is not valid YAML"));
}

#[test]
fn deep_nesting_is_refused() {
    for (text, column) in [("[".repeat(100), 65), ("- ".repeat(100), 129)] {
        assert_eq!(
            told(&text),
            [format!(
                "1:{column} [config.syntax] the file is nested more than 64 levels deep / too deep"
            )]
        );
    }
    let beyond_the_parser = told(&"[".repeat(100_000));
    assert!(beyond_the_parser[0].contains("nested more than 64 levels deep"));
    assert!(told(&"[".repeat(64))[0].contains("not valid YAML"));
}

#[test]
fn a_bomb_of_aliases_is_refused_at_once() {
    let text: String = (0..60)
        .map(|level| match level {
            0 => format!("a0: &a0 [{}]\n", ["x"; 10].join(", ")),
            _ => format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{}", level - 1); 10].join(", ")
            ),
        })
        .collect();
    assert_eq!(
        told(&text),
        [
            "5:45 [config.syntax] the file has more than 100000 values, aliases included / the limit is passed here"
        ]
    );
}

#[test]
fn a_file_may_hold_as_many_values_as_the_limit_and_no_more() {
    // A list with 8331 items and eleven aliases of it make 99,984 values. The mapping, its 13 keys and
    // the last list with its items are the others.
    let list = vec!["x"; 8_331].join(", ");
    let aliases: String = (0..11).map(|number| format!("b{number}: *a\n")).collect();
    let is_refused = |last: &str| {
        let text = format!("a: &a [{list}]\n{aliases}c: {last}\n");
        told(&text)[0].contains("more than 100000 values")
    };
    assert!(!is_refused("[x]"));
    assert!(is_refused("[x, x]"));
}

#[test]
fn a_chain_of_aliases_cannot_nest_deeper_than_the_file_may() {
    let text: String = (0..70)
        .map(|level| match level {
            0 => "a0: &a0 [x]\n".to_owned(),
            _ => format!("a{level}: &a{level} [*a{}]\n", level - 1),
        })
        .collect();
    assert_eq!(
        told(&text),
        ["64:12 [config.syntax] the file is nested more than 64 levels deep / too deep"]
    );
    assert_eq!(
        told("a: &a [*a]\n"),
        ["1:8 [config.syntax] an alias is inside its own anchor / this would have no end"]
    );
}

#[test]
fn hosts_cannot_be_multiplied_without_limit() {
    let hosts: String = (0..11)
        .map(|number| format!("          x{number}: {{ role: app, count: 1000 }}\n"))
        .collect();
    assert_eq!(
        told(&local_hosts(&format!("        dev:\n{hosts}"))),
        [
            "17:11 [config.invalid-value] the file declares more than 10000 hosts / the limit is passed here"
        ]
    );
}

#[test]
fn the_character_that_the_parser_stumbles_over_is_marked() {
    assert_eq!(marked(&problems("project: { name: @p }\n")), "@");
    assert_eq!(marked(&problems("# é\nproject: { name: `é` }\n")), "`");
}

#[test]
fn control_characters_are_never_echoed() {
    let escaped =
        problems("project: { name: p }\ncloud: { providers: {} }\n\"\\e[31mred\\nline\": 1\n");
    assert_eq!(
        told_of(&escaped),
        [
            "3:1 [config.unknown-key] unknown key `\\u{1b}[31mred\\nline` in the file / not known here / the keys here are `project`, `cloud`, `network`, `infra` and `credentials`"
        ]
    );
    let raw = problems("project:\n  \u{1b}[31mname: p\n");
    assert_eq!(
        told_of(&raw),
        [
            "2:3 [config.syntax] the file contains the control character U+001B / not allowed in YAML / remove it"
        ]
    );
    assert_eq!(marked(&raw), "?", "it is shown harmlessly");
    let turned = problems("project: { \u{202e}eman: p }\ncloud: { providers: {} }\n");
    for problems in [escaped, raw, turned] {
        let all = format!("{problems}{}", problems.text);
        assert!(!all.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{all:?}");
    }
}

#[test]
fn what_yaml_can_and_this_file_cannot_is_told_as_such() {
    let good = "project: { name: p }\ncloud: { providers: {} }\n";
    for (text, expected) in [
        (format!("{good}---\na: 1\n"), "3:1 [config.syntax] the file holds several YAML documents"),
        (
            format!("{good}<<: {{}}\n"),
            "3:1 [config.unknown-key] merge keys (`<<`) are not supported",
        ),
        (format!("{good}? [a]\n: b\n"), "3:3 [config.wrong-type] a key must be a text"),
        (
            good.replace("name: p", "name: !!str p"),
            "1:18 [config.syntax] YAML tags such as `!!str` are not supported",
        ),
        (
            good.replace("name: p", "name: *p"),
            "1:18 [config.syntax] an alias has no anchor before it",
        ),
        (good.replace("name: p", "name: 'p"), "1:18 [config.syntax] a quote is not closed"),
        (
            good.replace("{ name: p }", "name: p"),
            "1:14 [config.syntax] a `:` stands where no key can be",
        ),
        (
            "project:\n    name: p\n  x: y\n".to_owned(),
            "3:3 [config.syntax] a key is not indented like its neighbours",
        ),
        (
            good.replace("name: p", "name: @p"),
            "1:18 [config.syntax] the file is not valid YAML: unexpected character: `@'",
        ),
    ] {
        let told = told(&text);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].starts_with(expected), "{} is not {expected}", told[0]);
    }
}

/// The text that the first of several problems points at.
fn marked(problems: &Problems) -> &str {
    &problems.text[problems.problems[0].span.clone().expect("it has a place")]
}
