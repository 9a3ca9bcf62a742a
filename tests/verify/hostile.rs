//! Configs that are meant to make a proof take long, or more of the stack than there is.

use std::time::{Duration, Instant};

use cordon::check::check;
use cordon::diag::Diagnostics;
use cordon::inventory::Inventories;
use cordon::ir::DeviceId;
use cordon::prove::{Comparison, ConfigFile, Verdict, prove};
use cordon::source::Sources;
use cordon::syntax::parse;

use crate::support::AS_OF;

/// What a proof may take in a build that is not optimised, on a busy machine.
const BOUND: Duration = Duration::from_secs(20);

/// A stack that is small for a thread.
const STACK_BYTES: usize = 1 << 20;

/// Proves a ruleset of nftables against a small policy.
#[track_caller]
fn compared(ruleset: String) -> Comparison {
    let text = "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }\nallow r { from a  to b  via tcp 80 }\n\
                firewall core { target nftables   interface eth0 zone a   interface eth1 zone b }\n";
    let prove_it = move || {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let source = sources.add("policy.cordon".to_owned(), text.to_owned()).unwrap();
        let policy = check(
            &[parse(source, &mut diagnostics)],
            Inventories::default(),
            AS_OF.parse().unwrap(),
            &mut diagnostics,
        );
        prove(&policy, DeviceId(0), &[ConfigFile { name: "ruleset.nft", text: &ruleset }])
    };
    let start = Instant::now();
    let verdict = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(prove_it).unwrap().join();
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    match verdict.unwrap() {
        Verdict::Compared(comparison) => comparison,
        other => panic!("{other:?}"),
    }
}

/// A ruleset in which the chain of packets that are passed on starts with a jump to `c0`.
fn ruleset(chains: &str) -> String {
    let hook = "type filter hook forward priority filter; policy accept;";
    format!("table inet t {{\n{chains}chain forward {{ {hook} jump c0; }}\n}}\n")
}

#[test]
fn a_long_line_of_calls_takes_no_deep_stack() {
    let count = 20_000;
    let mut chains: String = (0..count).map(|n| format!("chain c{n} {{ jump c{}; }}\n", n + 1)).collect();
    chains +=
        &format!("chain c{count} {{ ct state established,related accept; tcp dport 80 accept; drop; }}\n");
    let deep = compared(ruleset(&chains));
    let flat =
        compared(ruleset("chain c0 { ct state established,related accept; tcp dport 80 accept; drop; }\n"));
    let kinds = |found: Comparison| -> Vec<_> {
        let differences = found.differences.into_iter();
        differences.map(|found| (found.kind, found.state, found.packets.to_bits())).collect()
    };
    assert_eq!(kinds(deep), kinds(flat));
}

#[test]
fn chains_that_call_each_other_twice_are_followed_once() {
    let mut chains: String =
        (0..60).map(|n| format!("chain c{n} {{ jump c{0}; jump c{0}; }}\n", n + 1)).collect();
    chains += "chain c60 { }\n";
    assert!(!compared(ruleset(&chains)).is_equal());
}
