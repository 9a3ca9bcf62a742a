//! Few statements for what was seen: those that differ in one side only become one. Nothing is opened that was not wanted
//! between just those two ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::suggest::{End, Port, Wants};
use super::tally::{Total, add};
use crate::ir::ZoneId;

/// A statement: everyone on the one side may open connections to everyone on the other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Allow {
    pub(super) from: BTreeSet<End>,
    pub(super) to: BTreeSet<End>,
    pub(super) ports: Vec<Port>,
    pub(super) total: Total,
}

/// What one end wanted of others.
type Profile = BTreeMap<End, BTreeMap<Port, Total>>;

/// The same without how often.
type Wanted = Vec<(End, Vec<Port>)>;

/// All ends that are one side of the same, with how often.
type Side = (BTreeSet<End>, Total);

/// The statements for all that was seen, in a stable order.
pub(super) fn merged(wants: Wants) -> Vec<Allow> {
    let wants = turned(joined(turned(joined(wants))));
    let by_source = statements(&wants);
    let mut by_destination = statements(&turned(wants));
    for allow in &mut by_destination {
        std::mem::swap(&mut allow.from, &mut allow.to);
    }
    let mut fewer = if by_destination.len() < by_source.len() { by_destination } else { by_source };
    fewer.sort();
    fewer
}

/// The same with the two sides exchanged.
fn turned(wants: Wants) -> Wants {
    wants.into_iter().map(|((from, to), ports)| ((to, from), ports)).collect()
}

fn ports(ports: &BTreeMap<Port, Total>) -> Vec<Port> {
    ports.keys().copied().collect()
}

/// Puts hosts of one zone together that wanted the same of the same.
fn joined(wants: Wants) -> Wants {
    let mut profiles: BTreeMap<End, Profile> = BTreeMap::new();
    for ((from, to), ports) in wants {
        profiles.entry(from).or_default().insert(to, ports);
    }
    let mut named = Wants::new();
    let mut alike: BTreeMap<(ZoneId, Wanted), (BTreeSet<IpAddr>, Profile)> = BTreeMap::new();
    for (from, profile) in profiles {
        match from {
            End::Named(_) => {
                named.extend(profile.into_iter().map(|(to, ports)| ((from.clone(), to), ports)));
            }
            End::Hosts(zone, hosts) => {
                let wanted = profile.iter().map(|(to, own)| (to.clone(), ports(own))).collect();
                let (all, sums) = alike.entry((zone, wanted)).or_default();
                all.extend(hosts);
                for (to, ports) in profile {
                    let sum = sums.entry(to).or_default();
                    ports.iter().for_each(|(port, total)| add(sum.entry(*port).or_default(), total));
                }
            }
        }
    }
    for ((zone, _), (hosts, profile)) in alike {
        let from = End::Hosts(zone, hosts);
        named.extend(profile.into_iter().map(|(to, ports)| ((from.clone(), to), ports)));
    }
    named
}

/// Statements of which those of one source and the same ports are one, and then those with the same destinations.
fn statements(wants: &Wants) -> Vec<Allow> {
    let mut of_source: BTreeMap<(&End, Vec<Port>), Side> = BTreeMap::new();
    for ((from, to), own) in wants {
        let (destinations, total) = of_source.entry((from, ports(own))).or_default();
        destinations.insert(to.clone());
        own.values().for_each(|more| add(total, more));
    }
    let mut alike: BTreeMap<(BTreeSet<End>, Vec<Port>), Side> = BTreeMap::new();
    for ((from, ports), (destinations, more)) in of_source {
        let (sources, total) = alike.entry((destinations, ports)).or_default();
        sources.insert(from.clone());
        add(total, &more);
    }
    let allows = alike.into_iter().map(|((to, ports), (from, total))| Allow { from, to, ports, total });
    allows.collect()
}
