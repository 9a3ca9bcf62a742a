//! Which addresses lie behind an interface, and how to test for it.
//!
//! A packet whose source does not lie behind the interface that it arrives on is dropped before anything else. So where
//! an element speaks of all the sources behind an interface, it may as well speak of all sources that there are; that
//! is shorter wherever the addresses are many ranges, as those of a rest zone are. Destinations get the same check, in
//! the chains of pairs that lead to such an interface.

use serde::Serialize;

use super::element::Family;
use crate::set::{AddressRange, AddressSet, FlowsOf, IntervalSet, PacketSet, Point, Set};

/// A named set of addresses.
#[derive(Debug, Serialize)]
pub(super) struct NamedSet {
    name: String,
    field: &'static str,
    elements: Vec<String>,
}

/// The addresses behind an interface.
pub(super) struct Behind {
    pub(super) families: Vec<BehindFamily>,
}

/// The addresses of one family behind an interface.
pub(super) struct BehindFamily {
    family: Family,
    /// What follows the address field to match addresses that are *not* behind the interface.
    foreign: Foreign,
    /// The set that the test refers to, if it needs one.
    pub(super) set: Option<NamedSet>,
    scattered: bool,
}

/// How to match addresses that are not behind an interface.
enum Foreign {
    /// There are none.
    Nothing,
    /// All of the family.
    Everything,
    /// Those that match this, written behind the address field.
    Matching(String),
}

/// Which address of a packet is tested.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Source,
    Destination,
}

impl Behind {
    pub(super) fn new(interface: &str, addresses: &AddressSet) -> Self {
        let foreign = AddressSet::full().difference(addresses);
        let families = [Family::V4, Family::V6].map(|family| {
            BehindFamily::new(interface, family, &ranges(addresses, family), &ranges(&foreign, family))
        });
        Behind { families: families.into() }
    }

    /// Tests that match each packet whose address is not behind the interface.
    pub(super) fn foreign_tests(&self, side: Side) -> impl Iterator<Item = String> {
        self.families.iter().filter_map(move |family| family.test(side))
    }

    /// The same tests, for the families in which elements were shortened.
    pub(super) fn scattered_tests(&self, side: Side) -> impl Iterator<Item = String> {
        self.families.iter().filter(|family| family.scattered).filter_map(move |family| family.test(side))
    }
}

impl BehindFamily {
    fn new(interface: &str, family: Family, own: &[String], foreign: &[String]) -> Self {
        let name = format!("behind/{interface}/{}", family.suffix());
        let (foreign, set) = match (own, foreign) {
            (_, []) => (Foreign::Nothing, None),
            ([], _) => (Foreign::Everything, None),
            ([range], _) => (Foreign::Matching(format!("!= {range}")), None),
            (_, [range]) => (Foreign::Matching(range.clone()), None),
            // INVARIANT: neither set is empty. A negated match on an empty set would match every packet.
            (own, foreign) => {
                let negate = own.len() <= foreign.len();
                let (elements, name, operator) =
                    if negate { (own, name, "!= ") } else { (foreign, format!("not-{name}"), "") };
                let test = format!("{operator}@{name}");
                let set = NamedSet { name, field: family.fields(false), elements: elements.to_vec() };
                (Foreign::Matching(test), Some(set))
            }
        };
        BehindFamily { family, foreign, set, scattered: own.len() > 1 }
    }

    fn test(&self, side: Side) -> Option<String> {
        let field = match (self.family, side) {
            (Family::V4, Side::Source) => "ip saddr",
            (Family::V4, Side::Destination) => "ip daddr",
            (Family::V6, Side::Source) => "ip6 saddr",
            (Family::V6, Side::Destination) => "ip6 daddr",
        };
        match (&self.foreign, self.family) {
            (Foreign::Nothing, _) => None,
            (Foreign::Everything, Family::V4) => Some("meta nfproto ipv4".to_owned()),
            (Foreign::Everything, Family::V6) => Some("meta nfproto ipv6".to_owned()),
            (Foreign::Matching(test), _) => Some(format!("{field} {test}")),
        }
    }
}

fn ranges(set: &AddressSet, family: Family) -> Vec<String> {
    let of_family =
        set.ranges().filter(|range| matches!(range, AddressRange::V4(_)) == (family == Family::V4));
    of_family.map(|range| range.to_string()).collect()
}

/// A set that is equal to `packets` for packets from `sources` to `destinations`, in fewer boxes where it can be.
pub(super) fn shortened(packets: &PacketSet, sources: &AddressSet, destinations: &AddressSet) -> PacketSet {
    PacketSet {
        v4: shortened_flows(&packets.v4, &sources.v4, &destinations.v4),
        v6: shortened_flows(&packets.v6, &sources.v6, &destinations.v6),
    }
}

fn shortened_flows<A: Point>(
    flows: &FlowsOf<A>,
    sources: &IntervalSet<A>,
    destinations: &IntervalSet<A>,
) -> FlowsOf<A> {
    let scattered = |set: &IntervalSet<A>| set.intervals().len() > 1;
    let shorter = flows.map_members(|to| {
        let uniform = if scattered(destinations) { to.uniform_over(destinations) } else { None };
        uniform.unwrap_or_else(|| to.clone())
    });
    let uniform = if scattered(sources) { shorter.uniform_over(sources) } else { None };
    uniform.unwrap_or(shorter)
}
