//! The sets of `sets.ipset`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::address::Family;
use super::traffic::PortRange;

/// The most members that a set may have, in every set the same, so that a change of a rule does not move the line that
/// creates its set. It costs nothing: sets start small and grow as they fill.
const MAX_MEMBERS: usize = 1 << 20;

/// A set with more members than it may have.
const TOO_LARGE: &str = "a set has more than 1,048,576 members";

/// Two sets of the same name that hold different members.
const TWICE: &str = "two sets have the same name";

/// The types of sets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum SetType {
    /// A host, a port of the destination, and a prefix.
    HostPortNet,
    /// A prefix and a port of the destination.
    NetPort,
    /// A prefix.
    Net,
    /// A host, for a time. Rules put it in.
    Timed,
}

/// A member of a set, sorted by the rule that it belongs to, and then by what it says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Element {
    rule: String,
    host: Option<IpAddr>,
    net: IpNet,
    ports: Option<PortRange>,
}

/// All sets, by name.
#[derive(Debug, Default)]
pub(super) struct Sets {
    sets: BTreeMap<String, (SetType, Family, Vec<Element>)>,
}

/// A set, ready to be laid out.
#[derive(Debug, Serialize)]
pub(super) struct SetView {
    name: String,
    kind: &'static str,
    family: &'static str,
    /// True if members stay for a time only.
    timed: bool,
    elements: Vec<ElementView>,
}

#[derive(Debug, Serialize)]
struct ElementView {
    entry: String,
    rule: String,
}

impl Element {
    /// Ports at a prefix and, where it is given, a host.
    pub(super) fn new(rule: &str, host: Option<IpAddr>, net: IpNet, ports: PortRange) -> Self {
        Element { rule: rule.to_owned(), host, net, ports: Some(ports) }
    }

    /// A prefix, which belongs to no rule alone.
    pub(super) fn net(net: IpNet) -> Self {
        Element { rule: String::new(), host: None, net, ports: None }
    }

    fn view(self) -> ElementView {
        let ports = self.ports.map(PortRange::element);
        let parts = match self.host {
            Some(host) => [Some(host.to_string()), ports, Some(self.net.to_string())],
            None => [Some(self.net.to_string()), ports, None],
        };
        let entry = parts.into_iter().flatten().collect::<Vec<_>>().join(",");
        ElementView { entry, rule: self.rule }
    }
}

impl Sets {
    /// Adds elements to a set.
    pub(super) fn add(&mut self, name: &str, kind: SetType, family: Family, elements: Vec<Element>) {
        let set = self.sets.entry(name.to_owned()).or_insert_with(|| (kind, family, Vec::new()));
        set.2.extend(elements);
    }

    /// Adds a set of prefixes, which may be there already.
    pub(super) fn add_nets(
        &mut self,
        name: &str,
        family: Family,
        nets: &[IpNet],
    ) -> Result<(), &'static str> {
        let elements: Vec<Element> = nets.iter().map(|net| Element::net(*net)).collect();
        match self.sets.insert(name.to_owned(), (SetType::Net, family, elements.clone())) {
            Some((_, _, other)) if other != elements => Err(TWICE),
            Some(_) | None => Ok(()),
        }
    }

    /// The sets in the order of their names.
    pub(super) fn into_views(self) -> Result<Vec<SetView>, &'static str> {
        self.sets
            .into_iter()
            .map(|(name, (kind, family, elements))| view(name, kind, family, elements))
            .collect()
    }
}

fn view(
    name: String,
    kind: SetType,
    family: Family,
    mut elements: Vec<Element>,
) -> Result<SetView, &'static str> {
    elements.sort();
    let members: usize = elements.iter().map(|element| element.ports.map_or(1, PortRange::count)).sum();
    if members > MAX_MEMBERS {
        return Err(TOO_LARGE);
    }
    Ok(SetView {
        name,
        kind: match kind {
            SetType::HostPortNet => "hash:ip,port,net",
            SetType::NetPort => "hash:net,port",
            SetType::Net => "hash:net",
            SetType::Timed => "hash:ip",
        },
        timed: kind == SetType::Timed,
        family: match family {
            Family::V4 => "inet",
            Family::V6 => "inet6",
        },
        elements: elements.into_iter().map(Element::view).collect(),
    })
}
