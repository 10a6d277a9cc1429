//! Files made to take time or memory are refused before they take any.

use std::time::{Duration, Instant};

use stagecraft_core::config::parse;

#[test]
fn files_full_of_the_same_thing_are_read_in_time() {
    for unit in ["a: 1\n", "{a: 1},", "- [\n", "é: *x ", "\"", "&a *a ", "?\n", "[", "- ", "{a: "]
    {
        let text = unit.repeat(1024 * 1024 / unit.len());
        in_time(unit, text.as_bytes());
    }
}

#[test]
fn a_file_of_one_line_with_many_problems_is_read_in_time() {
    let keys: String =
        (0..10_000).flat_map(|number| [format!("key{number}"), ": é, ".to_owned()]).collect();
    assert_eq!(in_time("keys", format!("{{{keys}}}").as_bytes()), 10_002);
}

#[test]
fn a_bomb_of_aliases_is_refused_in_time() {
    let lines = (0..1000).map(|level| match level {
        0 => "a0: &a0 [x, x]\n".to_owned(),
        _ => format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1),
    });
    assert_eq!(in_time("bomb", lines.collect::<String>().as_bytes()), 1);
}

#[test]
fn many_hosts_from_few_bytes_are_refused_in_time() {
    let hosts: Vec<String> =
        (0..5000).map(|number| format!("h{number}: {{ role: r, count: 1000 }}")).collect();
    let text = format!(
        "project: {{ name: p }}\ncloud: {{ providers: {{ local: {{ hosts: {{ e: {{ {} }} }} }} }} }}\n",
        hosts.join(", ")
    );
    assert_eq!(in_time("hosts", text.as_bytes()), 1);
}

/// Parses a file that has problems, and counts them.
fn in_time(name: &str, bytes: &[u8]) -> usize {
    let started = Instant::now();
    let problems = parse("f", bytes).expect_err(name).problems.len();
    assert!(started.elapsed() < Duration::from_secs(30), "{name}: {:?}", started.elapsed());
    problems
}
