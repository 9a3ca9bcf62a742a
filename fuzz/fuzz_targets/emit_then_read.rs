//! Bytes as a policy that is compiled, read back and proved; see `cordon_fuzz::emit_then_read`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cordon_fuzz::emit_then_read(data));
