//! What names hold, today and whatever an inventory may say tomorrow.
//!
//! A class whose members an inventory gives may get devices anywhere in its zone. What is redundant today would then be
//! missing, so it is not enough that its devices of today are covered. Each such class therefore has a stand-in, which is
//! one member more, for all devices that it may get: it is covered by what names the class or its whole zone, and by
//! nothing else.

use std::collections::BTreeMap;

use crate::check::names::{ANY, Scope};
use crate::ir::{Policy, ZoneId};
use crate::set::{AddressSet, Interval, IntervalSet, Set, union_all};
use crate::syntax::ast::{Class, Group, Members, Names, Word};

/// What a name or a list holds.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    /// The addresses that it holds today.
    pub(super) addresses: AddressSet,
    /// The stand-ins that it may hold, as addresses that mean nothing else.
    pub(super) may: AddressSet,
    /// Those of them that it certainly holds.
    pub(super) must: AddressSet,
}

impl Extent {
    fn empty() -> Self {
        Extent { addresses: AddressSet::empty(), may: AddressSet::empty(), must: AddressSet::empty() }
    }

    fn without_growth(addresses: AddressSet) -> Self {
        Extent { addresses, ..Extent::empty() }
    }

    /// What all of some hold.
    pub(super) fn join<'e>(extents: impl Iterator<Item = &'e Extent> + Clone) -> Extent {
        Extent {
            addresses: union_all(extents.clone().map(|extent| extent.addresses.clone())),
            may: union_all(extents.clone().map(|extent| extent.may.clone())),
            must: union_all(extents.map(|extent| extent.must.clone())),
        }
    }

    /// What it may hold beyond what another one certainly does.
    pub(super) fn beyond(&self, other: &Extent) -> Extent {
        let may = self.may.difference(&other.must);
        Extent { addresses: self.addresses.difference(&other.addresses), must: may.clone(), may }
    }

    /// True if it holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.may.is_empty()
    }
}

/// The names of a policy with what each holds.
pub(super) struct Extents<'a> {
    scope: &'a Scope,
    /// The stand-ins of each zone; nothing where no class can grow.
    growing: BTreeMap<ZoneId, AddressSet>,
    zones: Vec<(ZoneId, &'a AddressSet)>,
    /// The stand-ins of names that have some: may and must.
    held: BTreeMap<&'a str, (AddressSet, AddressSet)>,
}

impl<'a> Extents<'a> {
    /// Prepares the names of a policy without errors.
    pub(super) fn new(
        policy: &'a Policy,
        scope: &'a Scope,
        classes: &[&Class],
        groups: &[&'a Group],
    ) -> Self {
        let zones = policy.zone_ids().map(|id| (id, &policy[id].addresses)).collect();
        let mut extents = Extents { scope, growing: BTreeMap::new(), zones, held: BTreeMap::new() };
        let growing = classes.iter().filter(|class| grows(class)).zip(0_u32..);
        let stand_ins: BTreeMap<&str, AddressSet> =
            growing.map(|(class, number)| (class.name.node.as_str(), stand_in(number))).collect();
        if stand_ins.is_empty() {
            return extents;
        }
        for endpoint in &policy.endpoints {
            if let Some(own) = stand_ins.get(endpoint.name.as_str()) {
                let of_zone = extents.growing.entry(endpoint.zone).or_insert_with(AddressSet::empty);
                *of_zone = of_zone.union(own);
                extents.held.insert(&endpoint.name, (own.clone(), own.clone()));
            }
        }
        for (zone, of_zone) in &extents.growing {
            extents.held.insert(&policy[*zone].name, (of_zone.clone(), of_zone.clone()));
            let whole = policy.endpoints.iter().filter(|endpoint| endpoint.zone == *zone);
            for endpoint in whole.filter(|endpoint| policy[*zone].addresses.is_subset(&endpoint.addresses)) {
                if !stand_ins.contains_key(endpoint.name.as_str()) {
                    extents.held.insert(&endpoint.name, (of_zone.clone(), of_zone.clone()));
                }
            }
        }
        let by_name: BTreeMap<&str, &'a Group> =
            groups.iter().map(|group| (group.name.node.as_str(), *group)).collect();
        for group in scope.groups().filter_map(|name| by_name.get(name).copied()) {
            let Extent { may, must, .. } = extents.of(&group.members);
            extents.held.insert(&group.name.node, (may, must));
        }
        extents
    }

    /// The stand-ins of each zone that has some.
    pub(super) fn growing(&self) -> &BTreeMap<ZoneId, AddressSet> {
        &self.growing
    }

    /// What some lists hold together.
    pub(super) fn of(&self, lists: &[Names]) -> Extent {
        let entries: Vec<Extent> =
            lists.iter().flat_map(|names| self.entries(names)).map(|(_, extent)| extent).collect();
        Extent::join(entries.iter())
    }

    /// What each word of a list adds to it.
    pub(super) fn entries<'w>(&self, names: &'w Names) -> Vec<(&'w Word, Extent)> {
        let removed: Vec<Extent> = names.except.iter().map(|word| self.name(&word.node)).collect();
        let removed = Extent::join(removed.iter());
        let unclear = removed.may.union(&self.touched(&removed.addresses));
        let reduced = |word: &'w Word| {
            let Extent { addresses, may, must } = self.name(&word.node);
            let extent = Extent {
                addresses: addresses.difference(&removed.addresses),
                may: may.difference(&removed.must),
                must: must.difference(&unclear),
            };
            (word, extent)
        };
        names.list.iter().map(reduced).collect()
    }

    fn name(&self, name: &str) -> Extent {
        if name == ANY {
            let all = union_all(self.growing.values().cloned());
            let addresses = union_all(self.zones.iter().map(|(_, addresses)| (*addresses).clone()));
            return Extent { addresses, may: all.clone(), must: all };
        }
        let addresses = self.scope.addresses_of(name).cloned().unwrap_or_else(AddressSet::empty);
        match self.held.get(name) {
            Some((may, must)) => Extent { addresses, may: may.clone(), must: must.clone() },
            None => Extent::without_growth(addresses),
        }
    }

    /// The stand-ins of zones of which some addresses are taken away: a device that comes may be one of these.
    fn touched(&self, removed: &AddressSet) -> AddressSet {
        let touched = self.zones.iter().filter(|(zone, addresses)| {
            self.growing.contains_key(zone) && !removed.is_empty() && !addresses.is_disjoint(removed)
        });
        union_all(touched.filter_map(|(zone, _)| self.growing.get(zone)).cloned())
    }
}

/// True if other devices may belong to a class with the next inventory.
fn grows(class: &Class) -> bool {
    let is_whole = class.members.iter().any(|members| matches!(members, Members::All(_)));
    let follows = |members: &Members| match members {
        Members::Inventory { .. } | Members::Unclassified(_) => true,
        Members::Hosts(_) | Members::All(_) => false,
    };
    !is_whole && class.members.iter().any(follows)
}

/// The stand-in of a number, in both families: a device may have either.
fn stand_in(number: u32) -> AddressSet {
    AddressSet {
        v4: IntervalSet::from_interval(Interval::single(number), true),
        v6: IntervalSet::from_interval(Interval::single(u128::from(number)), true),
    }
}
