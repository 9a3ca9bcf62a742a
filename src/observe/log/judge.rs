//! What the policy says of a packet that was logged, and whether the device did the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Because, Did, Entry};
use crate::ir::{Decider, Decision, Policy, ZoneId};
use crate::observe::{Compiled, Owner};
use crate::set::{ICMP, ICMPV6, Packet, has_ports, icmp_types, protocol_name};

/// How many names of addresses are kept, so that a flood of addresses does not fill the memory.
const MAX_NAMES: usize = 65_536;

/// How what a device did stands to the policy; those to look at first come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Agreement {
    /// It was denied, and the policy allows it.
    Closed,
    /// It was let in, and the policy denies it.
    Opened,
    /// It was denied, as the policy says.
    Denied,
    /// It was denied, and the policy allows it during a schedule only.
    Scheduled,
    /// It was denied, and looks like an answer in a connection that the policy allows and the device no longer knew.
    LateAnswer,
    /// It was dropped for something else than rules, or counted by a guard.
    Apart,
    /// It was let in, as the policy says.
    Accepted,
    /// It cannot be said what the policy says of it.
    Unjudged,
}

impl Agreement {
    /// All of them, in their order.
    pub const ALL: [Agreement; 8] = [
        Agreement::Closed,
        Agreement::Opened,
        Agreement::Denied,
        Agreement::Scheduled,
        Agreement::LateAnswer,
        Agreement::Apart,
        Agreement::Accepted,
        Agreement::Unjudged,
    ];

    /// True if the device does not do what the policy says.
    pub fn is_difference(self) -> bool {
        matches!(self, Agreement::Closed | Agreement::Opened)
    }

    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Agreement::Closed => "denied-but-allowed",
            Agreement::Opened => "accepted-but-denied",
            Agreement::Denied => "denied",
            Agreement::Scheduled => "denied-at-times",
            Agreement::LateAnswer => "late-answer",
            Agreement::Apart => "apart",
            Agreement::Accepted => "accepted",
            Agreement::Unjudged => "not-judged",
        }
    }
}

/// What is said of one line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Verdict {
    /// How device and policy stand to each other.
    pub agreement: Agreement,
    /// Why, in words of the policy.
    pub because: String,
    /// The statement of the policy that decides today, if one does.
    pub rule: Option<String>,
    /// Who sent it.
    pub from: String,
    /// For whom it was.
    pub to: String,
    /// Over what.
    pub service: String,
}

/// A policy made ready to judge many lines.
pub struct Judge<'p> {
    policy: &'p Policy,
    compiled: &'p BTreeMap<String, Compiled>,
    decider: Decider<'p>,
    names: RefCell<BTreeMap<IpAddr, String>>,
}

impl<'p> Judge<'p> {
    /// Prepares a policy, with what its enforcement points are to have.
    pub fn new(policy: &'p Policy, compiled: &'p BTreeMap<String, Compiled>) -> Self {
        Judge { policy, compiled, decider: Decider::new(policy), names: RefCell::default() }
    }

    /// The enforcement point that a host is, by the first part of its name, in whatever case.
    pub fn device(&self, host: &str) -> Option<&'p str> {
        let name = host.split('.').next().unwrap_or(host);
        let mut devices = self.policy.devices.iter().map(|device| device.name.as_str());
        devices.find(|device| device.eq_ignore_ascii_case(host) || device.eq_ignore_ascii_case(name))
    }

    /// Judges a line. Nothing if it was logged by rules that are not cordon's.
    pub fn judge(&self, entry: &Entry, device: Option<&str>) -> Option<Verdict> {
        let owner = self.owner(entry, device);
        if owner == Some(Why::Foreign) {
            return None;
        }
        let is_for_device = entry.is_for_device || self.speaks_of_device(owner.as_ref());
        let seen = &entry.seen;
        let packet = seen.packet();
        let (agreement, because, rule) = match (owner, packet) {
            (Some(Why::Apart(what)), _) => (Agreement::Apart, what, None),
            (_, None) => {
                (Agreement::Unjudged, "the line does not show its ports or message".to_owned(), None)
            }
            (_, Some(packet)) if is_for_device => self.for_device(entry, &packet, device),
            (logged, Some(packet)) => self.through(entry, &packet, logged),
        };
        let to = match is_for_device {
            true => format!("{} itself", device.unwrap_or("the firewall")),
            false => self.name(seen.destination),
        };
        let service = match (agreement, seen.ports) {
            // The port that it goes to is any, and would make a group of each answer.
            (Agreement::LateAnswer, Some((port, _))) => {
                format!("{} from port {port}", protocol_name(seen.protocol))
            }
            _ => service(seen.protocol, seen.ports),
        };
        Some(Verdict { agreement, because, rule, from: self.name(seen.source), to, service })
    }

    /// True if what a device names speaks of packets to itself: a `manage` statement, or what stands behind all of these.
    fn speaks_of_device(&self, owner: Option<&Why>) -> bool {
        match owner {
            Some(Why::Statement(id)) => self.policy.managements.iter().any(|one| one.id == *id),
            Some(Why::ToDevice) => true,
            Some(Why::Apart(_) | Why::Foreign) | None => false,
        }
    }

    /// Why the device did what it did, in words of the policy; nothing if it did so by default.
    fn owner(&self, entry: &Entry, device: Option<&str>) -> Option<Why> {
        let compiled =
            || self.compiled.iter().filter(move |(name, _)| device.is_none_or(|device| device == *name));
        match &entry.because {
            Because::Default | Because::List(_) => None,
            Because::Other(what) => Some(Why::Apart(what.clone().into_owned())),
            Because::Named(name) => {
                // Names are the same on all that do not shorten them, so any that knows it will do.
                let mut owners = compiled().map(|(_, compiled)| compiled.logged(name));
                let known = owners.find(|owner| matches!(owner, Owner::Statement(_)));
                let id = match known {
                    Some(Owner::Statement(id)) => id,
                    Some(Owner::Own | Owner::Ambiguous(_) | Owner::Unknown(_)) | None => {
                        name.clone().into_owned()
                    }
                };
                Some(match entry.did {
                    Did::Guarded => Why::Apart(format!("counted by guard `{id}`")),
                    Did::Accepted | Did::Denied => Why::Statement(id),
                })
            }
            Because::Tracker(tracker) => {
                let mut known =
                    compiled().filter_map(|(_, compiled)| Some((compiled, compiled.tracked(tracker)?)));
                Some(match known.next() {
                    Some((_, Owner::Statement(id))) => Why::Statement(id),
                    Some((_, Owner::Ambiguous(name))) => Why::Statement(name),
                    Some((compiled, Owner::Own | Owner::Unknown(_))) => match compiled.description(tracker) {
                        Some("foreign-source") => Why::Apart("the source does not belong there".to_owned()),
                        Some("to-firewall") => Why::ToDevice,
                        _ => return None,
                    },
                    None => Why::Foreign,
                })
            }
        }
    }

    /// A packet from one zone to another.
    fn through(
        &self,
        entry: &Entry,
        packet: &Packet,
        logged: Option<Why>,
    ) -> (Agreement, String, Option<String>) {
        let decision = self.decider.decide(packet);
        let rule = decision.rule().map(|rule| self.policy[rule].id.clone());
        let named = |what: &str| rule.as_ref().map_or_else(String::new, |rule| format!("{what} `{rule}`"));
        let logged = match logged {
            Some(Why::Statement(id)) if rule.as_ref() != Some(&id) => format!("; the log names `{id}`"),
            _ => String::new(),
        };
        let (agreement, because) = match (entry.did, decision) {
            (_, Decision::Local(zone)) => (Agreement::Unjudged, self.within(zone)),
            (Did::Accepted, Decision::Allowed(_)) => (Agreement::Accepted, named("allowed by")),
            (Did::Accepted, Decision::Scheduled(_)) => (Agreement::Accepted, named("allowed at times by")),
            (Did::Accepted, _) => (Agreement::Opened, self.denial(decision)),
            (Did::Denied | Did::Guarded, Decision::Allowed(_)) => (Agreement::Closed, named("allowed by")),
            (Did::Denied | Did::Guarded, Decision::Scheduled(_)) => {
                (Agreement::Scheduled, named("allowed at times by"))
            }
            (Did::Denied | Did::Guarded, _) => match self.answered(entry, packet) {
                Some(rule) => (Agreement::LateAnswer, format!("an answer to what `{rule}` allows")),
                None => (Agreement::Denied, self.denial(decision)),
            },
        };
        (agreement, because + &logged, rule)
    }

    fn within(&self, zone: ZoneId) -> String {
        format!("both ends lie in `{}`, of which the policy says nothing", self.policy[zone].name)
    }

    /// Why the policy denies a packet.
    fn denial(&self, decision: Decision) -> String {
        match decision {
            Decision::Forbidden(rule) => format!("forbidden by `{}`", self.policy[rule].id),
            Decision::Unzoned => "one of its addresses lies in no zone".to_owned(),
            Decision::Local(_) | Decision::Allowed(_) | Decision::Scheduled(_) | Decision::Unmentioned => {
                "no statement allows it".to_owned()
            }
        }
    }

    /// The rule that allows the connection that a segment would be an answer in.
    fn answered(&self, entry: &Entry, packet: &Packet) -> Option<String> {
        entry.seen.is_answer.then_some(())?;
        let asked = Packet {
            source: packet.destination,
            destination: packet.source,
            source_port: packet.destination_port,
            destination_port: packet.source_port,
            ..*packet
        };
        match self.decider.decide(&asked) {
            Decision::Allowed(rule) | Decision::Scheduled(rule) => Some(self.policy[rule].id.clone()),
            Decision::Local(_) | Decision::Forbidden(_) | Decision::Unmentioned | Decision::Unzoned => None,
        }
    }

    /// A packet to the device itself, which `manage` statements speak of.
    fn for_device(
        &self,
        entry: &Entry,
        packet: &Packet,
        device: Option<&str>,
    ) -> (Agreement, String, Option<String>) {
        let device = device.and_then(|name| self.policy.devices.iter().find(|device| device.name == name));
        let Some(device) = device else {
            let why = "it was for the firewall itself, and the line does not say which one";
            return (Agreement::Unjudged, why.to_owned(), None);
        };
        let allows = self.policy.managements.iter().find(|management| {
            management.applies_to(device)
                && management.from.addresses.contains(packet.source)
                && management.services.contains(packet)
        });
        let rule = allows.map(|management| management.id.clone());
        let (agreement, because) = match (entry.did, &rule) {
            (Did::Accepted, Some(rule)) => (Agreement::Accepted, format!("allowed by `{rule}`")),
            (Did::Accepted, None) => (Agreement::Opened, "no statement allows it".to_owned()),
            (Did::Denied | Did::Guarded, Some(rule)) => (Agreement::Closed, format!("allowed by `{rule}`")),
            (Did::Denied | Did::Guarded, None) => (Agreement::Denied, "no statement allows it".to_owned()),
        };
        (agreement, because, rule)
    }

    /// Who an address is: its classes and peers, and its zone.
    fn name(&self, address: IpAddr) -> String {
        if let Some(name) = self.names.borrow().get(&address) {
            return name.clone();
        }
        let name = match self.decider.zone_of(address) {
            None => "an address in no zone".to_owned(),
            Some(zone) => {
                let holds = |one: &&crate::ir::Endpoint| one.zone == zone && one.addresses.contains(address);
                let endpoints = self.policy.endpoints.iter().filter(holds);
                let names: Vec<&str> = endpoints.map(|one| one.name.as_str()).collect();
                let zone = &self.policy[zone].name;
                if names.is_empty() { zone.clone() } else { format!("{} in {zone}", names.join(", ")) }
            }
        };
        let mut names = self.names.borrow_mut();
        if names.len() >= MAX_NAMES {
            names.clear();
        }
        names.insert(address, name.clone());
        name
    }
}

/// Why a device did what it did.
#[derive(PartialEq, Eq)]
enum Why {
    Statement(String),
    Apart(String),
    ToDevice,
    Foreign,
}

/// A service in words: `tcp 104`, `icmp echo-request`, `protocol 47`.
fn service(protocol: u8, ports: Option<(u16, u16)>) -> String {
    let name = protocol_name(protocol);
    match (protocol, ports) {
        (ICMP | ICMPV6, Some((kind, code))) => {
            let known = icmp_types(protocol).iter().find(|(_, number)| u16::from(*number) == kind);
            match (known, code) {
                (Some((word, _)), 0) => format!("{name} {word}"),
                (Some((word, _)), code) => format!("{name} {word} code {code}"),
                (None, code) => format!("{name} type {kind} code {code}"),
            }
        }
        (protocol, Some((_, port))) if has_ports(protocol) => format!("{name} {port}"),
        (_, Some(_) | None) => name,
    }
}
