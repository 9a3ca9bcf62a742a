//! What the fuzz targets do with their input, whoever gives it: libFuzzer, or the tests of cordon with the inputs that are
//! kept here.
//!
//! In: any bytes. Out: nothing; a target panics where cordon does not do what it promises. What is promised is said at each
//! target.

mod choices;
mod generate;
mod judge;
mod model;
mod policy;
mod reader;
mod roundtrip;

pub use self::policy::policy;
pub use self::reader::{cisco_ios, iptables, nftables, pfsense};
pub use self::roundtrip::{PLATFORMS, emit_then_read, proved};

/// A fuzz target.
pub type Target = fn(&[u8]);

/// All targets, by the names of their programs and of their folders.
pub const TARGETS: [(&str, Target); 6] = [
    ("policy", policy),
    ("nftables", nftables),
    ("iptables", iptables),
    ("cisco_ios", cisco_ios),
    ("pfsense", pfsense),
    ("emit_then_read", emit_then_read),
];

/// The line between texts, for targets that take several.
const SEPARATOR: &str = "\n%%\n";

/// The texts in an input, one after another.
///
/// What is not UTF-8 is replaced, since cordon reads nothing else and a change of one byte should not lose the rest.
fn texts(data: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(data).split(SEPARATOR).map(str::to_owned).collect()
}
