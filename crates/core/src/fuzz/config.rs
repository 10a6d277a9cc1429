use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Catalogue, SizeOffer};
use crate::config::{Problems, parse};
use crate::desired::{Arch, ProviderId};
use crate::inventory::Inventory;
use crate::name::{Region, Scope};
use crate::resolve::resolve;

/// A `stagecraft.yml`: it is refused with places that are in it, or every host in it can be ordered or
/// is told to be wrong.
pub fn config(input: &[u8]) {
    let config = match parse("stagecraft.yml", input) {
        Ok(config) => config,
        Err(problems) => return refused(&problems),
    };
    // What is accepted goes to shells, terminals and other files, and holds nothing that they obey.
    let all = format!("{config:?}");
    assert!(!has_control_characters(&all), "{all}");
    for name in config.secret_variables() {
        assert!(!name.is_empty() && !name.contains(['=', '\0']), "{name:?} is no variable");
    }
    let catalogues: BTreeMap<_, _> = ProviderId::ALL.map(|id| (id, catalogue())).into();
    for (environment, hosts) in &config.environments {
        let scope = Scope { project: config.project.clone(), environment: environment.clone() };
        let (keys, none) = (BTreeMap::new(), Inventory::default());
        match resolve(&scope, hosts, &catalogues, &keys, &none, &BTreeSet::new()) {
            Ok(resolved) => assert_eq!(resolved.len(), hosts.len(), "a host got lost"),
            Err(problems) => assert!(!problems.is_empty(), "it is refused without a reason"),
        }
    }
}

/// Whether a text in the form of `Debug` has escaped control characters.
fn has_control_characters(debug: &str) -> bool {
    let mut rest = debug;
    while let Some((_, after)) = rest.split_once('\\') {
        let escaped = after.strip_prefix("u{").and_then(|code| code.split_once('}'));
        let plain = match escaped {
            Some((code, _)) => {
                let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
                code.is_some_and(|c| !c.is_control())
            }
            None => after.starts_with(['\\', '"', '\'']),
        };
        if !plain {
            return true;
        }
        rest = &after[1..];
    }
    false
}

fn refused(problems: &Problems) {
    assert!(!problems.problems.is_empty(), "it is refused without a reason");
    assert!(problems.problems.is_sorted_by_key(|problem| problem.position), "out of order");
    for problem in &problems.problems {
        // Only a misfit of checker and types would have neither.
        assert!(problem.label.is_some() || problem.help.is_some(), "{problem:?}");
        let spans = problem.span.iter().chain(problem.also.iter().map(|(span, _)| span));
        for span in spans {
            assert!(problems.text.get(span.clone()).is_some(), "{problem:?}");
        }
    }
    let shown = format!("{problems}{}", problems.text);
    let obeyed = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!shown.contains(obeyed), "{shown:?}");
}

fn catalogue() -> Catalogue {
    let regions = ["nyc1", "nyc3", "fsn1", "nbg1", "us-east-1", "local"].map(Region::from);
    let both = [Arch::Amd64, Arch::Arm64];
    let offer = |size: &str, arch| SizeOffer {
        size: size.into(),
        arch,
        regions: regions.iter().map(|region| (region.clone(), None)).collect(),
    };
    let images = ["ubuntu-22.04", "ubuntu-24.04", "debian-12"];
    Catalogue {
        regions: regions.iter().cloned().collect(),
        sizes: both.iter().flat_map(|&arch| ["a", "b"].map(|size| offer(size, arch))).collect(),
        portable_sizes: both
            .iter()
            .flat_map(|&arch| {
                ["small", "large"].map(|size| ((size.into(), arch), ["a".into()].into()))
            })
            .collect(),
        images: both.iter().flat_map(|&arch| images.map(|image| (image.into(), arch))).collect(),
        ssh_keys: None,
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: Arch::Amd64,
        spot: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Problem;
    use crate::error::Code;

    #[test]
    fn a_text_that_a_terminal_would_obey_is_noticed_and_one_that_it_would_not_is_let_through() {
        for obeyed in ["a\u{1b}[31m", "a\nb", "\u{85}", "\u{7f}"] {
            assert!(has_control_characters(&format!("{obeyed:?}")), "{obeyed:?}");
        }
        for harmless in ["", "a b", "it's \"so\"", r"C:\new", "\u{200b}é"] {
            assert!(!has_control_characters(&format!("{harmless:?}")), "{harmless:?}");
        }
    }

    #[test]
    fn what_no_refusal_may_look_like_is_noticed() {
        let of = |label: Option<&str>, span: Option<std::ops::Range<usize>>| Problem {
            code: Code::CONFIG_INVALID_VALUE,
            message: "it is wrong".to_owned(),
            position: None,
            label: label.map(str::to_owned),
            help: None,
            also: None,
            span,
        };
        let noticed = |text: &str, problems: Vec<Problem>| {
            let problems = Problems { file: "f".to_owned(), text: text.to_owned(), problems };
            std::panic::catch_unwind(|| refused(&problems)).is_err()
        };
        assert!(!noticed("a: b\n", vec![of(Some("here"), Some(0..1))]));
        assert!(noticed("a: b\n", vec![]), "no reason");
        assert!(noticed("a: b\n", vec![of(None, None)]), "neither label nor help");
        assert!(noticed("a: b\n", vec![of(Some("here"), Some(3..9))]), "a place outside");
        assert!(noticed("a: \u{1b}[31m\n", vec![of(Some("here"), None)]), "a colour");
        assert!(noticed("a: \u{202e}b\n", vec![of(Some("here"), None)]), "text from right to left");
    }
}
