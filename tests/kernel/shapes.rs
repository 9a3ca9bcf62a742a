//! A small policy with every shape that an element of a ruleset can take, in the kernel.

use std::net::SocketAddr;

use super::iptables::changed;
use super::lab::{Invocation, Lab, Outcome, Packet, Step, StepOutcome, Transport, run};
use super::require::ready;
use super::site::{Loader, Site};
use super::sockets::{self, Answer, Carrier, Exchange, Host, Network, ROUTER};
use crate::support::root;

pub(super) fn shapes_for(loader: Loader) -> Site {
    Site::compile_for(&root().join("tests/policies/shapes"), loader)
}

fn shapes() -> Site {
    shapes_for(Loader::Nftables)
}

#[test]
fn every_shape_of_element_has_its_edges_where_the_policy_puts_them() {
    if !ready("every_shape_of_element_has_its_edges_where_the_policy_puts_them", &["nft"]) {
        return;
    }
    edges(&shapes());
}

pub(super) fn edges(site: &Site) {
    let tried = site.try_edges();
    assert!(tried.allowed > 100 && tried.denied > 200, "{tried:?}");
}

#[test]
fn an_element_inside_of_another_loads_in_either_order() {
    if !ready("an_element_inside_of_another_loads_in_either_order", &["nft"]) {
        return;
    }
    // The rule `overlap` speaks of what `data` speaks of and of more; by its new name it decides first.
    edges(&changed(Loader::Nftables, &[("allow overlap", "allow a-wide-one")]));
}

#[test]
fn a_datagram_in_fragments_is_judged_by_its_ports_in_nftables() {
    if !ready("a_datagram_in_fragments_is_judged_by_its_ports_in_nftables", &["nft"]) {
        return;
    }
    fragments(&shapes());
}

pub(super) fn fragments(site: &Site) {
    let rows = site.query(
        "proto,src,dst,sport,dport\nudp,10.1.0.3,10.3.0.10,30001,5000\nudp,10.1.0.3,10.3.0.10,30002,5017\n",
    );
    let fragmented = rows.iter().zip(1..).map(|(row, id)| {
        let (source_port, destination_port) = (row.source_port, row.destination_port);
        let transport = Transport::FragmentedUdp { source_port, destination_port };
        Packet { transport, ..site.packet(row, id) }
    });
    let outcomes = run(&site.lab(vec![Step::Send(fragmented.collect())])).unwrap();
    let expected = vec![Outcome::Delivered("srv0".to_owned()), Outcome::Dropped];
    assert_eq!(outcomes, [StepOutcome::Sent(expected)]);
}

#[test]
fn what_is_left_of_the_chains_drops_when_their_rules_are_gone() {
    if !ready("what_is_left_of_the_chains_drops_when_their_rules_are_gone", &["nft"]) {
        return;
    }
    let site = shapes();
    let rows = site.query(
        "proto,src,dst,sport,dport\ntcp,10.1.0.3,10.3.0.10,30001,3613\ntcp,2001:db8:1::3,2001:db8:3::10,30002,3613\n",
    );
    let packets: Vec<Packet> = rows.iter().zip(1..).map(|(row, id)| site.packet(row, id)).collect();
    let flush = |chain: &str| Step::Run(Invocation::new("nft", &["flush", "chain", "inet", "cordon", chain]));
    let policies = Step::Run(Invocation::new("nft", &["list", "chains"]));
    let steps = vec![flush("forward"), flush("input"), Step::Send(packets), policies];
    let outcomes = run(&site.lab(steps)).unwrap();
    assert_eq!(outcomes[2], StepOutcome::Sent(vec![Outcome::Dropped; 2]));
    let StepOutcome::Output(listing) = &outcomes[3] else { panic!("{outcomes:?}") };
    let hooks: Vec<&str> = listing.lines().filter(|line| line.contains(" hook ")).collect();
    assert!(hooks.len() == 2 && hooks.iter().all(|hook| hook.contains("policy drop")), "{hooks:?}");
}

#[test]
fn a_ruleset_loaded_twice_is_the_same_and_leaves_other_tables_alone() {
    if !ready("a_ruleset_loaded_twice_is_the_same_and_leaves_other_tables_alone", &["nft"]) {
        return;
    }
    let site = shapes();
    let lab = site.lab(Vec::new());
    let list = |what: &[&str]| Step::Run(Invocation::new("nft", what));
    let all = ["-s", "list", "ruleset"];
    let other =
        Invocation::new("nft", &["-f", "-"]).input("table inet other {\n chain c {\n accept\n }\n}\n");
    let load = lab.load[0].clone();
    let steps = vec![Step::Run(other), list(&all), Step::Run(load), list(&all)];
    let outcomes = run(&Lab { steps, ..lab }).unwrap();
    let [_, StepOutcome::Output(once), _, StepOutcome::Output(twice)] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    let sorted = |listing: &str| {
        let mut lines: Vec<&str> = listing.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    assert!(once.contains("table inet other") && once.contains("table inet cordon"));
    assert_eq!(sorted(once), sorted(twice));
}

#[test]
fn a_ruleset_with_an_error_leaves_the_old_one_in_place() {
    if !ready("a_ruleset_with_an_error_leaves_the_old_one_in_place", &["nft"]) {
        return;
    }
    let site = shapes();
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), site.ruleset().replace("goto spoofed", "goto nowhere")).unwrap();
    let file = path.path().to_string_lossy().into_owned();
    let listing = Invocation::new("nft", &["-s", "list", "ruleset"]);
    let broken = format!("nft -f {file} 2>/dev/null && echo loaded || echo refused");
    let steps = vec![
        Step::Run(listing.clone()),
        Step::Run(Invocation::new("sh", &["-c", &broken])),
        Step::Run(listing),
    ];
    let outcomes = run(&site.lab(steps)).unwrap();
    assert_eq!(outcomes[1], StepOutcome::Output("refused\n".to_owned()));
    assert_eq!(outcomes[0], outcomes[2]);
}

/// Hosts behind three interfaces of the firewall, whose own addresses end in 1.
fn network(site: &Site) -> Network {
    let host = |interface: &str, v4: &str, v6: &str| Host {
        interface: interface.to_owned(),
        router: vec![format!("{v4}.1/24"), format!("{v6}1/64")],
        addresses: Vec::new(),
        mtu: None,
    };
    let with = |mut host: Host, v4: &str, v6: &str| {
        host.addresses = vec![format!("{v4}/24"), format!("{v6}/64")];
        host
    };
    Network {
        hosts: vec![
            with(host("ward0", "10.1.0", "2001:db8:1::"), "10.1.0.3", "2001:db8:1::3"),
            with(host("srv0", "10.3.0", "2001:db8:3::"), "10.3.0.10", "2001:db8:3::10"),
        ],
        load: vec![site.load()],
        exchanges: Vec::new(),
    }
}

fn exchange(carrier: Carrier, client: &str, server: &str, address: &str) -> Exchange {
    let address: SocketAddr = address.parse().unwrap();
    Exchange { carrier, client: client.to_owned(), server: server.to_owned(), address, bytes: 20_000 }
}

#[test]
fn real_connections_are_carried_with_their_replies_and_no_others() {
    if !ready("real_connections_are_carried_with_their_replies_and_no_others", &["nft"]) {
        return;
    }
    connections(&shapes());
}

pub(super) fn connections(site: &Site) {
    let mut network = network(site);
    network.exchanges = vec![
        exchange(Carrier::Tcp, "ward0", "srv0", "10.3.0.10:3613"),
        exchange(Carrier::Tcp, "ward0", "srv0", "[2001:db8:3::10]:3613"),
        Exchange { bytes: 100, ..exchange(Carrier::Udp, "ward0", "srv0", "10.3.0.10:5016") },
        exchange(Carrier::Tcp, "ward0", "srv0", "10.3.0.10:3599"),
        exchange(Carrier::Tcp, "ward0", "srv0", "[2001:db8:3::10]:3599"),
        Exchange { bytes: 100, ..exchange(Carrier::Udp, "ward0", "srv0", "10.3.0.10:5017") },
        exchange(Carrier::Tcp, "srv0", "ward0", "10.1.0.3:3613"),
    ];
    let answers = sockets::run(&network).unwrap();
    let (carried, refused) = answers.split_at(3);
    assert!(carried.iter().all(|answer| *answer == Answer::Carried), "{answers:?}");
    assert!(refused.iter().all(|answer| *answer == Answer::TimedOut), "{answers:?}");
}

#[test]
fn the_firewall_itself_answers_only_those_who_manage_it() {
    if !ready("the_firewall_itself_answers_only_those_who_manage_it", &["nft"]) {
        return;
    }
    management(&shapes());
}

pub(super) fn management(site: &Site) {
    let mut network = network(site);
    network.exchanges = vec![
        exchange(Carrier::Tcp, "srv0", ROUTER, "10.3.0.1:22"),
        exchange(Carrier::Tcp, "srv0", ROUTER, "[2001:db8:3::1]:22"),
        exchange(Carrier::Tcp, "srv0", ROUTER, "10.1.0.1:22"),
        exchange(Carrier::Tcp, "srv0", ROUTER, "10.3.0.1:23"),
        exchange(Carrier::Tcp, "ward0", ROUTER, "10.1.0.1:22"),
        exchange(Carrier::Tcp, "ward0", ROUTER, "[2001:db8:1::1]:22"),
    ];
    let answers = sockets::run(&network).unwrap();
    let (let_in, others) = answers.split_at(3);
    assert!(let_in.iter().all(|answer| *answer == Answer::Carried), "{answers:?}");
    assert!(others.iter().all(|answer| *answer == Answer::TimedOut), "{answers:?}");
}

#[test]
fn counters_and_comments_name_the_rule_that_a_packet_met() {
    if !ready("counters_and_comments_name_the_rule_that_a_packet_met", &["nft"]) {
        return;
    }
    let site = shapes();
    let rows = site.query("proto,src,dst,sport,dport\ntcp,10.1.0.3,10.3.0.10,30001,3613\n");
    let packet = site.packet(&rows[0], 1);
    let list =
        Step::Run(Invocation::new("nft", &["list", "map", "inet", "cordon", "pair/ward0/srv0/v4/ports"]));
    let outcomes = run(&site.lab(vec![Step::Send(vec![packet]), list])).unwrap();
    let StepOutcome::Output(listing) = &outcomes[1] else { panic!("{outcomes:?}") };
    let hit: Vec<&str> = listing.lines().filter(|line| line.contains("counter packets 1 ")).collect();
    assert_eq!(hit.len(), 1, "{listing}");
    assert!(hit[0].contains("comment \"data\""), "{hit:?}");
}
