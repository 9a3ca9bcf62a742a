//! An enforcement point with its files, what an independent judge says of them, and where the proof leaves room.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use cordon::diag::Diagnostics;
use cordon::emit::emit;
use cordon::ir::{Decider, DeviceId, Policy, Topology, ZoneId};
use cordon::plan::plan;
use cordon::prove::{ConfigFile, Verdict, prove};
use cordon::read::{Family, Model, Reading, iptables, nftables};

use super::cisco::Switch;
use super::model;
use super::mutate::{CISCO, IPTABLES, NFTABLES, PFSENSE, Words};
use super::packet::{Packet, Source, TCP, edges};
use super::pfsense::Rules;
use crate::support::{copy_policy, hospital, policy};

/// The files of an enforcement point: names and texts.
pub(super) type Files = Vec<(String, String)>;

/// One enforcement point.
pub(super) struct Site {
    pub(super) policy: Policy,
    pub(super) device: DeviceId,
    pub(super) files: Files,
}

/// The files that are changed, by target.
const FILES: [(&str, &[&str], Words); 4] = [
    ("nftables", &["ruleset.nft"], NFTABLES),
    ("iptables", &["rules.v4", "rules.v6", "sets.ipset"], IPTABLES),
    ("cisco-ios", &["acl.cfg"], CISCO),
    ("pfsense", &["filter.xml", "aliases.xml"], PFSENSE),
];

impl Site {
    /// A firewall or switch of a policy, after changes of its text.
    pub(super) fn compiled(directory: &Path, changes: &[(&str, &str)], name: &str) -> Self {
        let copy = tempfile::tempdir().unwrap();
        copy_policy(directory, copy.path(), |_, text| {
            Some(changes.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new)))
        });
        let policy = policy(copy.path());
        let made = emit(&plan(&policy), &mut Diagnostics::default());
        Site::new(policy, name, |file| {
            let path = format!("{name}/{file}");
            made.iter().find(|made| made.path == path).map(|made| made.content.clone())
        })
    }

    /// An enforcement point of the main example, with its committed files.
    pub(super) fn committed(name: &str) -> Self {
        let build = hospital().join("build").join(name);
        Site::new(policy(&hospital()), name, |file| std::fs::read_to_string(build.join(file)).ok())
    }

    fn new(policy: Policy, name: &str, read: impl Fn(&str) -> Option<String>) -> Self {
        let device = DeviceId(policy.devices.iter().position(|device| device.name == name).unwrap());
        let target = &policy[device].target;
        let (_, names, _) = FILES.iter().find(|(known, ..)| known == target).unwrap();
        let files = names.iter().filter_map(|file| Some(((*file).to_owned(), read(file)?))).collect();
        Site { policy, device, files }
    }

    pub(super) fn target(&self) -> &str {
        &self.policy[self.device].target
    }

    pub(super) fn words(&self) -> Words {
        FILES.iter().find(|(target, ..)| *target == self.target()).unwrap().2
    }

    pub(super) fn interfaces(&self) -> Vec<String> {
        self.policy[self.device].interfaces.iter().map(|interface| interface.name.clone()).collect()
    }

    pub(super) fn prove(&self, files: &Files) -> Verdict {
        let files: Vec<ConfigFile> = files.iter().map(|(name, text)| ConfigFile { name, text }).collect();
        prove(&self.policy, self.device, &files)
    }

    /// What judges files without the proof, if it can.
    pub(super) fn judge(&self, files: &Files) -> Option<Judge> {
        let text = |name: &str| files.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text);
        let models = |readings: Vec<Reading>| {
            Judge::Model(readings.into_iter().map(|reading| reading.model).collect())
        };
        match self.target() {
            "nftables" => Some(models(vec![nftables::read(text("ruleset.nft"))])),
            "iptables" => {
                let families = [("rules.v4", Family::V4), ("rules.v6", Family::V6)];
                let read = |(name, family)| iptables::read(text(name), text("sets.ipset"), family);
                Some(models(families.map(read).into()))
            }
            "cisco-ios" => Switch::read(text("acl.cfg")).map(Judge::Switch),
            "pfsense" => Rules::read(text("filter.xml"), text("aliases.xml")).map(Judge::Rules),
            other => panic!("{other}"),
        }
    }

    pub(super) fn room(&self) -> Room<'_> {
        let topology = Topology::new(&self.policy);
        let arrivals = topology.arrivals();
        let names = self.interfaces();
        let arrivals: Vec<(ZoneId, String)> = arrivals
            .into_iter()
            .filter(|((device, _), _)| *device == self.device)
            .flat_map(|((_, interface), zones)| zones.into_iter().map(move |zone| (zone, interface)))
            .map(|(zone, interface)| (zone, names[interface.0].clone()))
            .collect();
        let decider = Decider::new(&self.policy);
        let bases = edges(&self.policy);
        let pairs = bases.iter().filter(|packet| decider.decide(packet).verdict() == "allow");
        let pairs = pairs.filter_map(|packet| {
            Some((decider.zone_of(packet.source)?, decider.zone_of(packet.destination)?))
        });
        let connected = pairs.flat_map(|(from, to)| [(from, to), (to, from)]).collect();
        let zones = Decider::new(&self.policy);
        let behind = move |address: IpAddr| {
            let zone = zones.zone_of(address)?;
            arrivals.iter().find(|(known, _)| *known == zone).map(|(_, name)| name.clone())
        };
        let mut interfaces = names;
        let stateful = self.target() != "cisco-ios";
        if self.target().ends_with("tables") {
            interfaces.push("another".to_owned());
        }
        let source = Source { decider, bases, interfaces, behind: Box::new(behind), stateful };
        Room { site: self, topology, connected, source }
    }
}

/// What says whether a packet passes.
pub(super) enum Judge {
    Model(Vec<Model>),
    Switch(Switch),
    Rules(Rules),
}

impl Judge {
    /// Whether a packet passes if conditions that have no name hold, and if not. Nothing if that is not known.
    pub(super) fn passes(&self, packet: &Packet) -> Option<[bool; 2]> {
        match self {
            // Whether a guard has counted too many is not asked of it.
            Judge::Model(_) if packet.state == "too many" => None,
            Judge::Model(models) => Some([true, false].map(|opaque| model::passes(models, packet, opaque))),
            Judge::Switch(switch) => Some([switch.passes(packet); 2]),
            Judge::Rules(rules) => rules.passes(packet).map(|passes| [passes; 2]),
        }
    }

    /// True if two judges cannot differ, since they are the same.
    pub(super) fn is_same(&self, other: &Judge) -> bool {
        match (self, other) {
            (Judge::Model(one), Judge::Model(other)) => {
                model::plain(one.clone()) == model::plain(other.clone())
            }
            _ => false,
        }
    }
}

/// What a policy says of an enforcement point, and what it leaves open.
pub(super) struct Room<'s> {
    site: &'s Site,
    topology: Topology,
    connected: BTreeSet<(ZoneId, ZoneId)>,
    pub(super) source: Source<'s>,
}

impl Room<'_> {
    fn zones(&self, packet: &Packet) -> Option<(ZoneId, ZoneId)> {
        let decider = &self.source.decider;
        Some((decider.zone_of(packet.source)?, decider.zone_of(packet.destination)?))
    }

    /// True if a packet between its zones takes its interfaces.
    pub(super) fn crosses(&self, packet: &Packet) -> bool {
        let Some((from, to)) = self.zones(packet) else { return false };
        let device = &self.site.policy[self.site.device];
        self.topology.crossings(from, to).iter().any(|crossing| {
            crossing.device == self.site.device
                && device[crossing.from].name == packet.arrives
                && packet.leaves.as_ref() == Some(&device[crossing.to].name)
        })
    }

    fn is_connected(&self, packet: &Packet) -> bool {
        self.crosses(packet) && self.zones(packet).is_some_and(|pair| self.connected.contains(&pair))
    }

    /// True if neither the policy nor the protocols of connections say what is to become of a packet, so that a config
    /// may let it pass or not. `allowed` is whether the first packet of its connection passes.
    pub(super) fn is_open(&self, packet: &Packet, allowed: bool) -> bool {
        let for_many = match packet.destination {
            IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
            IpAddr::V6(address) => address.is_multicast(),
        };
        let on_link =
            packet.source.is_ipv6() && packet.message().is_some_and(|kind| (130..=143).contains(&kind));
        let through = packet.leaves.is_some();
        match packet.state {
            "any" => self.is_open_to_switch(packet, for_many || on_link),
            _ if !through && (for_many || on_link) => true,
            "new" => !packet.opens() && allowed,
            "established" if through => !self.is_connected(packet),
            "established" => !allowed,
            "related" if packet.is_error() => !(through && self.is_connected(packet)),
            _ => allowed,
        }
    }

    /// The same for a platform without states, which lets links work and owes errors to connections only.
    fn is_open_to_switch(&self, packet: &Packet, of_link: bool) -> bool {
        let link_local = matches!(packet.source, IpAddr::V6(address) if address.is_unicast_link_local());
        let routing = [88, 89].contains(&packet.protocol);
        if of_link || link_local || routing {
            return true;
        }
        if packet.leaves.is_none() {
            let login = packet.protocol == TCP && [22, 23].contains(&packet.destination_port);
            let managements = self.site.policy.managements.iter();
            let device = &self.site.policy[self.site.device];
            let managed = managements.filter(|statement| statement.applies_to(device)).any(|statement| {
                statement
                    .from
                    .addresses
                    .ranges()
                    .any(|range| range.first() <= packet.source && packet.source <= range.last())
            });
            return !login && !managed;
        }
        packet.is_error() && !self.is_connected(packet)
    }

    /// True if the policy allows a packet on its way, as the first one of a connection.
    pub(super) fn allows(&self, packet: &Packet) -> bool {
        self.crosses(packet) && self.source.allows(packet)
    }
}
