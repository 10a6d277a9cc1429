#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stagecraft_clouds::fuzz::hetzner(input));
