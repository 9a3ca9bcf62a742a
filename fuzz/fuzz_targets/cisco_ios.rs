//! Any text as a config of Cisco IOS; see `cordon_fuzz::cisco_ios`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordon_fuzz::cisco_ios(data));
