//! The main example says exactly what the tables of the scenario say: not on samples, but over all packets.

use std::collections::BTreeMap;

use cordon::ir::{DeviceId, Effect, Expectation, Policy, Topology, ZoneId};
use cordon::plan::plan;
use cordon::set::{
    AddressRange, AddressSet, Interval, IntervalSet, PacketSet, ServiceSet, Set, protocol_number, union_all,
};
use ipnet::IpNet;

use crate::support::{AS_OF, hospital, policy, scenario, succeed};

/// The rows of a table, each by the names of its columns.
fn rows(file: &str) -> Vec<BTreeMap<String, String>> {
    let path = scenario(file);
    let mut reader =
        csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    reader.deserialize().map(Result::unwrap).collect()
}

/// Names of zones and hosts with their zone and addresses, read from the tables alone.
struct Tables {
    places: BTreeMap<String, (String, AddressSet)>,
}

impl Tables {
    fn read() -> Self {
        let mut places = BTreeMap::new();
        let mut inside = Vec::new();
        for row in rows("zones.csv").iter().filter(|row| row["ipv4"] != "any") {
            let prefixes = [&row["ipv4"], &row["ipv6"]].map(|prefix| prefix.parse::<IpNet>().unwrap());
            let addresses: AddressSet = prefixes.into_iter().map(AddressRange::from).collect();
            inside.push(addresses.clone());
            places.insert(row["zone"].clone(), (row["zone"].clone(), addresses));
        }
        let outside = AddressSet::universe().difference(&union_all(inside));
        places.insert("internet".to_owned(), ("internet".to_owned(), outside));
        for row in rows("hosts.csv") {
            let addresses =
                [&row["ipv4"], &row["ipv6"]].map(|address| address.parse::<std::net::IpAddr>().unwrap());
            let addresses = addresses.into_iter().map(AddressRange::from).collect();
            places.insert(row["host"].clone(), (row["zone"].clone(), addresses));
        }
        Tables { places }
    }

    /// The places that a name stands for, each with its zone.
    fn named(&self, name: &str) -> Vec<&(String, AddressSet)> {
        if name == "any" {
            return self
                .places
                .iter()
                .filter(|(name, (zone, _))| *name == zone)
                .map(|(_, place)| place)
                .collect();
        }
        vec![&self.places[name]]
    }

    /// The packets of a row, without those that stay inside one zone.
    fn packets(&self, row: &BTreeMap<String, String>) -> PacketSet {
        union_all(self.by_zones(row).into_iter().map(|(_, packets)| packets).collect::<Vec<_>>())
    }

    /// The packets of a row between each two zones.
    fn by_zones(&self, row: &BTreeMap<String, String>) -> Vec<((String, String), PacketSet)> {
        let services = services(&row["proto"], &row["dport"]);
        let mut sets = Vec::new();
        for (from, sources) in self.named(&row["src"]) {
            for (to, destinations) in self.named(&row["dst"]) {
                if from != to {
                    let packets = PacketSet::product(sources, destinations, &services);
                    sets.push(((from.clone(), to.clone()), packets));
                }
            }
        }
        sets
    }
}

/// `tcp udp` and `53 5000-5016` as a set.
fn services(protocols: &str, ports: &str) -> ServiceSet {
    if protocols == "any" {
        return ServiceSet::full();
    }
    let port = |text: &str| text.parse::<u16>().unwrap();
    let intervals = ports.split(' ').filter(|text| !text.is_empty()).map(|text| match text.split_once('-') {
        Some((first, last)) => Interval::new(port(first), port(last)).unwrap(),
        None => Interval::single(port(text)),
    });
    let set: IntervalSet<u16> = intervals.collect::<Vec<_>>().into_iter().collect();
    let set = if ports.is_empty() { IntervalSet::full() } else { set };
    let sets = protocols
        .split(' ')
        .map(|name| ServiceSet::ports(protocol_number(name).unwrap(), &IntervalSet::full(), &set));
    union_all(sets.collect::<Vec<_>>())
}

/// All that the example allows, from the plan that its output is made of.
fn allowed(policy: &Policy) -> PacketSet {
    let plans = plan(policy);
    let entries = plans.iter().flat_map(|plan| &plan.pairs).flat_map(|pair| &pair.entries);
    let allows = entries.filter(|entry| policy[entry.rule].effect == Effect::Allow);
    union_all(allows.map(|entry| entry.packets.clone()).collect::<Vec<_>>())
}

#[test]
fn the_example_allows_what_the_182_flows_allow_and_nothing_else() {
    let tables = Tables::read();
    let flows = rows("flows.csv");
    assert_eq!(flows.len(), 182);
    let wanted = union_all(flows.iter().map(|row| tables.packets(row)).collect::<Vec<_>>());
    let allowed = allowed(&policy(&hospital()));
    let missing = wanted.difference(&allowed).boxes();
    let surplus = allowed.difference(&wanted).boxes();
    assert!(missing.is_empty(), "not allowed: {}", missing[0]);
    assert!(surplus.is_empty(), "allowed beyond the table: {}", surplus[0]);
    assert_eq!(allowed, wanted);
}

#[test]
fn each_enforcement_point_allows_just_the_flows_that_cross_it() {
    let tables = Tables::read();
    let policy = policy(&hospital());
    let topology = Topology::new(&policy);
    let zone = |name: &str| ZoneId(policy.zones.iter().position(|zone| zone.name == name).unwrap());
    let flows: Vec<_> = rows("flows.csv").iter().flat_map(|row| tables.by_zones(row)).collect();
    for (device, place) in plan(&policy).iter().zip((0..).map(DeviceId)) {
        let crossing = flows.iter().filter(|((from, to), _)| {
            topology.crossings(zone(from), zone(to)).iter().any(|crossing| crossing.device == place)
        });
        let wanted = union_all(crossing.map(|(_, packets)| packets.clone()).collect::<Vec<_>>());
        let entries = device.pairs.iter().flat_map(|pair| &pair.entries);
        let allows = entries.filter(|entry| policy[entry.rule].effect == Effect::Allow);
        let allowed = union_all(allows.map(|entry| entry.packets.clone()).collect::<Vec<_>>());
        assert!(!wanted.is_empty(), "{}", device.device.name);
        assert!(allowed == wanted, "{} allows something else", device.device.name);
    }
}

#[test]
fn the_example_allows_none_of_the_34_flows_that_must_never_be() {
    let tables = Tables::read();
    let never = rows("never.csv");
    assert_eq!(never.len(), 34);
    let allowed = allowed(&policy(&hospital()));
    for row in never {
        let packets = tables.packets(&row);
        assert!(!packets.is_empty(), "{} says nothing", row["id"]);
        let open = packets.intersection(&allowed).boxes();
        assert!(open.is_empty(), "{} is open: {}", row["id"], open[0]);
    }
}

#[test]
fn each_of_the_34_flows_that_must_never_be_is_asserted_denied() {
    let tables = Tables::read();
    let policy = policy(&hospital());
    let denied = policy.assertions.iter().filter(|one| one.expectation == Expectation::Denied);
    let denied: Vec<PacketSet> =
        denied.map(|one| PacketSet::product(&one.from.addresses, &one.to.addresses, &one.services)).collect();
    for row in rows("never.csv") {
        let left = denied.iter().fold(tables.packets(&row), |left, denied| left.difference(denied)).boxes();
        assert!(left.is_empty(), "no assertion speaks of this part of {}: {}", row["id"], left[0]);
    }
}

#[test]
fn the_example_has_every_zone_host_class_and_expiry_of_the_tables() {
    let policy = policy(&hospital());
    let tables = Tables::read();
    assert_eq!(policy.zones.len(), 29);
    for zone in &policy.zones {
        assert_eq!(tables.places[&zone.name].1, zone.addresses, "{}", zone.name);
    }
    let (classes, peers): (Vec<_>, Vec<_>) = policy.endpoints.iter().partition(|endpoint| endpoint.is_class);
    assert_eq!((classes.len(), peers.len()), (22, 26), "and a class for what nobody knows");
    for peer in peers {
        let (zone, addresses) = &tables.places[&peer.name];
        assert_eq!((zone, addresses), (&policy[peer.zone].name, &peer.addresses), "{}", peer.name);
    }
    for row in rows("classes.csv") {
        let class = classes.iter().find(|class| class.name == row["class"]).unwrap();
        assert_eq!(policy[class.zone].name, row["zone"], "{}", row["class"]);
    }
    let ends: std::collections::BTreeSet<String> =
        policy.rules.iter().filter_map(|rule| Some(rule.about.until?.to_string())).collect();
    let wanted =
        rows("flows.csv").into_iter().map(|row| row["expires"].clone()).filter(|end| !end.is_empty());
    assert_eq!(ends, wanted.collect());
}

#[test]
fn query_gives_the_verdict_of_every_line_of_the_table() {
    let path = scenario("expected.csv");
    let directory = hospital().to_string_lossy().into_owned();
    let table = std::fs::read_to_string(path).unwrap();
    let answer = succeed(&["query", &directory, "--as-of", AS_OF, "--packets", "-"], &table);
    let mut reader = csv::Reader::from_reader(answer.as_bytes());
    let header = reader.headers().unwrap().clone();
    let verdicts: Vec<usize> = (0..header.len()).filter(|column| header[*column] == *"verdict").collect();
    let [wanted, given] = verdicts[..] else { panic!("{header:?}") };
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let wrong: Vec<&csv::StringRecord> = records.iter().filter(|row| row[wanted] != row[given]).collect();
    assert_eq!(records.len(), 1_961);
    assert!(wrong.is_empty(), "{} wrong, first {:?}", wrong.len(), wrong[0]);
    let unnamed = records.iter().filter(|row| &row[given] == "allow" && row[given + 1].is_empty()).count();
    assert_eq!(unnamed, 0, "an allowed packet has the rule that allows it");
}
