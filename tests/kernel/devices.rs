//! Each Linux firewall of the main example in the kernel, where the example puts it: between other enforcement points.
//!
//! A firewall sees the packets between those zones whose paths cross it, on the interfaces of these paths; on each it
//! must do what `cordon query` says.

use std::collections::BTreeSet;

use cordon::ir::{DeviceId, Topology, ZoneId, ZoneIndex};
use cordon::plan::plan;

use super::boundary;
use super::lab::{Interface, Lab, Outcome, Packet, Step, StepOutcome, run};
use super::martian::unforwardable;
use super::require::ready_for_large;
use super::site::{IPTABLES, Loader, Row, Site, compare};
use crate::support::{hospital, scenario};

const RULESET_BYTES: u64 = 1 << 20;

/// The interface that a packet arrives on and the one that it leaves by.
type Ends = (String, String);

/// One firewall of the example, and what the lab must know of it.
struct Point {
    site: Site,
    topology: Topology,
    zones: ZoneIndex,
    id: DeviceId,
    loader: Loader,
}

impl Point {
    fn new(device: &str, loader: Loader) -> Self {
        let site = Site::compile_for(&hospital(), Loader::Nftables);
        let id = DeviceId(site.policy.devices.iter().position(|known| known.name == device).unwrap());
        let (topology, zones) = (Topology::new(&site.policy), ZoneIndex::new(&site.policy));
        Point { site, topology, zones, id, loader }
    }

    /// The ways by which the packet of a row crosses the firewall.
    fn ends(&self, row: &Row) -> Vec<Ends> {
        let zones = (self.zones.zone_of(row.source), self.zones.zone_of(row.destination));
        let (Some(from), Some(to)) = zones else { return Vec::new() };
        let crossings = self.topology.crossings(from, to).into_iter();
        let device = &self.site.policy[self.id];
        crossings
            .filter(|crossing| crossing.device == self.id && from != to)
            .map(|crossing| (device[crossing.from].name.clone(), device[crossing.to].name.clone()))
            .collect()
    }

    /// A router in the place of the firewall, with what was built for it.
    fn lab(&self, steps: Vec<Step>) -> Lab {
        let policy = &self.site.policy;
        let plans = plan(policy);
        let departures = self.topology.departures();
        let interfaces = policy[self.id].interfaces.iter().zip(0..).map(|(interface, slot)| {
            let zones =
                departures.iter().filter(|((device, place), _)| *device == self.id && place.0 == slot);
            let zones: BTreeSet<ZoneId> = zones.flat_map(|(_, zones)| zones).copied().collect();
            let (rest, others): (Vec<ZoneId>, Vec<ZoneId>) =
                zones.iter().partition(|zone| policy[**zone].is_rest);
            let ranges = others.iter().flat_map(|zone| policy[*zone].addresses.ranges());
            Interface {
                name: interface.name.clone(),
                prefixes: ranges.map(|range| range.as_prefix().unwrap().to_string()).collect(),
                addresses: Vec::new(),
                default_route: !rest.is_empty(),
            }
        });
        let interfaces = interfaces.collect();
        let device = plans[self.id.0].device;
        Lab { interfaces, load: vec![self.loader.load(&self.site.folder(&device.name))], steps }
    }

    /// Sends the packets of a table that cross the firewall, and fails where it does not do what the policy says.
    fn judge(&self, what: &str, table: &str) -> [usize; 2] {
        let rows = self.site.query(table);
        let forwardable = |row: &&Row| unforwardable(row.source, row.destination).is_none();
        let mut packets: Vec<Packet> = Vec::new();
        let mut expected = Vec::new();
        for row in rows.iter().filter(forwardable) {
            for (arrives, leaves) in self.ends(row) {
                packets.push(row.packet(u32::try_from(packets.len() + 1).unwrap(), arrives));
                let allowed = row.verdict == "allow";
                expected.push(if allowed { Outcome::Delivered(leaves) } else { Outcome::Dropped });
            }
        }
        let batches = packets.chunks(1_000).flat_map(|batch| [Step::Send(batch.to_vec()), Step::Flush]);
        let outcomes = run(&self.lab(batches.collect())).unwrap().into_iter();
        let outcomes = outcomes.filter_map(|outcome| match outcome {
            StepOutcome::Sent(outcomes) => Some(outcomes),
            StepOutcome::Flushed | StepOutcome::Output(_) => None,
        });
        compare(what, &packets, &expected, &outcomes.flatten().collect::<Vec<_>>());
        let dropped = expected.iter().filter(|outcome| **outcome == Outcome::Dropped).count();
        [expected.len() - dropped, dropped]
    }

    /// Judges by the table of expected packets and by the edges of every rule.
    fn judge_all(&self, at_least: [usize; 2]) {
        let table = std::fs::read_to_string(scenario("expected.csv")).unwrap();
        let [allowed, denied] = self.judge("expected.csv", &table);
        assert!(allowed >= at_least[0] && denied >= at_least[1], "{allowed} allowed, {denied} denied");
        let [allowed, denied] = self.judge("boundary packets", &boundary::table(&self.site.policy));
        assert!(allowed >= at_least[0] && denied >= at_least[1], "{allowed} allowed, {denied} denied");
    }
}

#[test]
fn the_core_does_what_the_policy_says_of_what_crosses_it() {
    let test = "the_core_does_what_the_policy_says_of_what_crosses_it";
    if ready_for_large(test, Loader::Nftables.tools(), RULESET_BYTES) {
        Point::new("core", Loader::Nftables).judge_all([400, 1_000]);
    }
}

#[test]
fn the_firewall_of_the_guests_does_what_the_policy_says_of_what_crosses_it() {
    let test = "the_firewall_of_the_guests_does_what_the_policy_says_of_what_crosses_it";
    if ready_for_large(test, Loader::Nftables.tools(), RULESET_BYTES) {
        Point::new("wifi", Loader::Nftables).judge_all([4, 15]);
    }
}

#[test]
fn the_firewall_before_the_records_does_what_the_policy_says_of_what_crosses_it() {
    let test = "the_firewall_before_the_records_does_what_the_policy_says_of_what_crosses_it";
    for loader in IPTABLES {
        if ready_for_large(test, loader.tools(), RULESET_BYTES) {
            Point::new("records", loader).judge_all([30, 100]);
        }
    }
}
