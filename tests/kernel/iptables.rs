//! The target iptables in the kernel, in both variants: the same packets as for nftables.

mod files;
mod load;

use super::lab::{Invocation, Lab, Outcome, Step, StepOutcome, run};
use super::require::ready;
use super::site::{IPTABLES, Loader, Site};
use super::{hospital, shapes};
use crate::support::root;

/// Checks the main example in both variants.
fn in_hospital(test: &str, check: fn(&Site)) {
    for loader in IPTABLES {
        hospital::check(test, loader, check);
    }
}

/// Checks the policy of shapes in both variants.
fn in_shapes(test: &str, check: fn(&Site)) {
    for loader in IPTABLES {
        if ready(test, loader.tools()) {
            check(&shapes::shapes_for(loader));
        }
    }
}

#[test]
fn every_expected_packet_gets_its_verdict_from_iptables() {
    in_hospital("every_expected_packet_gets_its_verdict_from_iptables", hospital::expected_packets);
}

#[test]
fn replies_and_errors_pass_iptables_where_a_connection_was_opened() {
    in_hospital(
        "replies_and_errors_pass_iptables_where_a_connection_was_opened",
        hospital::replies_and_errors,
    );
}

#[test]
fn spoofed_sources_do_not_pass_iptables() {
    in_hospital("spoofed_sources_do_not_pass_iptables", hospital::spoofed_sources);
}

#[test]
fn spoofed_replies_do_not_pass_iptables() {
    in_hospital("spoofed_replies_do_not_pass_iptables", hospital::spoofed_replies);
}

#[test]
fn misrouted_destinations_are_not_reached_through_iptables() {
    in_hospital("misrouted_destinations_are_not_reached_through_iptables", hospital::misrouted_destinations);
}

#[test]
fn the_edges_of_every_rule_are_where_the_policy_puts_them_in_iptables() {
    in_hospital("the_edges_of_every_rule_are_where_the_policy_puts_them_in_iptables", hospital::edges);
}

#[test]
fn every_shape_has_its_edges_where_the_policy_puts_them_in_iptables() {
    in_shapes("every_shape_has_its_edges_where_the_policy_puts_them_in_iptables", shapes::edges);
}

#[test]
fn real_connections_are_carried_through_iptables() {
    in_shapes("real_connections_are_carried_through_iptables", shapes::connections);
}

#[test]
fn the_firewall_answers_only_those_who_manage_it_under_iptables() {
    in_shapes("the_firewall_answers_only_those_who_manage_it_under_iptables", shapes::management);
}

/// The name of a tool of the variant that a site loads: `iptables` with the end `-save` is `iptables-legacy-save`.
fn tool(site: &Site, name: &str, end: &str) -> String {
    match site.loader {
        Loader::Iptables(variant) => format!("{name}-{variant}{end}"),
        Loader::Nftables => panic!("a site that iptables loads"),
    }
}

fn shell(script: &str) -> Step {
    Step::Run(Invocation::new("sh", &["-c", script]))
}

/// All rules of both families and all sets, without counters, generations and what the kernel draws by lot.
fn listing(site: &Site) -> Step {
    let [four, six] = ["iptables", "ip6tables"].map(|name| tool(site, name, "-save"));
    shell(&format!(
        "{{ {four}; {six}; ipset save; }} 2>/dev/null | grep -v '^#' | sed -e 's/cordon[0-9]\\./cordonN./g' \
         -e 's/\\[[0-9]*:[0-9]*\\]//' -e 's/ initval [^ ]*//' -e 's/hashsize [0-9]*//' \
         -e 's/packets [0-9]* bytes [0-9]*//' | sort"
    ))
}

fn outputs(lab: &Lab) -> Vec<String> {
    let outcomes = run(lab).unwrap();
    let outputs = outcomes.into_iter().map(|outcome| match outcome {
        StepOutcome::Output(text) => text,
        StepOutcome::Sent(outcomes) => format!("{outcomes:?}"),
        StepOutcome::Flushed => "flushed".to_owned(),
    });
    outputs.collect()
}

/// A packet of each family that the policy of shapes allows, and one of each that it denies.
fn probes(site: &Site) -> Step {
    let table = "proto,src,dst,sport,dport\n\
                 tcp,10.1.0.3,10.3.0.10,30001,3613\ntcp,2001:db8:1::3,2001:db8:3::10,30002,3613\n\
                 tcp,10.1.0.3,10.3.0.10,30003,22\ntcp,2001:db8:1::3,2001:db8:3::10,30004,22\n";
    let rows = site.query(table);
    Step::Send(rows.iter().zip(1..).map(|(row, id)| site.packet(row, id)).collect())
}

fn as_intended() -> String {
    let delivered = || Outcome::Delivered("srv0".to_owned());
    format!("{:?}", [delivered(), delivered(), Outcome::Dropped, Outcome::Dropped])
}

#[test]
fn an_element_counts_and_names_the_rule_that_a_packet_met() {
    in_shapes("an_element_counts_and_names_the_rule_that_a_packet_met", |site| {
        let said = outputs(&site.lab(vec![probes(site), shell("ipset list | grep 'packets 1 '")]));
        let hits: Vec<&str> = said[1].lines().collect();
        let met = ["10.3.0.10,tcp:3613,10.1.0.3 ", "2001:db8:3::10,tcp:3613,2001:db8:1::3 "];
        assert_eq!(hits.len(), met.len(), "{hits:?}");
        for (hit, met) in hits.iter().zip(met) {
            assert!(hit.starts_with(met) && hit.ends_with("comment \"data\""), "{hits:?}");
        }
    });
}

/// The policy of shapes with some texts replaced, compiled.
pub(super) fn changed(loader: Loader, texts: &[(&str, &str)]) -> Site {
    let directory = tempfile::tempdir().unwrap();
    let mut policy = std::fs::read_to_string(root().join("tests/policies/shapes/shapes.cordon")).unwrap();
    for (from, to) in texts {
        assert!(policy.contains(from), "the policy has no {from}");
        policy = policy.replace(from, to);
    }
    std::fs::write(directory.path().join("shapes.cordon"), policy).unwrap();
    Site::compile_for(directory.path(), loader)
}

/// Checks a changed policy of shapes in both variants.
fn in_changed(test: &str, texts: &[(&str, &str)], check: fn(&Site)) {
    for loader in IPTABLES {
        if ready(test, loader.tools()) {
            check(&changed(loader, texts));
        }
    }
}

#[test]
fn sctp_ports_and_listed_protocols_have_their_edges_where_the_policy_puts_them() {
    let test = "sctp_ports_and_listed_protocols_have_their_edges_where_the_policy_puts_them";
    let texts = [
        ("via sctp any", "via sctp 2905, 3000-3040"),
        ("via any }", "via gre, udp any, icmp echo-request, icmpv6 echo-request }"),
        ("via tcp 9100 }", "via tcp 9100-9102, udp 161-1700 }"),
    ];
    in_changed(test, &texts, shapes::edges);
}

#[test]
fn the_longest_names_load_and_log_under_their_own_prefixes() {
    let test = "the_longest_names_load_and_log_under_their_own_prefixes";
    let long = "a-rule-whose-name-has-the-sixty-three-bytes-that-a-name-may-h";
    let (one, other) = (format!("allow {long}-1"), format!("forbid {long}-2"));
    let texts = [
        ("allow from-out", one.as_str()),
        ("forbid no-smb", other.as_str()),
        ("ward0", "interface-ward0"),
        ("srv0", "interface-srv00"),
    ];
    in_changed(test, &texts, |site| {
        let said = outputs(&site.lab(vec![listing(site)]));
        for word in ["allow", "deny"] {
            let start = format!("--log-prefix \"cordon {word} a-");
            assert!(said[0].contains(&start), "{word}: {}", said[0]);
        }
    });
}

#[test]
fn a_datagram_in_fragments_is_judged_by_its_ports() {
    in_shapes("a_datagram_in_fragments_is_judged_by_its_ports", shapes::fragments);
}

const FILES: [&str; 4] = ["load.sh", "rules.v4", "rules.v6", "sets.ipset"];
