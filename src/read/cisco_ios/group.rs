//! Object groups: `object-group network` and `object-group service`.
//!
//! Members: Cisco IOS Security Command Reference, `object-group (IOS)`; Security Configuration Guide: Access Control
//! Lists, "Object Groups for ACLs". Groups are for IPv4 only.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::Family;
use super::address::{self, Interval};
use super::service::{self, ALL_PORTS, Ports, Protocol};
use super::words::{Fault, Words};

/// The most members that a group may have, with those of the groups in it.
const MAX_MEMBERS: usize = 1_000_000;

/// Protocols with ports, as a group or an entry names them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Service {
    /// The first and the last protocol.
    pub(super) protocol: (u8, u8),
    /// Source ports, or ICMP types.
    pub(super) source: Ports,
    /// Destination ports, or ICMP codes.
    pub(super) destination: Ports,
}

impl Service {
    /// All ports of some protocols.
    pub(super) fn of(protocol: (u8, u8)) -> Self {
        Service { protocol, source: ALL_PORTS, destination: ALL_PORTS }
    }

    /// True if it names ports, types or codes.
    pub(super) fn looks_at_transport(&self) -> bool {
        self.source != ALL_PORTS || self.destination != ALL_PORTS
    }
}

/// A member of a group.
#[derive(Clone, Debug)]
enum Member<'t, M> {
    These(Vec<M>),
    Group(&'t str),
}

/// A group.
#[derive(Clone, Debug)]
struct Group<'t, M> {
    /// The line that it starts in.
    line: usize,
    members: Vec<Member<'t, M>>,
}

/// The groups of one kind, by name.
#[derive(Clone, Debug)]
pub(super) struct Groups<'t, M> {
    groups: BTreeMap<&'t str, Group<'t, M>>,
}

impl<M> Default for Groups<'_, M> {
    fn default() -> Self {
        Groups { groups: BTreeMap::new() }
    }
}

impl<'t, M: Clone> Groups<'t, M> {
    /// Opens a group, new or known.
    pub(super) fn open(&mut self, name: &'t str, line: usize) {
        self.groups.entry(name).or_insert(Group { line, members: Vec::new() });
    }

    /// Removes a group.
    pub(super) fn remove(&mut self, name: &str) {
        self.groups.remove(name);
    }

    fn add(&mut self, name: &str, member: Member<'t, M>) {
        if let Some(group) = self.groups.get_mut(name) {
            group.members.push(member);
        }
    }

    /// A group that is used in a line, if it is there by then.
    pub(super) fn check(&self, name: &'t str, used_in: usize) -> Result<Members<'_, 't, M>, Fault> {
        match self.groups.get(name) {
            None => Err(format!("there is no object group `{name}` of the kind that is asked for")),
            Some(group) if group.line > used_in => {
                Err(format!("object group `{name}` is defined only in line {}", group.line))
            }
            Some(_) => Ok(Members { groups: self, name }),
        }
    }
}

/// A group that is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members<'g, 't, M> {
    groups: &'g Groups<'t, M>,
    name: &'t str,
}

impl<M: Clone> Members<'_, '_, M> {
    /// Its members, with those of the groups in it.
    pub(super) fn all(&self) -> Result<Vec<M>, Fault> {
        let mut found = Vec::new();
        let (mut seen, mut open) = (BTreeSet::from([self.name]), vec![self.name]);
        while let Some(next) = open.pop() {
            let Some(group) = self.groups.groups.get(next) else {
                return Err(format!("there is no object group `{next}` of the kind that is asked for"));
            };
            if group.members.is_empty() {
                return Err(format!(
                    "object group `{next}` is empty, which IOS does not allow for one in use"
                ));
            }
            for member in &group.members {
                match member {
                    Member::These(members) => found.extend(members.iter().cloned()),
                    Member::Group(inner) if seen.insert(inner) => open.push(inner),
                    Member::Group(_) => {}
                }
            }
            if found.len() > MAX_MEMBERS {
                return Err(format!("object group `{}` has more than {MAX_MEMBERS} members", self.name));
            }
        }
        Ok(found)
    }
}

/// Adds a member to a network group.
pub(super) fn network<'t>(
    groups: &mut Groups<'t, Interval>,
    name: &str,
    words: &mut Words<'_, 't>,
) -> Result<(), Fault> {
    let single = |word| address::address(word).map(|one| (u128::from(one), u128::from(one)));
    let these = match words.required("a member")? {
        "description" => return Ok(()),
        "any" => (0, Family::V4.last_address()),
        "host" => single(words.required("an address")?)?,
        "range" => {
            let (first, _) = single(words.required("an address")?)?;
            let (last, _) = single(words.required("an address")?)?;
            if first > last {
                return Err("the range ends before it begins".to_owned());
            }
            (first, last)
        }
        "group-object" => {
            let inner = words.required("the name of an object group")?;
            words.finish()?;
            groups.add(name, Member::Group(inner));
            return Ok(());
        }
        "network-object" => return Err("`network-object` is ASA; IOS has the network itself".to_owned()),
        word => match word.split_once('/') {
            Some((network, length)) => address::prefix(network, length)?,
            None => network_of(word, words)?,
        },
    };
    words.finish()?;
    groups.add(name, Member::These(vec![these]));
    Ok(())
}

/// A network, whose address has been taken: `10.0.0.0 255.0.0.0`, `10.0.0.0 /8`.
fn network_of(word: &str, words: &mut Words) -> Result<Interval, Fault> {
    if !address::is_dotted(word) {
        return Err(format!("`{word}` is no member of an object group of networks known here"));
    }
    let mask = words.required("a netmask")?;
    match mask.strip_prefix('/') {
        Some(length) => address::prefix(word, length),
        None => address::network(word, mask),
    }
}

/// Adds a member to a service group.
pub(super) fn service<'t>(
    groups: &mut Groups<'t, Service>,
    name: &str,
    words: &mut Words<'_, 't>,
) -> Result<(), Fault> {
    match words.peek() {
        Some("description") => return Ok(()),
        Some("group-object") => {
            words.next();
            let inner = words.required("the name of an object group")?;
            words.finish()?;
            groups.add(name, Member::Group(inner));
            return Ok(());
        }
        Some("service-object") => {
            return Err("`service-object` is ASA; IOS has the service itself".to_owned());
        }
        _ => {}
    }
    let services = if words.take("tcp-udp") {
        let mut both = transport(&mut words.clone(), 6)?;
        both.extend(transport(words, 17)?);
        both
    } else {
        match service::protocol(words, Family::V4)? {
            Protocol::All => vec![Service::of((0, u8::MAX))],
            Protocol::One(1) => vec![icmp(words)?],
            Protocol::One(number) => transport(words, number)?,
            Protocol::Group(_) | Protocol::Header(_) => {
                return Err("a group within a group is written `group-object`".to_owned());
            }
        }
    };
    words.finish()?;
    groups.add(name, Member::These(services));
    Ok(())
}

fn icmp(words: &mut Words) -> Result<Service, Fault> {
    let mut service = Service::of((1, 1));
    if let Some((kind, code)) = service::message(words, Family::V4)? {
        (service.source, service.destination) = (kind, code);
    }
    Ok(service)
}

/// The ports of a protocol: `source`, operator and port, then operator and port of the destination. `eq` can be left out.
fn transport(words: &mut Words, protocol: u8) -> Result<Vec<Service>, Fault> {
    let all = vec![ALL_PORTS];
    let source = match words.take("source") {
        true => side(words, protocol)?.ok_or_else(|| "`source` is followed by a port".to_owned())?,
        false => all.clone(),
    };
    let destination = side(words, protocol)?.unwrap_or(all);
    let pairs = source.iter().flat_map(|from| destination.iter().map(move |to| (*from, *to)));
    Ok(pairs
        .map(|(source, destination)| Service { protocol: (protocol, protocol), source, destination })
        .collect())
}

fn side(words: &mut Words, protocol: u8) -> Result<Option<Vec<Ports>>, Fault> {
    if let Some(intervals) = service::ports(words, Some(protocol))? {
        return Ok(Some(intervals));
    }
    let Some(port) = service::port(words, protocol) else { return Ok(None) };
    Ok(Some(vec![(port, port)]))
}
