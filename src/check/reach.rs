//! Which servers each class reaches: the addresses of peers to which some rule lets it open something, less what forbids
//! take away.
//!
//! Many classes reach the same, since rules speak of groups and zones. So a set of servers is made once for all classes that
//! have it by the same rules, and a policy with many classes and wide rules needs no set for each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::opened::Opening;
use crate::ir::{Endpoint, Policy};
use crate::set::{AddressSet, Overlaps, Set, union_all};

/// Classes, and the servers that each of them reaches.
pub(super) struct Reach<'p> {
    /// The classes, in the order in which they were given.
    pub(super) classes: Vec<&'p Endpoint>,
    index: Overlaps,
    /// Different sets of servers.
    sets: Vec<AddressSet>,
    /// For each class, the place of its set.
    set_of: Vec<usize>,
}

impl<'p> Reach<'p> {
    /// What each of some classes reaches among the peers in `servers`.
    pub(super) fn new(
        policy: &'p Policy,
        openings: &[Opening],
        classes: Vec<&'p Endpoint>,
        servers: &AddressSet,
    ) -> Self {
        let servers = servers.intersection(&peers(policy));
        let index = Overlaps::new(classes.iter().map(|class| &class.addresses));
        // Each step opens the same servers to all classes in it.
        let mut steps: Vec<AddressSet> = Vec::new();
        let mut steps_of: Vec<Vec<usize>> = vec![Vec::new(); classes.len()];
        for opening in openings {
            let servers = opening.destinations.intersection(&servers);
            if servers.is_empty() {
                continue;
            }
            for (sources, servers) in opening.by_source(&servers) {
                for place in index.with(&sources, usize::MAX).unwrap_or_default() {
                    steps_of.get_mut(place).into_iter().for_each(|of| of.push(steps.len()));
                }
                steps.push(servers);
            }
        }
        let mut places: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let mut sets = Vec::new();
        let set_of = steps_of.into_iter().map(|of| {
            *places.entry(of).or_insert_with_key(|of| {
                sets.push(union_all(
                    of.iter().filter_map(|step| steps.get(*step)).cloned().collect::<Vec<_>>(),
                ));
                sets.len() - 1
            })
        });
        let set_of = set_of.collect();
        Reach { classes, index, sets, set_of }
    }

    /// The servers that the class at `place` reaches.
    pub(super) fn servers(&self, place: usize) -> Option<&AddressSet> {
        self.sets.get(*self.set_of.get(place)?)
    }

    /// All servers that some classes reach.
    pub(super) fn together(&self, places: impl Iterator<Item = usize>) -> AddressSet {
        let sets: BTreeSet<usize> = places.filter_map(|place| self.set_of.get(place).copied()).collect();
        union_all(sets.into_iter().filter_map(|set| self.sets.get(set)).cloned().collect::<Vec<_>>())
    }

    /// The classes that hold some of these addresses, those with the same servers together: the addresses of these classes,
    /// and their servers.
    pub(super) fn meeting(&self, addresses: &AddressSet) -> Vec<(AddressSet, &AddressSet)> {
        let mut together: BTreeMap<usize, Vec<AddressSet>> = BTreeMap::new();
        for place in self.index.with(addresses, usize::MAX).unwrap_or_default() {
            let (Some(class), Some(set)) = (self.classes.get(place), self.set_of.get(place)) else {
                continue;
            };
            together.entry(*set).or_default().push(class.addresses.intersection(addresses));
        }
        let met = together.into_iter().filter_map(|(set, held)| Some((union_all(held), self.sets.get(set)?)));
        met.collect()
    }
}

/// The addresses of all peers.
fn peers(policy: &Policy) -> AddressSet {
    let peers = policy.endpoints.iter().filter(|endpoint| !endpoint.is_class);
    union_all(peers.map(|peer| peer.addresses.clone()).collect::<Vec<_>>())
}
