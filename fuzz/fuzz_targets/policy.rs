//! Any text as a policy; see `cordon_fuzz::policy`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordon_fuzz::policy(data));
