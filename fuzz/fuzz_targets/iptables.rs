//! Any three texts as rules of both families and their sets; see `cordon_fuzz::iptables`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordon_fuzz::iptables(data));
