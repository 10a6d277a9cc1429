#![no_main]

use std::process::Command as Process;
use std::sync::atomic::{AtomicU32, Ordering};

use stagecraft_core::fuzz;
use stagecraft_core::remote::Command;

/// One of so many inputs is read by a real shell as well.
const SAMPLE: u32 = 4096;

static INPUTS: AtomicU32 = AtomicU32::new(0);

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzz::words(input);
    if INPUTS.fetch_add(1, Ordering::Relaxed) % SAMPLE == 0 && input.len() < 64 * 1024 {
        let words = fuzz::as_words(input);
        let print = Command::new("printf").arg("%s\\0").args(words.clone()).to_shell();
        let output = Process::new("sh").args(["-c", &print]).output().expect("a shell");
        let expected: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
        assert_eq!(output.stdout, expected, "{print}");
    }
});
