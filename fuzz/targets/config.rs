#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stagecraft_core::fuzz::config(input));
