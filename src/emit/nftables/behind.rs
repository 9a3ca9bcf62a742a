//! Which addresses lie behind an interface, and how to test for it.
//!
//! A packet whose source does not lie behind the interface that it arrives on is dropped before anything else. So where
//! an element speaks of all the sources behind an interface, it may as well speak of all sources that there are; that
//! is shorter wherever the addresses are many ranges, as those of a rest zone are. Destinations get the same check, in
//! the chains of pairs where an element was shortened by them.

use serde::Serialize;

use super::element::Family;
use crate::set::{AddressRange, AddressSet, Set};

/// A named set of addresses.
#[derive(Debug, Serialize)]
pub(super) struct NamedSet {
    name: String,
    field: &'static str,
    elements: Vec<String>,
}

impl NamedSet {
    pub(super) fn new(name: String, field: &'static str, elements: Vec<String>) -> Self {
        NamedSet { name, field, elements }
    }

    /// What matches packets that are in it.
    pub(super) fn test(&self) -> String {
        format!("{} @{}", self.field, self.name)
    }

    /// What matches packets to the addresses of a set of sources.
    pub(super) fn test_of_destination(&self) -> String {
        format!("{} @{}", self.field.replace("saddr", "daddr"), self.name)
    }
}

/// The addresses behind an interface.
pub(super) struct Behind {
    families: Vec<BehindFamily>,
}

/// The addresses of one family behind an interface.
struct BehindFamily {
    family: Family,
    /// What follows the address field to match addresses that are *not* behind the interface.
    foreign: Foreign,
    /// The set that the test refers to, if it needs one.
    set: Option<NamedSet>,
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
    /// `role` tells sets apart that belong to one interface.
    pub(super) fn new(role: &str, interface: &str, addresses: &AddressSet) -> Self {
        let foreign = AddressSet::full().difference(addresses);
        let families = [Family::V4, Family::V6].map(|family| {
            BehindFamily::new(
                &format!("{role}/{interface}"),
                family,
                &ranges(addresses, family),
                &ranges(&foreign, family),
            )
        });
        Behind { families: families.into() }
    }

    /// Tests that match each packet whose address is not behind the interface.
    pub(super) fn foreign_tests(&self, side: Side) -> impl Iterator<Item = String> {
        self.families.iter().filter_map(move |family| family.test(side))
    }

    /// The sets that the tests refer to.
    pub(super) fn into_sets(self) -> Vec<NamedSet> {
        self.families.into_iter().filter_map(|family| family.set).collect()
    }
}

impl BehindFamily {
    fn new(place: &str, family: Family, own: &[String], foreign: &[String]) -> Self {
        let name = format!("{place}/{}", family.suffix());
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
                let set = NamedSet::new(name, family.fields(false), elements.to_vec());
                (Foreign::Matching(test), Some(set))
            }
        };
        BehindFamily { family, foreign, set }
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
