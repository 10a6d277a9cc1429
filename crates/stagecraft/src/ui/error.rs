//! Failures as people read them: what was tried and why it failed, where, what to do, what was kept.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use stagecraft_core::error::Code;

use super::text::{BAD, BOLD, FAINT, MOST, PLAIN, Text, count, wrap};
use crate::harmless::{brief, clean};
use crate::stop::{Place, Trouble};

/// Source lines are never cut shorter than this.
const LEAST_WIDTH: usize = 60;
const MOST_WIDTH: usize = 140;
/// What introduces a hint.
const HINT: &str = "hint";
/// The column of what belongs to the line before.
const INDENT: usize = 2;

/// How many problems of a file are shown: nobody mends more of them before they look again.
const MOST_PROBLEMS: usize = 100;

/// All troubles, a blank line after each that shows a piece of the file, and how many there are
/// when there are several. Of a file with very many problems the first ones that have a place in it, and
/// all that have none.
pub(super) fn render(troubles: &[Trouble], color: bool, width: usize) -> Text {
    let mut text = Text::new();
    let (shown, cut) = parted(troubles);
    for (number, trouble) in shown.iter().enumerate() {
        if number > 0 {
            text.end_line();
        }
        match &trouble.place {
            Some(place) => {
                headline(&mut text, trouble.failure.code, &trouble.failure.message, width);
                text.append_trusted(&snippet(trouble, place, color, width))
            }
            None => text.append(&plain(trouble, width)),
        };
    }
    let place = match troubles {
        [Trouble { place: Some(place), .. }, _, ..] => Some(place),
        _ => cut.first().and_then(|trouble| trouble.place.as_ref()),
    };
    if let Some(place) = place {
        text.end_line();
        let mut total = format!("{} in `{}`", count(troubles.len(), "problem"), place.file);
        if !cut.is_empty() {
            total = format!("{total}: these are the first {MOST_PROBLEMS}");
        }
        if !cut.is_empty() && shown.len() > MOST_PROBLEMS {
            total = format!("{total}, and those that have no place in it");
        }
        text.line(&total);
        // What was said about all of them stands with the last one.
        let hints = cut.iter().flat_map(|trouble| &trouble.hints);
        asides(&mut text, hints, cut.iter().flat_map(|trouble| &trouble.notes), width);
    }
    text
}

/// What is shown, and what of very many problems of a file is not.
fn parted(troubles: &[Trouble]) -> (Vec<&Trouble>, Vec<&Trouble>) {
    let mut places = 0;
    troubles.iter().partition(|trouble| {
        places += usize::from(trouble.place.is_some());
        trouble.place.is_none() || places <= MOST_PROBLEMS
    })
}

fn plain(trouble: &Trouble, width: usize) -> Text {
    let mut text = Text::new();
    let failure = &trouble.failure;
    headline(&mut text, failure.code, &failure.message, width);
    for line in &failure.output {
        text.styled(FAINT, "  | ").line(line);
    }
    asides(&mut text, failure.hints.iter().chain(&trouble.hints), &trouble.notes, width);
    text
}

/// Hints and notes, below what they belong to.
fn asides<'a>(
    text: &mut Text,
    hints: impl IntoIterator<Item = &'a String>,
    notes: impl IntoIterator<Item = &'a String>,
    width: usize,
) {
    let hints = hints.into_iter().map(|hint| (HINT, hint));
    for (kind, words) in hints.chain(notes.into_iter().map(|note| ("note", note))) {
        let column = INDENT + kind.len() + 2;
        text.space(INDENT).styled(BOLD, kind).put(": ");
        text.wrapped(PLAIN, words, column, column, width);
    }
}

/// The first line of every failure.
fn headline(text: &mut Text, code: Code, message: &str, width: usize) {
    let kind = format!("error[{code}]");
    text.styled(BAD.bold(), &kind).put(": ");
    text.wrapped(BOLD, message, kind.len() + 2, INDENT, width);
}

fn snippet(trouble: &Trouble, place: &Place, color: bool, width: usize) -> String {
    let label = place.label.as_deref().map(|label| brief(label, MOST));
    let mut snippet = Snippet::source(place.text.as_ref())
        .path(clean(&place.file))
        .annotation(AnnotationKind::Primary.span(place.span.clone()).label(label));
    if let Some((span, label)) = &place.also {
        snippet = snippet
            .annotation(AnnotationKind::Context.span(span.clone()).label(Some(brief(label, MOST))));
    }
    let mut group = Group::with_level(Level::ERROR).element(snippet);
    let column = margin(place) + HINT.len() + 2;
    let words = |words: &str| wrap(&brief(words, MOST), column, column, width).join("\n");
    for hint in trouble.failure.hints.iter().chain(&trouble.hints) {
        group = group.element(Level::HELP.with_name(HINT).message(words(hint)));
    }
    for note in &trouble.notes {
        group = group.element(Level::NOTE.message(words(note)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut shown = renderer.term_width(width.clamp(LEAST_WIDTH, MOST_WIDTH)).render(&[group]);
    shown.push('\n');
    shown
}

/// The column of what stands below a piece of the file: the numbers of its lines stand before it.
fn margin(place: &Place) -> usize {
    let line_of_also = |(span, _): &(Range<usize>, String)| {
        1 + place.text.get(..span.start).map_or(0, |before| before.matches('\n').count())
    };
    let last = place.also.as_ref().map_or(0, line_of_also).max(place.position.line);
    last.to_string().len() + " = ".len()
}

#[cfg(test)]
mod tests {
    use stagecraft_core::desired::Position;
    use stagecraft_core::error::Failure;
    use stagecraft_core::resolve::OrderProblem;

    use super::*;
    use crate::stop::Stop;

    #[test]
    fn a_failure_says_what_to_do_and_what_was_kept() {
        let failure =
            Failure::new(Code::CLOUD_SOLD_OUT, "hetzner could not create host `db-1`: sold out")
                .with_output(vec!["E: no space left".to_owned()])
                .with_hint("`nbg1` offers `cx22`");
        let stop = Stop::new(stagecraft_core::error::ExitCode::Cloud, failure)
            .with_note("`web-1` was created and is kept");
        insta::assert_snapshot!(render(&stop.troubles, false, 80).plain(), @r"
        error[cloud.sold-out]: hetzner could not create host `db-1`: sold out
          | E: no space left
          hint: `nbg1` offers `cx22`
          note: `web-1` was created and is kept
        ");
    }

    #[test]
    fn on_a_terminal_lines_end_between_words_and_fingerprints_stay_whole() {
        let failure = Failure::new(
            Code::HOST_KEY_MISMATCH,
            "`app-1` presented the host key SHA256:Ca2FL7p32, but SHA256:EwlmQk1 is pinned",
        )
        .with_hint("`stagecraft infra trust app-1` shows its new key and asks");
        let stop = Stop::new(stagecraft_core::error::ExitCode::SomeHostsFailed, failure);
        insta::assert_snapshot!(render(&stop.troubles, false, 50).plain(), @r"
        error[host_key_mismatch]: `app-1` presented the
          host key SHA256:Ca2FL7p32, but SHA256:EwlmQk1 is
          pinned
          hint: `stagecraft infra trust app-1` shows its
                new key and asks
        ");
    }

    #[test]
    fn order_problems_show_where_the_file_declares_the_host() {
        let file = "cloud:\n  hosts:\n    app: { size: big }\n    db: { region: moon }\n";
        let stop = Stop::order(
            "stagecraft.yml",
            file.to_owned(),
            vec![
                problem("app-1", 3, "local has no size `big` for amd64", Some("use `small`")),
                problem("db", 4, "local has no region `moon`", None),
            ],
        );
        insta::assert_snapshot!(render(&stop.troubles, false, 80).plain(), @r"
        error[order.invalid]: cannot order `app-1`: local has no size `big` for amd64
         --> stagecraft.yml:3:5
          |
        3 |     app: { size: big }
          |     ^^^
          |
          = hint: use `small`

        error[order.invalid]: cannot order `db`: local has no region `moon`
         --> stagecraft.yml:4:5
          |
        4 |     db: { region: moon }
          |     ^^

        2 problems in `stagecraft.yml`
        ");
    }

    #[test]
    fn beside_a_piece_of_the_file_lines_end_between_words_too() {
        let file = "cloud:\n  hosts:\n    app: { size: big }\n";
        let hint = "use `small`, or leave it out: then what the provider takes for it counts";
        let message = "local has no size `big` for amd64, and nothing that is near to it";
        let mut stop = Stop::order(
            "stagecraft.yml",
            file.to_owned(),
            vec![problem("app-1", 3, message, Some(hint))],
        );
        stop.troubles[0].notes.push("`web-1` and `web-2` were created and are kept".to_owned());
        let shown = render(&stop.troubles, false, 60).plain();
        assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
        insta::assert_snapshot!(shown, @r"
        error[order.invalid]: cannot order `app-1`: local has no
          size `big` for amd64, and nothing that is near to it
         --> stagecraft.yml:3:5
          |
        3 |     app: { size: big }
          |     ^^^
          |
          = hint: use `small`, or leave it out: then what the
                  provider takes for it counts
          = note: `web-1` and `web-2` were created and are kept
        ");
    }

    #[test]
    fn what_others_say_never_reaches_the_terminal_raw() {
        let evil = "\x1b[31mred\x07\nnext";
        let file = format!("app: x # {evil}\n");
        let mut stop = Stop::order(
            evil,
            stagecraft_core::config::shown(file.as_bytes()),
            vec![problem("app", 1, evil, Some(evil))],
        );
        stop.troubles.push(Trouble {
            failure: Failure::new(Code::USAGE, evil)
                .with_output(vec![evil.to_owned()])
                .with_hint(evil),
            place: None,
            hints: Vec::new(),
            notes: vec![evil.to_owned()],
        });
        let shown = render(&stop.troubles, false, 80);
        let shown = anstream::adapter::strip_str(shown.as_str()).to_string();
        assert_eq!(shown.matches("␛[31mred").count(), 8, "{shown}");
        assert!(shown.contains("app: x # ?[31mred?"), "{shown}");
        assert!(!shown.contains(['\x1b', '\x07']), "{shown:?}");
    }

    #[test]
    fn of_very_many_problems_the_first_are_shown() {
        let all = |count: usize| {
            let problems =
                (0..count).map(|n| problem("app", 1, &format!("no size `s-{n}`"), None)).collect();
            let stop = Stop::order("stagecraft.yml", "app: {}\n".to_owned(), problems);
            render(&stop.troubles, false, 80).plain()
        };
        let (few, many) = (all(MOST_PROBLEMS), all(MOST_PROBLEMS + 1));
        assert_eq!(few.matches("error[").count(), MOST_PROBLEMS);
        assert!(few.ends_with("\n100 problems in `stagecraft.yml`\n"), "{few}");
        assert_eq!(many.matches("error[").count(), MOST_PROBLEMS);
        let end = "\n101 problems in `stagecraft.yml`: these are the first 100\n";
        assert!(many.ends_with(end), "{many}");
    }

    #[test]
    fn of_very_many_problems_what_is_about_all_and_what_has_no_place_is_shown() {
        let problems = (0..MOST_PROBLEMS + 1)
            .map(|n| problem("app", 1, &format!("no size `s-{n}`"), Some(&format!("use `t-{n}`"))))
            .collect();
        let mut stop = Stop::order("stagecraft.yml", "app: {}\n".to_owned(), problems)
            .with_hint("mend the first, and look again")
            .with_note("nothing was changed");
        let document = serde_json::to_value(stop.document()).unwrap();
        let last = &document["errors"][MOST_PROBLEMS];
        let hints = &last["hints"];
        assert_eq!(*hints, serde_json::json!(["use `t-100`", "mend the first, and look again"]));
        let end = "\n101 problems in `stagecraft.yml`: these are the first 100\n  \
                   hint: mend the first, and look again\n  note: nothing was changed\n";
        let shown = render(&stop.troubles, false, 80).plain();
        assert!(shown.ends_with(end) && !shown.contains("t-100"), "{shown}");

        let elsewhere = Failure::new(Code::CLOUD_UNREACHABLE, "hetzner did not answer");
        for at in [0, stop.troubles.len()] {
            stop.troubles.insert(at, elsewhere.clone().into());
            let shown = render(&stop.troubles, false, 80).plain();
            assert_eq!(shown.matches("error[cloud.unreachable]").count(), 1, "{shown}");
            assert_eq!(shown.matches("error[order.invalid]").count(), MOST_PROBLEMS);
            let total = "\n102 problems in `stagecraft.yml`: these are the first 100, and those that \
                         have no place in it\n  hint: mend";
            assert!(shown.contains(total), "{shown}");
            stop.troubles.remove(at);
        }
    }

    fn problem(host: &str, line: usize, message: &str, hint: Option<&str>) -> OrderProblem {
        OrderProblem {
            host: host.parse().unwrap(),
            at: Position { line, column: if line == 1 { 1 } else { 5 } },
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        }
    }
}
