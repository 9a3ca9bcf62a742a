//! Any text as a ruleset of nftables; see `cordon_fuzz::nftables`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordon_fuzz::nftables(data));
