//! Who some addresses are, in the words of the policy.

use crate::ir::{Policy, ZoneIndex};
use crate::set::{AddressSet, Overlaps, Set, union_all};

/// The names of a policy, made ready for many questions.
pub(super) struct Parties<'p> {
    policy: &'p Policy,
    zones: ZoneIndex,
    endpoints: Overlaps,
}

impl<'p> Parties<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        let endpoints = Overlaps::new(policy.endpoints.iter().map(|endpoint| &endpoint.addresses));
        Parties { policy, zones: ZoneIndex::new(policy), endpoints }
    }

    /// The classes and peers that hold some addresses, and the zones of what none of them holds: the first few names, and
    /// how many more there are.
    pub(super) fn names(&self, set: &AddressSet) -> String {
        const SHOWN: usize = 4;
        let mut names: Vec<&str> = Vec::new();
        for (zone, part) in self.zones.split(set) {
            let places = self.endpoints.with(&part, usize::MAX).unwrap_or_default();
            let holders = places.into_iter().filter_map(|place| self.policy.endpoints.get(place));
            let (held, holders): (Vec<_>, Vec<_>) =
                holders.map(|holder| (holder.addresses.clone(), holder.name.as_str())).unzip();
            if part.is_subset(&union_all(held)) {
                names.extend(holders);
            } else {
                names.push(&self.policy[zone].name);
            }
        }
        names.sort_unstable();
        let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        if names.len() > SHOWN {
            shown.push(format!("{} more", names.len() - SHOWN));
        }
        shown.join(", ")
    }
}
