//! Classes that reach more servers than their siblings.
//!
//! Siblings are the classes of one zone, or those of a group that holds classes only. What a class reaches is exact: the
//! addresses of peers to which some rule lets it open something that no forbid takes away.
//!
//! A class stands out if it reaches all that its siblings reach together, and servers that none of them does. Two classes
//! that each have a server of their own do not stand out, nor does one of only two: one sibling is no measure. So a class
//! is only named where the others agree that they can do without.

use std::collections::BTreeSet;

use super::acceptance::Ledger;
use super::opened::Opening;
use super::parties::Parties;
use super::privilege;
use super::reach::Reach;
use super::warning::CheckWarning;
use crate::diag::Diagnostics;
use crate::ir::{Endpoint, Policy};
use crate::set::{AddressSet, Set};
use crate::syntax::ast::{Group, Word};

/// The fewest classes that can be compared.
const LEAST_CLASSES: usize = 3;

/// Classes that are alike, and what makes them so.
struct Family {
    name: String,
    /// Their places among all classes.
    classes: Vec<usize>,
}

/// Reports each class that reaches more than its siblings.
pub(super) fn check(
    policy: &Policy,
    groups: &[&Group],
    openings: &[Opening],
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    let classes: Vec<&Endpoint> = policy.endpoints.iter().filter(|endpoint| endpoint.is_class).collect();
    let families = families(policy, &classes, groups);
    if families.is_empty() {
        return;
    }
    let reach = Reach::new(policy, openings, classes, &AddressSet::full());
    let parties = Parties::new(policy);
    let mut named = BTreeSet::new();
    for family in families {
        let Some((place, servers)) = standing_out(&family, &reach) else { continue };
        let Some(class) = reach.classes.get(place).filter(|_| named.insert(place)) else { continue };
        let (name, span, servers) = (class.name.clone(), class.span, parties.names(&servers));
        let finding = CheckWarning::ReachesMore { name, servers, family: family.name, span };
        ledger.report(&class.acceptances, finding, diagnostics);
    }
}

/// The classes of each zone, then those of each group that lists classes and nothing else.
fn families(policy: &Policy, classes: &[&Endpoint], groups: &[&Group]) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    let mut of_zones = vec![Vec::new(); policy.zones.len()];
    for (place, class) in classes.iter().enumerate() {
        if let Some(of_zone) = of_zones.get_mut(class.zone.0) {
            of_zone.push(place);
        }
    }
    for (zone, classes) in policy.zones.iter().zip(of_zones) {
        families.push(Family { name: zone.name.clone(), classes });
    }
    let place_of = |name: &str| classes.binary_search_by(|class| class.name.as_str().cmp(name)).ok();
    let mut groups: Vec<&&Group> = groups.iter().collect();
    groups.sort_by(|one, other| one.name.node.cmp(&other.name.node));
    for group in groups {
        let words = group.members.iter().flat_map(|names| &names.list);
        let places: Option<BTreeSet<usize>> = words.map(|word| place_of(&word.node)).collect();
        if let Some(places) = places.filter(|_| group.members.iter().all(|names| names.except.is_empty())) {
            families.push(Family { name: group.name.node.clone(), classes: places.into_iter().collect() });
        }
    }
    families.retain(|family| family.classes.len() >= LEAST_CLASSES);
    families
}

/// True if a group lists enough classes, and nothing else, to be looked at here: it says that they are siblings.
pub(super) fn compares(policy: &Policy, group: &Group) -> bool {
    let is_class =
        |word: &Word| policy.endpoints.iter().any(|endpoint| endpoint.is_class && endpoint.name == word.node);
    let words = || group.members.iter().flat_map(|names| &names.list);
    privilege::is_judged(policy)
        && group.members.iter().all(|names| names.except.is_empty())
        && words().all(is_class)
        && words().map(|word| &word.node).collect::<BTreeSet<_>>().len() >= LEAST_CLASSES
}

/// The class that reaches all that its siblings reach, and the servers that none of them does.
fn standing_out(family: &Family, reach: &Reach) -> Option<(usize, AddressSet)> {
    let all = reach.together(family.classes.iter().copied());
    // Who reaches everything; if two do, neither stands out.
    let mut widest = family.classes.iter().filter(|place| reach.servers(**place) == Some(&all));
    let (widest, None) = (widest.next()?, widest.next()) else { return None };
    let siblings = || family.classes.iter().filter(|place| *place != widest);
    let more = all.difference(&reach.together(siblings().copied()));
    let reaches = |place: &&usize| reach.servers(**place).is_some_and(|servers| !servers.is_empty());
    let compared = siblings().filter(reaches).count() + 1;
    (compared >= LEAST_CLASSES && !more.is_empty()).then_some((*widest, more))
}
