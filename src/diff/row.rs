//! Rows that people read: who may open connections to whom, over what and when, what is touched, and why it changed.

use serde::Serialize;

use super::cause::{Cause, Pair};
use super::change::{Difference, Origin};
use super::party::{Names, Party, Said};
use super::time::When;
use crate::ir::{Clock, Criticality, Endpoint, Phi, Policy, Risk, Rule, Side, Zone};
use crate::set::{
    AddressSet, FlowsOf, PacketSet, PerFamily, Point, Rectangle, ServiceSet, Set, Traffic, rectangles,
};

/// One difference in access.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    /// What has to be looked at first about it; nothing for most rows.
    pub marks: Vec<String>,
    /// Who may open connections.
    pub from: Vec<Party>,
    /// The same as the rule behind it says it, where that is exactly it.
    pub from_written: Option<String>,
    /// Who accepts them.
    pub to: Vec<Party>,
    /// The same as the rule behind it says it, where that is exactly it.
    pub to_written: Option<String>,
    /// The services by name, where names say it exactly.
    pub services: Option<String>,
    /// The protocols and ports.
    pub ports: String,
    /// `IPv4` or `IPv6` where it is one family only, though both sides have addresses of both.
    pub family: Option<&'static str>,
    /// During which hours, if not at all times.
    pub during: Option<String>,
    /// What the destinations have of protected health information.
    pub phi: Option<&'static str>,
    /// What the loss of the destinations would touch.
    pub criticality: Option<&'static str>,
    /// How exposed either side is.
    pub risk: Option<&'static str>,
    /// Why.
    pub cause: Cause,
    /// Exactly the packets.
    #[serde(skip)]
    pub packets: PacketSet,
    /// When they are open in one policy and not in the other.
    #[serde(skip)]
    pub when: When,
}

/// The rows of a difference. Packets of both families that read the same are one row.
pub(super) fn rows(difference: &Difference, pair: &Pair, names: &Names) -> Vec<Row> {
    let cause = pair.cause(difference);
    let shown = Shown { policy: pair.more.policy, names, origin: difference.origin, opens: pair.opens };
    let mut rows: Vec<Row> = Vec::new();
    let v4 = rectangles(&difference.packets.v4).into_iter().map(|one| sides(one, v4, v4, v4));
    let v6 = rectangles(&difference.packets.v6).into_iter().map(|one| sides(one, v6, v6, v6));
    for sides in v4.chain(v6) {
        let (from, to) = (names.parties(&sides.sources), names.parties(&sides.destinations));
        let (services, ports) = (shown.services(&sides.services), ports(&sides.services));
        let same = rows.iter_mut().find(|row| {
            let same_services = row.services == services && (services.is_some() || row.ports == ports);
            row.from == from && row.to == to && same_services
        });
        match same {
            Some(row) => {
                for part in ports.split("; ") {
                    if !row.ports.split("; ").any(|known| known == part) {
                        row.ports = format!("{}; {part}", row.ports);
                    }
                }
                row.packets = row.packets.union(&sides.packets);
            }
            None => rows.push(shown.row(sides, (from, to), services, ports, cause.clone(), &difference.when)),
        }
    }
    for row in &mut rows {
        row.family = names.only_family(row);
        row.during = difference.when.text(written_clock(difference, pair));
    }
    rows
}

/// The clock that the hours of a row are written in.
fn written_clock<'p>(difference: &Difference, pair: &Pair<'p>) -> Option<&'p Clock> {
    let Origin::Allow(index) = difference.origin else { return None };
    let rule = &pair.more.policy[index];
    let own = pair.more.policy.schedule_of(rule).map(|schedule| &schedule.clock);
    own.or_else(|| {
        let twin = pair.less.policy.rules.iter().find(|other| other.id == rule.id)?;
        pair.less.policy.schedule_of(twin).map(|schedule| &schedule.clock)
    })
}

/// A rectangle of packets of one family.
struct Sides {
    sources: AddressSet,
    destinations: AddressSet,
    services: ServiceSet,
    packets: PacketSet,
}

fn v4<A: Set, B: Set>(v4: A) -> PerFamily<A, B> {
    PerFamily { v4, v6: B::empty() }
}

fn v6<A: Set, B: Set>(v6: B) -> PerFamily<A, B> {
    PerFamily { v4: A::empty(), v6 }
}

fn sides<T: Point>(
    rectangle: Rectangle<T>,
    addresses: fn(crate::set::IntervalSet<T>) -> AddressSet,
    services: fn(Traffic) -> ServiceSet,
    packets: fn(FlowsOf<T>) -> PacketSet,
) -> Sides {
    let flows = rectangle.flows();
    let Rectangle { sources, destinations, traffic } = rectangle;
    Sides {
        sources: addresses(sources),
        destinations: addresses(destinations),
        services: services(traffic),
        packets: packets(flows),
    }
}

/// Protocols and ports in words.
fn ports(services: &ServiceSet) -> String {
    services.to_string()
}

/// What rows are shown by.
struct Shown<'p> {
    policy: &'p Policy,
    names: &'p Names<'p>,
    origin: Origin,
    opens: bool,
}

impl Shown<'_> {
    /// A side as the rule says it, if the addresses are all that it has in their family.
    fn written(&self, set: &AddressSet, side: fn(&Rule) -> &Side) -> Option<String> {
        let Origin::Allow(index) = self.origin else { return None };
        let side = side(&self.policy[index]);
        let own =
            if set.v6.is_empty() { v4(side.addresses.v4.clone()) } else { v6(side.addresses.v6.clone()) };
        (own == *set).then(|| side.text.clone())
    }

    /// The services by name: as the rule has them, or those that are wholly among them, if they are all of it.
    fn services(&self, services: &ServiceSet) -> Option<String> {
        let is_v4 = !services.v4.is_empty();
        let same = |set: &ServiceSet| if is_v4 { set.v4 == services.v4 } else { set.v6 == services.v6 };
        if same(&ServiceSet::full()) {
            return Some("any".to_owned());
        }
        if let Origin::Allow(index) = self.origin
            && same(&self.policy[index].services)
        {
            return Some(self.policy[index].via.clone());
        }
        if let Some(one) = self.policy.services.iter().find(|one| same(&one.set)) {
            return Some(one.name.clone());
        }
        let (mut left, mut found) = (services.clone(), Vec::new());
        for one in &self.policy.services {
            let own = if is_v4 { v4(one.set.v4.clone()) } else { v6(one.set.v6.clone()) };
            if !own.is_disjoint(&left) && own.is_subset(services) {
                left = left.difference(&own);
                found.push(one.name.as_str());
            }
        }
        left.is_empty().then(|| found.join(", "))
    }

    fn row(
        &self,
        sides: Sides,
        (from, to): (Vec<Party>, Vec<Party>),
        services: Option<String>,
        ports: String,
        cause: Cause,
        when: &When,
    ) -> Row {
        let (source, destination) = (self.names.said(&sides.sources), self.names.said(&sides.destinations));
        Row {
            marks: self.marks(&sides, source, destination),
            from,
            from_written: self.written(&sides.sources, |rule| &rule.from),
            to,
            to_written: self.written(&sides.destinations, |rule| &rule.to),
            services,
            ports,
            family: None,
            during: None,
            phi: destination.phi.map(Phi::word),
            criticality: destination.criticality.map(Criticality::word),
            risk: source.risk.max(destination.risk).map(Risk::word),
            cause,
            packets: sides.packets,
            when: when.clone(),
        }
    }

    /// What is opened to data, lives and the outside; and what is closed to lives, since care may depend on it.
    fn marks(&self, sides: &Sides, source: Said, destination: Said) -> Vec<String> {
        let mut marks = Vec::new();
        let mut mark = |what: &str, names: Vec<&str>| marks.push(format!("{what} {}", few(&names)));
        if self.opens && destination.phi == Some(Phi::Store) {
            let stores = |phi: Option<Phi>| phi == Some(Phi::Store);
            let of_endpoint = |one: &Endpoint, zone: &Zone| stores(one.phi.or(zone.phi));
            let names = self.names.of_whom(&sides.destinations, of_endpoint, |zone| stores(zone.phi));
            mark("to a store of PHI:", names);
        }
        if destination.criticality == Some(Criticality::Life) {
            let vital = |criticality: Option<Criticality>| criticality == Some(Criticality::Life);
            let of_endpoint = |one: &Endpoint, zone: &Zone| vital(one.criticality.or(zone.criticality));
            let names = self.names.of_whom(&sides.destinations, of_endpoint, |zone| vital(zone.criticality));
            mark("to what life depends on:", names);
        }
        let of_endpoint = |_: &Endpoint, zone: &Zone| zone.is_outside();
        if self.opens && source.outside {
            mark("from outside:", self.names.of_whom(&sides.sources, of_endpoint, Zone::is_outside));
        }
        if self.opens && destination.outside {
            mark("to the outside:", self.names.of_whom(&sides.destinations, of_endpoint, Zone::is_outside));
        }
        marks
    }
}

/// The first few of some names, and how many more there are.
pub(super) fn few(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 6;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| name.as_ref().to_owned()).collect();
    if names.len() > SHOWN {
        shown.push(format!("{} more", names.len() - SHOWN));
    }
    shown.join(", ")
}
