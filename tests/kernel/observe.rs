//! What the kernel counts, as `cordon hits` reads it: known packets are sent, and each statement has exactly as many.

use std::collections::BTreeMap;

use super::lab::{Invocation, Packet, Step, StepOutcome, run};
use super::require::ready;
use super::shapes::shapes_for;
use super::site::{IPTABLES, Loader, Site};
use crate::support::{AS_OF, succeed};

/// Packets, and the statement that has the first of each connection.
const SENT: [(&str, &str); 17] = [
    ("tcp,10.1.0.3,10.3.0.10,30001,3613", "data"),
    ("tcp,10.1.0.4,10.3.0.10,30002,3613", "data"),
    ("udp,10.1.0.9,10.3.0.10,30003,5016", "data"),
    ("tcp,2001:db8:1::3,2001:db8:3::10,30004,3613", "data"),
    ("tcp,10.1.0.200,10.3.0.20,30005,3601", "overlap"),
    ("tcp,10.1.0.201,10.3.0.20,30006,3700", "overlap"),
    ("icmp,10.3.0.10,10.1.0.3,0,0", "ping"),
    ("47,10.3.0.10,8.8.8.8,0,0", "tunnel"),
    ("tcp,10.3.1.5,8.8.8.8,30007,80", "all-out"),
    ("udp,10.3.1.6,8.8.8.8,30008,53", "all-out"),
    ("tcp,10.3.1.5,8.8.8.8,30009,445", "no-smb"),
    ("tcp,8.8.8.8,10.3.0.20,30010,443", "from-out"),
    ("tcp,8.8.4.4,10.3.0.20,30011,443", "from-out"),
    ("tcp,8.8.4.4,10.3.0.20,30012,443", "from-out"),
    ("tcp,10.1.0.3,10.3.0.10,30013,22", ""),
    ("tcp,10.1.0.200,10.3.0.20,30014,3650", ""),
    ("tcp,8.8.4.4,10.1.0.3,30015,443", ""),
];

/// The commands that show all counters of a site.
fn listing(loader: Loader) -> Step {
    let script = match loader {
        Loader::Nftables => "nft -j list ruleset".to_owned(),
        Loader::Iptables(variant) => {
            format!("iptables-{variant}-save -c; ip6tables-{variant}-save -c; ipset save")
        }
    };
    Step::Run(Invocation::new("sh", &["-c", &script]))
}

/// The packets of the table, with other numbers each time so that each opens a connection of its own.
fn packets(site: &Site, from: u32) -> Step {
    let rows: String = SENT.iter().map(|(row, _)| format!("{row}\n")).collect();
    let rows = site.query(&format!("proto,src,dst,sport,dport\n{rows}"));
    let packets: Vec<Packet> = rows.iter().zip(from..).map(|(row, id)| site.packet(row, id)).collect();
    Step::Send(packets)
}

/// The packets and the state of each statement.
fn hits(site: &Site, arguments: &[&str]) -> BTreeMap<String, (u64, String)> {
    let common = ["hits", &site.directory, "--as-of", AS_OF, "--format", "json"];
    let document: serde_json::Value =
        serde_json::from_str(&succeed(&[&common, arguments].concat(), "")).unwrap();
    let statements = document["result"]["statements"].as_array().unwrap();
    let row = |one: &serde_json::Value| {
        let state = one["state"].as_str().unwrap().to_owned();
        (one["id"].as_str().unwrap().to_owned(), (one["packets"].as_u64().unwrap(), state))
    };
    statements.iter().map(row).collect()
}

/// How often each statement of the table was used if all of it was sent so many times.
fn check(found: &BTreeMap<String, (u64, String)>, times: u64) {
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, statement) in SENT.iter().filter(|(_, statement)| !statement.is_empty()) {
        *expected.entry(statement).or_default() += times;
    }
    for (id, (packets, state)) in found {
        assert_eq!(*packets, expected.remove(id.as_str()).unwrap_or(0), "{id}: {found:?}");
        // A forbid that does not log has no counter, which is not a count of nothing.
        let without = if id == "cut" { "not-measured" } else { "unused" };
        assert_eq!(state, if *packets > 0 { "used" } else { without }, "{id}: {found:?}");
    }
    assert!(expected.is_empty(), "not found: {expected:?}");
}

fn counts_are_exact(loader: Loader) {
    let site = shapes_for(loader);
    let steps = vec![packets(&site, 1), listing(loader), Step::Flush, packets(&site, 101), listing(loader)];
    let outcomes = run(&site.lab(steps)).unwrap();
    let texts: Vec<&String> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            StepOutcome::Output(text) => Some(text),
            StepOutcome::Sent(_) | StepOutcome::Flushed => None,
        })
        .collect();
    let [first, second] = texts[..] else { panic!("two lists: {outcomes:?}") };
    let place = tempfile::tempdir().unwrap();
    let [before, after] =
        ["before", "after"].map(|name| place.path().join(name).to_string_lossy().into_owned());
    std::fs::write(&before, first).unwrap();
    std::fs::write(&after, second).unwrap();
    check(&hits(&site, &["--from", &before]), 1);
    check(&hits(&site, &["--from", &after]), 2);
    check(&hits(&site, &["--from", &after, "--since", &before]), 1);
    check(&hits(&site, &["--from", &after, "--since", &after]), 0);
}

#[test]
fn what_nftables_counts_is_exactly_what_was_sent() {
    if ready("what_nftables_counts_is_exactly_what_was_sent", &["nft"]) {
        counts_are_exact(Loader::Nftables);
    }
}

#[test]
fn what_iptables_counts_is_exactly_what_was_sent() {
    for loader in IPTABLES {
        if ready("what_iptables_counts_is_exactly_what_was_sent", loader.tools()) {
            counts_are_exact(loader);
        }
    }
}
