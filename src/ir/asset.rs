//! Assets: the devices that inventories know, and where each of them stands in the policy.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::civil::Date;

use super::{EndpointId, Phi, Policy, Risk, ZoneId, ZoneIndex};
use crate::set::{Interval, Point};
use crate::source::Span;

/// A MAC address (IEEE 802: 48 bits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A device as an inventory knows it. Texts are empty where the inventory does not say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asset {
    /// The inventory that it is from, by name.
    pub inventory: Arc<str>,
    /// What the inventory calls it; its first address where it has no name.
    pub name: Arc<str>,
    /// Its addresses, ascending, each once.
    pub addresses: Vec<IpAddr>,
    /// Its MAC addresses, ascending, each once.
    pub macs: Vec<Mac>,
    /// What kind of device it is.
    pub kind: Arc<str>,
    /// Who makes it.
    pub vendor: Arc<str>,
    /// Its model.
    pub model: Arc<str>,
    /// Its operating system.
    pub os: Arc<str>,
    /// Who answers for it.
    pub owner: Arc<str>,
    /// The zone that the inventory has it in, which need not be the one that its address lies in.
    pub zone: Arc<str>,
    /// How exposed it is.
    pub risk: Option<Risk>,
    /// What it has of protected health information.
    pub phi: Option<Phi>,
    /// The last day of the vendor's support.
    pub supported_until: Option<Date>,
    /// What the mapping of the inventory adds: names of columns with their values, by name.
    pub more: Vec<(Arc<str>, Arc<str>)>,
    /// Its row.
    pub span: Span,
}

impl Asset {
    /// True if its vendor no longer supports it on a day.
    pub fn is_past_support(&self, day: Date) -> bool {
        self.supported_until.is_some_and(|until| until < day)
    }
}

/// Where an asset stands: the zones and classes that its addresses lie in, each once, ascending.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Placement {
    /// The zones.
    pub zones: Vec<ZoneId>,
    /// Classes and peers.
    pub endpoints: Vec<EndpointId>,
}

/// Where each asset of a policy stands.
#[derive(Clone, Debug)]
pub struct Classification {
    placements: Vec<Placement>,
}

impl Classification {
    /// Looks up the addresses of all assets.
    pub fn new(policy: &Policy) -> Self {
        let (zones, endpoints) = (ZoneIndex::new(policy), EndpointIndex::new(policy));
        let place = |addresses: &[IpAddr]| {
            let mut placement = Placement::default();
            for address in addresses {
                placement.zones.extend(zones.zone_of(*address));
                placement.endpoints.extend(endpoints.holding(*address));
            }
            placement.zones.sort_unstable();
            placement.zones.dedup();
            placement.endpoints.sort_unstable();
            placement.endpoints.dedup();
            placement
        };
        let placements = policy.assets.iter().map(|asset| place(&asset.addresses)).collect();
        Classification { placements }
    }

    /// All assets with where they stand, in the order of [`Policy::assets`].
    pub fn of<'p>(&'p self, policy: &'p Policy) -> impl Iterator<Item = (&'p Asset, &'p Placement)> {
        policy.assets.iter().zip(&self.placements)
    }
}

/// Which classes and peers hold which addresses.
struct EndpointIndex {
    v4: Stretches<u32>,
    v6: Stretches<u128>,
}

impl EndpointIndex {
    fn new(policy: &Policy) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (id, endpoint) in policy.endpoints.iter().enumerate().map(|(id, one)| (EndpointId(id), one)) {
            v4.extend(endpoint.addresses.v4.intervals().map(|interval| (interval, id)));
            v6.extend(endpoint.addresses.v6.intervals().map(|interval| (interval, id)));
        }
        EndpointIndex { v4: Stretches::new(v4), v6: Stretches::new(v6) }
    }

    fn holding(&self, address: IpAddr) -> impl Iterator<Item = EndpointId> + '_ {
        let held = match address {
            IpAddr::V4(address) => self.v4.holding(address.to_bits()),
            IpAddr::V6(address) => self.v6.holding(address.to_bits()),
        };
        held.iter().copied()
    }
}

/// Intervals with owners, which may overlap, cut into disjoint stretches over which the owners do not change.
struct Stretches<T> {
    /// Ascending: where a stretch begins, and the owners from there to the next.
    starts: Vec<(T, Vec<EndpointId>)>,
}

impl<T: Point> Stretches<T> {
    fn new(owned: Vec<(Interval<T>, EndpointId)>) -> Self {
        let mut changes: Vec<(T, bool, EndpointId)> = Vec::new();
        for (interval, owner) in owned {
            changes.push((interval.first(), true, owner));
            changes.extend(interval.last().next().map(|beyond| (beyond, false, owner)));
        }
        changes.sort_unstable();
        let mut starts: Vec<(T, Vec<EndpointId>)> = Vec::new();
        let mut owners: Vec<EndpointId> = Vec::new();
        for at_once in changes.chunk_by(|(one, ..), (other, ..)| one == other) {
            for (_, begins, owner) in at_once {
                match begins {
                    true => owners.push(*owner),
                    // An owner's own intervals do not overlap, so it stands in the list once.
                    false => owners.retain(|held| held != owner),
                }
            }
            starts.extend(at_once.first().map(|(at, ..)| (*at, owners.clone())));
        }
        Stretches { starts }
    }

    fn holding(&self, value: T) -> &[EndpointId] {
        let beyond = self.starts.partition_point(|(start, _)| *start <= value);
        let stretch = beyond.checked_sub(1).and_then(|place| self.starts.get(place));
        stretch.map_or(&[], |(_, owners)| owners.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_of_overlapping_intervals_are_all_found() {
        let interval = |first, last| Interval::spanning(first, last);
        let (a, b) = (EndpointId(0), EndpointId(1));
        let index = Stretches::new(vec![
            (interval(10_u32, 20), a),
            (interval(15, 15), b),
            (interval(21, u32::MAX), b),
        ]);
        let held = |value| index.holding(value).to_vec();
        assert_eq!(held(9), []);
        assert_eq!(held(10), [a]);
        assert_eq!(held(15), [a, b]);
        assert_eq!(held(16), [a]);
        assert_eq!(held(20), [a]);
        assert_eq!(held(21), [b]);
        assert_eq!(held(u32::MAX), [b]);
    }
}
