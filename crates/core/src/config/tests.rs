//! Whole files in, configurations or problems out.

mod clouds;
mod good;
mod hostile;
mod random;
mod semantic;
mod structural;

use super::{Config, Problems, parse};

/// A file without problems with `{}` hosts of `local` in it.
fn local_hosts(hosts: &str) -> String {
    format!("project: {{ name: shop }}\ncloud:\n  providers:\n    local:\n      hosts:\n{hosts}")
}

fn config(text: &str) -> Config {
    parse("stagecraft.yml", text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(text: &str) -> Problems {
    problems_of(text.as_bytes())
}

fn problems_of(bytes: &[u8]) -> Problems {
    let problems = parse("stagecraft.yml", bytes).expect_err("the file has problems");
    for problem in &problems.problems {
        if let Some(span) = &problem.span {
            assert!(problems.text.get(span.clone()).is_some(), "{problem:?}");
            assert!(problem.position.is_some());
        }
    }
    problems
}

/// `line:column [code] message / label / help`, one per problem.
fn told(text: &str) -> Vec<String> {
    told_of(&problems(text))
}

fn told_of(problems: &Problems) -> Vec<String> {
    problems
        .problems
        .iter()
        .map(|problem| {
            let place = problem
                .position
                .map_or_else(|| "-".to_owned(), |at| format!("{}:{}", at.line, at.column));
            let parts: Vec<&str> =
                [&problem.label, &problem.help].into_iter().flatten().map(String::as_str).collect();
            let more =
                if parts.is_empty() { String::new() } else { format!(" / {}", parts.join(" / ")) };
            format!("{place} [{}] {}{more}", problem.code, problem.message)
        })
        .collect()
}
