//! Which enforcement points a packet crosses on its way from one zone to another.

use cordon::check::check;
use cordon::diag::Diagnostics;
use cordon::inventory::Inventories;
use cordon::ir::{Topology, ZoneId};
use cordon::source::Sources;
use cordon::syntax::parse;

/// The paths between two zones in a policy of zones a, b, c ..., one /24 each, and the given enforcement points.
fn paths(devices: &str, from: &str, to: &str) -> Vec<String> {
    let zones: String =
        ('a'..='f').zip(1..).map(|(name, net)| format!("zone {name} {{ net 10.{net}.0.0/24 }}\n")).collect();
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let source = sources.add("a.cordon".to_owned(), zones + devices).unwrap().clone();
    let tree = parse(&source, &mut diagnostics);
    let policy = check(&[tree], Inventories::default(), "2026-11-01".parse().unwrap(), &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    let zone = |name: &str| ZoneId(policy.zones.iter().position(|zone| zone.name == name).unwrap());
    let crossings = Topology::new(&policy).crossings(zone(from), zone(to)).into_iter();
    let words = crossings.map(|crossing| {
        let device = &policy[crossing.device];
        format!("{}: {} to {}", device.name, device[crossing.from].name, device[crossing.to].name)
    });
    words.collect()
}

fn firewall(name: &str, interfaces: &str) -> String {
    format!("firewall {name} {{ target nftables {interfaces} }}\n")
}

#[test]
fn zones_on_one_firewall_cross_it_once() {
    let devices = firewall("core", "interface x zone a  interface y zone b, c");
    assert_eq!(paths(&devices, "a", "b"), ["core: x to y"]);
    assert!(paths(&devices, "b", "c").is_empty(), "behind one interface nothing is seen");
    assert!(paths(&devices, "a", "f").is_empty());
}

#[test]
fn a_packet_crosses_all_enforcement_points_on_its_way() {
    let devices = firewall("one", "interface x zone a  interface u to core")
        + &firewall("core", "interface p to one  interface q to two  interface z zone c")
        + &firewall("two", "interface x zone b  uplink u to core");
    assert_eq!(paths(&devices, "a", "b"), ["core: p to q", "one: x to u", "two: u to x"]);
    assert_eq!(paths(&devices, "b", "c"), ["core: q to z", "two: x to u"]);
}

/// Two cores, each with a link to both of two switches; the cores are joined too.
fn dual_core(cost: &str) -> String {
    firewall("left", &format!("interface p to one {cost}  interface q to two  interface r to right"))
        + &firewall("right", "interface p to one  interface q to two  interface r to left")
        + &firewall("one", "interface x zone a  interface u to left  interface v to right")
        + &firewall("two", "interface x zone b  interface u to left  interface v to right")
}

#[test]
fn equal_paths_all_count_and_longer_ones_do_not() {
    let equal = paths(&dual_core(""), "a", "b");
    assert_eq!(
        equal,
        ["left: p to q", "one: x to u", "one: x to v", "right: p to q", "two: u to x", "two: v to x"]
    );
    assert_eq!(paths(&dual_core("cost 2"), "a", "b"), ["one: x to v", "right: p to q", "two: v to x"]);
}

#[test]
fn a_backup_counts_as_well_as_what_it_backs_up() {
    let devices = |backup: &str| {
        firewall("core", "interface p to one  interface q to two  interface z zone c")
            + &firewall(
                "one",
                &format!("interface x zone a  interface u to core  interface w to two {backup}"),
            )
            + &firewall(
                "two",
                &format!("interface x zone b  interface u to core  interface w to one {backup}"),
            )
    };
    assert_eq!(
        paths(&devices("backup"), "a", "c"),
        ["core: p to z", "core: q to z", "one: x to u", "one: x to w", "two: w to u"]
    );
    assert_eq!(paths(&devices(""), "a", "c"), ["core: p to z", "one: x to u"]);
    assert_eq!(paths(&devices("cost 5"), "a", "b"), ["core: p to q", "one: x to u", "two: u to x"]);
}

#[test]
fn a_zone_behind_two_gateways_may_use_either() {
    let devices = firewall("one", "interface x zone a  interface u to core")
        + &firewall("two", "interface x zone a  interface u to core")
        + &firewall("core", "interface p to one  interface q to two  interface z zone c");
    assert_eq!(paths(&devices, "a", "c"), ["core: p to z", "core: q to z", "one: x to u", "two: x to u"]);
    assert_eq!(paths(&devices, "c", "a"), ["core: z to p", "core: z to q", "one: u to x", "two: u to x"]);
}
