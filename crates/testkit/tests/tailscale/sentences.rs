use std::fs;
use std::path::Path;

use stagecraft_testkit::tailscale::{CLIENT, REFUSALS};

#[test]
fn every_sentence_of_the_stand_in_is_recorded_of_the_real_client() {
    let sentences = sentences();
    assert_eq!(sentences.len(), 14, "{sentences:?}");
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/facts/cloud-api-facts.md");
    let Ok(facts) = fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let section = facts.split("\n## ").find(|section| section.starts_with("4. Tailscale")).unwrap();
    for sentence in sentences.iter().map(String::as_str).chain(REFUSALS) {
        for part in sentence.split("%s").map(str::trim).filter(|part| !part.is_empty()) {
            let is_there = section.contains(part)
                // The id stands for itself there.
                || section.contains(&part.replace(" not valid", "> not valid"));
            assert!(is_there, "`{part}` of `{sentence}` is not in the facts");
        }
    }
    assert!(!section.contains("a sentence that nobody says"));
}

#[test]
fn the_stand_in_prints_its_sentences_only_by_their_names() {
    let rest = CLIENT.split_once("\n);\n").unwrap().1;
    for line in rest.lines().filter(|line| line.contains("STDERR")) {
        let by_name = line.contains("$says{") || line.contains("\\n\\t");
        assert!(by_name, "{line}");
    }
}

fn sentences() -> Vec<String> {
    let block = CLIENT.split_once("my %says = (\n").unwrap().1.split_once("\n);\n").unwrap().0;
    let text = |line: &str| {
        let (_, rest) = line.split_once("=> \"")?;
        let (text, section) = rest.rsplit_once("\",")?;
        assert!(section.contains("# 4."), "{line} names no section");
        Some(text.replace("\\\"", "\""))
    };
    block.lines().filter_map(text).collect()
}
