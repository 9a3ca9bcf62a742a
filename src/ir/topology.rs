//! Paths: which enforcement points a packet from one zone to another crosses, and by which interfaces.
//!
//! A packet takes a lowest-cost path; where several cost the same it may take any of them, so all count, as do paths
//! over a link that is declared as backup. Since every enforcement point has the policy itself as its filter, a path too
//! many never opens more than the policy does. Not every simple path counts: in a network with two cores there are many
//! more of these than packets can take.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Link, Policy, ZoneId};

/// The place of an enforcement point in [`Policy::devices`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeviceId(pub usize);

/// The place of an interface in its device's list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InterfaceId(pub usize);

/// An enforcement point on a path, with the interfaces by which packets enter and leave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Crossing {
    /// The enforcement point.
    pub device: DeviceId,
    /// Where packets arrive.
    pub from: InterfaceId,
    /// Where they leave.
    pub to: InterfaceId,
}

/// One direction of a link between two enforcement points.
#[derive(Clone, Copy, Debug)]
struct Hop {
    from: DeviceId,
    leaves: InterfaceId,
    to: DeviceId,
    enters: InterfaceId,
    cost: u32,
    backup: bool,
}

/// How zones and enforcement points hang together.
#[derive(Clone, Debug)]
pub struct Topology {
    /// For each enforcement point, the links that leave it.
    hops: Vec<Vec<Hop>>,
    /// Where each zone is attached.
    attached: Vec<Vec<(DeviceId, InterfaceId)>>,
    /// For each zone, the cost from each enforcement point to the nearest one that the zone is attached to.
    distances: Vec<Vec<Option<u32>>>,
}

impl Topology {
    /// Reads the topology of a policy.
    pub fn new(policy: &Policy) -> Self {
        let mut topology = Topology {
            hops: hops(policy),
            attached: vec![Vec::new(); policy.zones.len()],
            distances: Vec::new(),
        };
        for (device, place) in policy.devices.iter().zip(0..) {
            for (interface, slot) in device.interfaces.iter().zip(0..) {
                for zone in &interface.zones {
                    if let Some(places) = topology.attached.get_mut(zone.0) {
                        places.push((DeviceId(place), InterfaceId(slot)));
                    }
                }
            }
        }
        topology.distances = topology
            .attached
            .iter()
            .map(|places| topology.distances_to(places.iter().map(|(device, _)| *device)))
            .collect();
        topology
    }

    /// Everything that a packet from one zone to another may cross, sorted. Nothing if no enforcement point lies
    /// between the two.
    pub fn crossings(&self, from: ZoneId, to: ZoneId) -> BTreeSet<Crossing> {
        let mut found = BTreeSet::new();
        for (device, interface) in self.attachments(from) {
            self.walk(device, interface, to, &mut found);
        }
        for hop in self.hops.iter().flatten().filter(|hop| hop.backup) {
            self.walk_over_backup(hop, from, to, &mut found);
        }
        found
    }

    /// The same, in the order in which a packet meets them: the farthest from its goal first.
    pub fn path(&self, from: ZoneId, to: ZoneId) -> Vec<Crossing> {
        let mut path: Vec<Crossing> = self.crossings(from, to).into_iter().collect();
        path.sort_by_key(|crossing| Reverse(self.distance(crossing.device, to)));
        path
    }

    /// For each interface, the zones from which packets may arrive on it: those behind it, near or far.
    pub fn arrivals(&self) -> BTreeMap<(DeviceId, InterfaceId), BTreeSet<ZoneId>> {
        let mut arrivals: BTreeMap<_, BTreeSet<ZoneId>> = BTreeMap::new();
        for device in (0..self.hops.len()).map(DeviceId) {
            let zones: Vec<(ZoneId, InterfaceId)> = self.zones_at(device).collect();
            for (zone, interface) in &zones {
                arrivals.entry((device, *interface)).or_default().insert(*zone);
            }
            let costs = self.distances_to([device]);
            for hop in self.hops.iter().flatten().filter(|hop| !hop.backup) {
                let (here, there) = (cost(&costs, hop.from), cost(&costs, hop.to));
                if here.is_some() && here.map(|here| here.saturating_add(hop.cost)) == there {
                    let behind = arrivals.entry((hop.to, hop.enters)).or_default();
                    behind.extend(zones.iter().map(|(zone, _)| *zone));
                }
            }
        }
        self.for_each_backup_path(|crossing, from, _| {
            arrivals.entry((crossing.device, crossing.from)).or_default().insert(from);
        });
        arrivals
    }

    /// For each interface, the zones to which packets may leave by it.
    pub fn departures(&self) -> BTreeMap<(DeviceId, InterfaceId), BTreeSet<ZoneId>> {
        let mut departures: BTreeMap<_, BTreeSet<ZoneId>> = BTreeMap::new();
        for zone in (0..self.attached.len()).map(ZoneId) {
            for place in self.attachments(zone) {
                departures.entry(place).or_default().insert(zone);
            }
            for hop in self.hops.iter().flatten().filter(|hop| !hop.backup) {
                let (here, there) = (self.distance(hop.from, zone), self.distance(hop.to, zone));
                if here.is_some() && here == there.map(|there| there.saturating_add(hop.cost)) {
                    departures.entry((hop.from, hop.leaves)).or_default().insert(zone);
                }
            }
        }
        self.for_each_backup_path(|crossing, _, to| {
            departures.entry((crossing.device, crossing.to)).or_default().insert(to);
        });
        departures
    }

    /// Where there are backups, a packet may come a longer way, so every pair of zones is walked.
    fn for_each_backup_path(&self, mut visit: impl FnMut(Crossing, ZoneId, ZoneId)) {
        if !self.hops.iter().flatten().any(|hop| hop.backup) {
            return;
        }
        let zones = || (0..self.attached.len()).map(ZoneId);
        for (from, to) in zones().flat_map(|from| zones().map(move |to| (from, to))).filter(|(a, b)| a != b) {
            for crossing in self.crossings(from, to) {
                visit(crossing, from, to);
            }
        }
    }

    fn attachments(&self, zone: ZoneId) -> impl Iterator<Item = (DeviceId, InterfaceId)> + '_ {
        self.attached.get(zone.0).into_iter().flatten().copied()
    }

    /// The zones that are attached to an enforcement point, each with its interface.
    fn zones_at(&self, device: DeviceId) -> impl Iterator<Item = (ZoneId, InterfaceId)> + '_ {
        let zones = (0..self.attached.len()).map(ZoneId);
        zones.flat_map(move |zone| {
            let here = self.attachments(zone).filter(move |(place, _)| *place == device);
            here.map(move |(_, interface)| (zone, interface))
        })
    }

    /// The cost from an enforcement point to the nearest one that a zone is attached to.
    fn distance(&self, device: DeviceId, zone: ZoneId) -> Option<u32> {
        cost(self.distances.get(zone.0)?, device)
    }

    /// The cost from each enforcement point to the nearest of `goals`, without backups (Dijkstra's algorithm).
    fn distances_to(&self, goals: impl IntoIterator<Item = DeviceId>) -> Vec<Option<u32>> {
        let mut costs: Vec<Option<u32>> = vec![None; self.hops.len()];
        let mut waiting: BTreeSet<(u32, DeviceId)> = goals.into_iter().map(|goal| (0, goal)).collect();
        while let Some((reached, device)) = waiting.pop_first() {
            let Some(slot) = costs.get_mut(device.0).filter(|slot| slot.is_none()) else { continue };
            *slot = Some(reached);
            // Links cost the same both ways, so the hops that leave stand for those that arrive.
            for hop in self.hops_from(device).filter(|hop| !hop.backup) {
                waiting.insert((reached.saturating_add(hop.cost), hop.to));
            }
        }
        costs
    }

    fn hops_from(&self, device: DeviceId) -> impl Iterator<Item = &Hop> {
        self.hops.get(device.0).into_iter().flatten()
    }

    /// Follows all lowest-cost paths from where a packet enters an enforcement point to a zone.
    fn walk(&self, device: DeviceId, enters: InterfaceId, to: ZoneId, found: &mut BTreeSet<Crossing>) {
        let mut waiting = vec![(device, enters)];
        let mut seen = BTreeSet::new();
        while let Some((device, enters)) = waiting.pop() {
            let Some(remaining) = self.distance(device, to) else { continue };
            if !seen.insert((device, enters)) {
                continue;
            }
            if remaining == 0 {
                let leaves = self.attachments(to).filter(|(place, _)| *place == device);
                found.extend(leaves.filter(|(_, leaves)| *leaves != enters).map(|(_, leaves)| Crossing {
                    device,
                    from: enters,
                    to: leaves,
                }));
                continue;
            }
            for hop in self.hops_from(device).filter(|hop| !hop.backup && hop.leaves != enters) {
                if self.distance(hop.to, to).is_some_and(|rest| rest.saturating_add(hop.cost) == remaining) {
                    found.insert(Crossing { device, from: enters, to: hop.leaves });
                    waiting.push((hop.to, hop.enters));
                }
            }
        }
    }

    /// Follows the paths to a backup link, over it, and on, unless they meet an enforcement point twice.
    fn walk_over_backup(&self, hop: &Hop, from: ZoneId, to: ZoneId, found: &mut BTreeSet<Crossing>) {
        let before = self.approach(hop, from);
        let mut after = BTreeSet::new();
        self.walk(hop.to, hop.enters, to, &mut after);
        let met = |crossings: &BTreeSet<Crossing>| -> BTreeSet<DeviceId> {
            crossings.iter().map(|crossing| crossing.device).collect()
        };
        if !before.is_empty() && !after.is_empty() && met(&before).is_disjoint(&met(&after)) {
            found.extend(before);
            found.extend(after);
        }
    }

    /// All lowest-cost paths from a zone to the near end of a link, and onto it.
    fn approach(&self, hop: &Hop, from: ZoneId) -> BTreeSet<Crossing> {
        let costs = self.distances_to([hop.from]);
        let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut waiting: Vec<(DeviceId, InterfaceId)> =
            self.attachments(from).filter(|(device, _)| cost(&costs, *device).is_some()).collect();
        while let Some((device, enters)) = waiting.pop() {
            if !seen.insert((device, enters)) {
                continue;
            }
            if device == hop.from {
                found.insert(Crossing { device, from: enters, to: hop.leaves });
                continue;
            }
            let Some(remaining) = cost(&costs, device) else { continue };
            for next in self.hops_from(device).filter(|next| !next.backup && next.leaves != enters) {
                if cost(&costs, next.to).is_some_and(|rest| rest.saturating_add(next.cost) == remaining) {
                    found.insert(Crossing { device, from: enters, to: next.leaves });
                    waiting.push((next.to, next.enters));
                }
            }
        }
        found
    }
}

fn cost(costs: &[Option<u32>], device: DeviceId) -> Option<u32> {
    costs.get(device.0).copied().flatten()
}

/// An interface that is one end of a link.
struct End<'p> {
    device: DeviceId,
    interface: InterfaceId,
    link: &'p Link,
}

impl End<'_> {
    /// The link from here to its other end. It costs what the more expensive end says.
    fn hop_to(&self, other: &End) -> Hop {
        Hop {
            from: self.device,
            leaves: self.interface,
            to: other.device,
            enters: other.interface,
            cost: self.link.cost.max(other.link.cost),
            backup: self.link.backup || other.link.backup,
        }
    }
}

/// The links of a policy, in both directions. Where two enforcement points have several links, the first interface by
/// name of the one leads to the first of the other, and so on.
fn hops(policy: &Policy) -> Vec<Vec<Hop>> {
    let mut ends: BTreeMap<(&str, &str), Vec<End>> = BTreeMap::new();
    for (device, place) in policy.devices.iter().zip((0..).map(DeviceId)) {
        for (interface, slot) in device.interfaces.iter().zip((0..).map(InterfaceId)) {
            if let Some(link) = &interface.link {
                ends.entry((&device.name, &link.to)).or_default().push(End {
                    device: place,
                    interface: slot,
                    link,
                });
            }
        }
    }
    let mut hops = vec![Vec::new(); policy.devices.len()];
    for ((one, other), near) in &ends {
        let far = ends.get(&(*other, *one)).map_or(&[][..], Vec::as_slice);
        for (near, far) in near.iter().zip(far) {
            if let Some(list) = hops.get_mut(near.device.0) {
                list.push(near.hop_to(far));
            }
        }
    }
    hops
}
