//! Interval diagrams against binary decision diagrams: nodes, time and memory for what policies allow.
//!
//!     cargo test --release --manifest-path tests/diagrams/Cargo.toml -- --nocapture
//!
//! The interval diagrams are those of the proof, from its own files. `CORDON_RULES=100,1000` says how many rules are
//! generated.

#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a measurement fails where it meets what it did not expect"
)]

mod binary;
#[path = "../../random/dice.rs"]
#[allow(dead_code, reason = "other tests need the rest")]
mod dice;
#[path = "../../support/files.rs"]
mod files;
mod prove;
#[path = "../../speed.rs"]
#[allow(dead_code, reason = "only what makes policies is needed")]
mod speed;

use std::path::Path;

use cordon::ir::{Effect, Policy};

use self::speed::{checked, generated, listed};

/// What the files of the proof, and the policies that it is timed with, look for here.
mod read {
    pub(crate) use cordon::read::{Family, PacketBox, States};
}
mod ir {
    pub(crate) use cordon::ir::{Device, Effect, Policy, Rule, Week, ZoneId};
}
mod set {
    pub(crate) use cordon::set::{AddressSet, Interval, Point, ServiceSet, has_ports};
}
mod support {
    pub(crate) const AS_OF: &str = "2026-11-01";
}
mod random {
    pub(crate) use crate::dice::Dice;
}

/// What one kind of diagrams takes for the IPv4 packets that a policy allows.
#[derive(Debug)]
struct Taken {
    /// Of the result.
    nodes: usize,
    edges: usize,
    kibibytes: usize,
    build_seconds: f64,
    /// To find what two sets differ in, of which one lacks a rule.
    compare_seconds: f64,
}

/// The same policy without its last allow.
fn lacking_one(policy: &Policy) -> Policy {
    let mut fewer = policy.clone();
    let last = fewer.rules.iter().rposition(|rule| rule.effect == Effect::Allow).unwrap();
    fewer.rules.remove(last);
    fewer
}

fn report(name: &str, policy: &Policy) {
    let fewer = lacking_one(policy);
    for (kind, taken) in
        [("interval", prove::measure(policy, &fewer)), ("binary", binary::measure(policy, &fewer))]
    {
        let Taken { nodes, edges, kibibytes, build_seconds, compare_seconds } = taken;
        let size = format!("{nodes:9} {edges:9} {kibibytes:9}");
        eprintln!("{name:14} {kind:8} {size} {build_seconds:9.4} {compare_seconds:10.5}");
    }
}

#[test]
fn nodes_time_and_memory() {
    eprintln!("policy         kind         nodes     edges       KiB   build s  compare s");
    let hospital = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/general-hospital");
    report("hospital", &files::policy(&hospital));
    for shape in ["hosts", "mixed"] {
        for rules in listed("CORDON_RULES", "100,1000,10000") {
            let policy = checked(&generated("nftables", shape, rules.parse().unwrap()));
            report(&format!("{shape} {rules}"), &policy);
        }
    }
}
