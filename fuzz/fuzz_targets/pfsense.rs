//! Any texts as a config of pfSense, or areas of one; see `cordon_fuzz::pfsense`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordon_fuzz::pfsense(data));
