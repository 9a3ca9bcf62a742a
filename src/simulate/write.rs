//! A suggestion as the text of a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::Date;

use super::merge::Allow;
use super::suggest::{End, HeldBack, Port};
use super::tally::Total;
use crate::format::format;
use crate::ir::{Policy, Service};
use crate::set::{
    AddressSet, ICMP, ICMPV6, Interval, IntervalSet, ServiceSet, Set, has_ports, icmp_types, protocol_name,
    union_all,
};
use crate::source::Sources;
use crate::syntax::MAX_NAME_BYTES;
use crate::syntax::ast::{File, Statement};

/// What a policy requires of new statements, as text that stands there until somebody puts in what is true.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Placeholders {
    allow: String,
    peer: String,
}

/// How many days a statement holds where the policy requires an end.
const DAYS: i64 = 90;

impl Placeholders {
    /// Reads what the `require` statements of a policy ask for; an end is so many days after `as_of`.
    pub fn new(files: &[File], as_of: Date) -> Self {
        let mut required: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for statement in files.iter().flat_map(|file| &file.statements) {
            if let Statement::Require(require) = statement {
                for kind in &require.kinds {
                    let own = required.entry(kind.node.as_str()).or_default();
                    own.extend(require.attributes.iter().map(|attribute| attribute.node.as_str()));
                }
            }
        }
        let end = as_of.saturating_add(DAYS.days());
        let text = |kind: &str, given: &str| -> String {
            let own = required.get(kind).into_iter().flatten().filter(|attribute| **attribute != given);
            own.map(|attribute| match *attribute {
                "until" => format!(" until {end}"),
                attribute => format!(" {attribute} \"to be filled in\""),
            })
            .collect()
        };
        Placeholders { allow: text("allow", "reason"), peer: text("peer", "") }
    }
}

const HEAD: &str = "\
# What recorded flows needed and no rule allows, as `cordon simulate --suggest` found it. That something was seen does not
# mean that it should be: read each statement, and put in who answers for it, before it becomes policy.
";

/// Writes a file of a policy.
pub(super) fn written(
    policy: &Policy,
    allows: &[Allow],
    held: &[HeldBack],
    placeholders: &Placeholders,
) -> String {
    let mut text = HEAD.to_owned();
    let peers = peers(policy, allows);
    // Writing into a string cannot fail.
    for (end, name) in &peers {
        if let End::Hosts(zone, hosts) = end {
            let hosts: Vec<String> = hosts.iter().map(std::net::IpAddr::to_string).collect();
            let (zone, hosts) = (&policy[*zone].name, hosts.join(", "));
            let _ = write!(text, "\npeer {name} in {zone} {{ host {hosts}{} }}\n", placeholders.peer);
        }
    }
    for allow in allows {
        let (from, to) = (side(policy, &peers, &allow.from), side(policy, &peers, &allow.to));
        let (via, reason) = (via(policy, &allow.ports), reason(&allow.total));
        let _ = write!(
            text,
            "\nallow {{ from {from} to {to} via {via} reason \"{reason}\"{} }}\n",
            placeholders.allow
        );
    }
    let mut sources = Sources::default();
    let file = sources.add("suggestion.cordon".to_owned(), text.clone()).ok();
    let mut text = file.and_then(|file| format(file).ok()).unwrap_or(text);
    if !held.is_empty() {
        text += "\n# Blocked too, and not suggested:\n";
    }
    for HeldBack { from, to, service, because, flows } in held {
        let _ = writeln!(text, "#   {from} -> {to}, {service}, {}: {because}", times(*flows));
    }
    text
}

fn times(number: u64) -> String {
    if number == 1 { "seen once".to_owned() } else { format!("seen {number} times") }
}

fn reason(total: &Total) -> String {
    let seen = times(total.flows);
    match total.first.zip(total.last) {
        Some((first, last)) => format!("{seen} from {first} to {last}"),
        None => seen,
    }
}

/// A name for each set of hosts that has none.
fn peers(policy: &Policy, allows: &[Allow]) -> BTreeMap<End, String> {
    let zones = policy.zones.iter().map(|zone| &zone.name);
    let endpoints = policy.endpoints.iter().map(|endpoint| &endpoint.name);
    let groups = policy.groups.iter().map(|group| &group.name);
    let mut taken: BTreeSet<String> = zones.chain(endpoints).chain(groups).cloned().collect();
    let ends: BTreeSet<&End> = allows.iter().flat_map(|allow| allow.from.iter().chain(&allow.to)).collect();
    let mut peers = BTreeMap::new();
    for end in ends {
        let End::Hosts(zone, _) = end else { continue };
        let zone = &policy[*zone].name;
        let name = (1_usize..).map(|number| numbered(zone, number)).find(|name| !taken.contains(name));
        let name = name.unwrap_or_default();
        taken.insert(name.clone());
        peers.insert(end.clone(), name);
    }
    peers
}

/// `seen-ZONE`, then `seen-ZONE-2` and so on, cut to the length that a name may have.
fn numbered(zone: &str, number: usize) -> String {
    let suffix = if number == 1 { String::new() } else { format!("-{number}") };
    let mut name = format!("seen-{zone}");
    name.truncate(MAX_NAME_BYTES - suffix.len());
    name + &suffix
}

/// One side of a statement: the group that is just these, or their names.
fn side(policy: &Policy, peers: &BTreeMap<End, String>, ends: &BTreeSet<End>) -> String {
    if ends.len() > 1 {
        let all: AddressSet = union_all(ends.iter().map(|end| end.addresses(policy)));
        if let Some(group) = policy.groups.iter().find(|group| group.addresses == all) {
            return group.name.clone();
        }
    }
    let name = |end: &End| match end {
        End::Named(endpoint) => policy[*endpoint].name.clone(),
        End::Hosts(..) => peers.get(end).cloned().unwrap_or_default(),
    };
    let names: BTreeSet<String> = ends.iter().map(name).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// What a port means as a service.
pub(super) fn port_set(port: Port) -> ServiceSet {
    let [message_type, _] = port.number.to_be_bytes();
    match port.protocol {
        ICMP | ICMPV6 => ServiceSet::icmp(port.protocol, message_type, None),
        number if has_ports(number) => {
            let only = IntervalSet::from_interval(Interval::single(port.number), true);
            ServiceSet::ports(number, &IntervalSet::full(), &only)
        }
        number => ServiceSet::protocol(number),
    }
}

/// Services of the policy that hold nothing but what was seen, those that hold most of it first; then what is left.
fn via(policy: &Policy, ports: &[Port]) -> String {
    let all = union_all(ports.iter().map(|port| port_set(*port)));
    let mut fitting: Vec<&Service> =
        policy.services.iter().filter(|one| !one.set.is_empty() && one.set.is_subset(&all)).collect();
    let held =
        |service: &Service| ports.iter().filter(|port| port_set(**port).is_subset(&service.set)).count();
    fitting.sort_by_cached_key(|service| (std::cmp::Reverse(held(service)), &service.name));
    let mut left = all;
    let mut items = Vec::new();
    for service in fitting {
        if !service.set.is_disjoint(&left) && held(service) > 0 {
            left = left.difference(&service.set);
            items.push(service.name.clone());
        }
    }
    items.sort();
    let mut unnamed: BTreeMap<u8, Vec<Port>> = BTreeMap::new();
    for port in ports.iter().filter(|port| !port_set(**port).is_disjoint(&left)) {
        unnamed.entry(port.protocol).or_default().push(*port);
    }
    items.extend(unnamed.iter().map(|(protocol, ports)| in_words(*protocol, ports)));
    items.join(", ")
}

fn in_words(protocol: u8, ports: &[Port]) -> String {
    let name = protocol_name(protocol);
    match protocol {
        ICMP | ICMPV6 => {
            let types: BTreeSet<u8> = ports.iter().map(|port| port.number.to_be_bytes()[0]).collect();
            let known = icmp_types(protocol).iter().filter(|(_, number)| types.contains(number));
            known.map(|(message, _)| format!("{name} {message}")).collect::<Vec<_>>().join(", ")
        }
        number if has_ports(number) => {
            let set: IntervalSet<u16> = ports.iter().map(|port| Interval::single(port.number)).collect();
            let runs = set.intervals().map(|run| match run.is_single() {
                true => run.first().to_string(),
                false => format!("{}-{}", run.first(), run.last()),
            });
            format!("{name} {}", runs.collect::<Vec<_>>().join(", "))
        }
        number if name == number.to_string() => format!("protocol {number}"),
        _ => name,
    }
}
