//! Guards: what a config has to say for each, in the words of its reader, and what may not pass once it has tripped.
//!
//! Whether a rate is exceeded, or a source is put away, is no property of a packet, so a reader gives it as an opaque
//! condition. Of the conditions that the guards of the policy bring, three things are asked: as long as none holds,
//! everything passes that the policy allows; where one holds, nothing passes of what its guard counts, but for what an
//! isolation leaves to some rules; and everything else passes there too.

use super::Place;
use super::diagram::{Id, Key};
use super::expected::{Time, addresses, in_connections, of_rule};
use super::platform::Platform;
use super::session;
use super::space::{Space, variable};
use crate::ir::{Action, Effect, Guard, Metric, Policy, Rate, Subject};
use crate::read::Family;
use crate::set::{AddressSet, Set};

/// What an opaque condition begins with that says whether a guard has counted too many, and what others begin with that
/// matter then, with what they turn out to be.
pub(super) type Tripped = (String, Vec<(String, bool)>);

/// Opaque conditions that a guard brings.
pub(super) struct Watch {
    /// What each begins with that says whether the guard has tripped: one of these.
    pub(super) words: Vec<String>,
    /// What it turns out to be where the guard has tripped.
    pub(super) tripped: bool,
    /// What others begin with that matter where it has, and what they turn out to be then.
    pub(super) besides: Vec<(String, bool)>,
    /// What does not pass then.
    pub(super) counted: Id,
    /// What of that passes all the same: as the first packet of a connection, and as one of a known connection.
    pub(super) spared: Id,
    pub(super) spared_known: Id,
    /// What is about a known connection, and passes.
    pub(super) spared_related: Id,
    /// Which packets it is about.
    pub(super) reach: Reach,
}

/// Which packets a guard that has tripped is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// Those that open connections through the enforcement point.
    New,
    /// Those of known connections through it.
    Known,
    /// All that go through it.
    Through,
    /// All that go through it or to it.
    Everything,
}

impl Watch {
    /// What its condition turns out to be as long as the guard has not tripped.
    pub(super) fn untripped(&self) -> impl Iterator<Item = (String, bool)> {
        self.words.iter().map(|words| (words.clone(), !self.tripped))
    }

    /// The same where it has.
    pub(super) fn held(&self) -> Vec<(String, bool)> {
        let held = self.words.iter().map(|words| (words.clone(), self.tripped));
        held.chain(self.besides.iter().cloned()).collect()
    }
}

/// The conditions that the guards of an enforcement point bring.
pub(super) fn watches<K: Key>(space: &mut Space<K>, place: &Place, platform: &Platform) -> Vec<Watch> {
    let policy = place.policy;
    let target = &policy[place.device].target;
    let kept = policy.guards.iter().filter(|guard| policy.keeps(target, guard).is_ok());
    let kept: Vec<&Guard> = kept.filter(|guard| guard.action.cuts() && crosses(place, guard)).collect();
    let quarantines = kept.iter().any(|guard| matches!(guard.action, Action::Quarantine { .. }));
    let mut watches: Vec<Watch> = Vec::new();
    for guard in kept {
        if let Some(seconds) = guard.session_seconds() {
            watches.extend(session::watches(space, place, guard, seconds));
            continue;
        }
        let isolation = isolation(space, policy, guard, platform);
        let (words, besides) = (platform.guard)(guard, space.family);
        let counted = counted(space, policy, guard, platform.time);
        let spared = isolation.as_ref().map_or(Id::NONE, |isolation| isolation.spared);
        let spared_known = isolation.as_ref().map_or(Id::NONE, |isolation| isolation.spared_known);
        let spared_related = isolation.as_ref().map_or(Id::NONE, |isolation| isolation.spared_related);
        let reach = if guard.metric.counts_known() { Reach::Through } else { Reach::New };
        let (words, tripped) = (vec![words], platform.tripped);
        watches.push(Watch { words, tripped, besides, counted, spared, spared_known, spared_related, reach });
        watches.extend(isolation);
    }
    let words = (platform.quarantine)(space.family);
    if quarantines && !words.is_empty() {
        watches.push(Watch {
            words,
            tripped: true,
            besides: Vec::new(),
            counted: Id::ALL,
            spared: Id::NONE,
            spared_known: Id::NONE,
            spared_related: Id::NONE,
            reach: if platform.checks_known { Reach::Everything } else { Reach::New },
        });
    }
    watches
}

/// What holds while a guard cuts its subject off: nothing passes from or to it but what some rules allow, and, if there are
/// such rules, errors about known connections.
fn isolation<K: Key>(
    space: &mut Space<K>,
    policy: &Policy,
    guard: &Guard,
    platform: &Platform,
) -> Option<Watch> {
    let Action::Isolate { seconds, except } = &guard.action else { return None };
    let Subject::Sources(subject) = &guard.subject else { return None };
    let sides = [variable::SOURCE, variable::DESTINATION];
    let counted = sides.map(|side| addresses(space, side, subject, Id::ALL));
    let counted = space.diagrams.first_of(counted.into());
    let rules = || except.iter().map(|rule| &policy[*rule]);
    let spared = rules().map(|rule| of_rule(space, policy, rule, platform.time)).collect();
    let spared = space.diagrams.first_of(spared);
    let spared_known = rules().map(|rule| in_connections(space, rule)).collect();
    let spared_known = space.diagrams.first_of(spared_known);
    Some(Watch {
        words: (platform.isolation)(guard, *seconds, space.family),
        tripped: true,
        besides: Vec::new(),
        counted,
        spared,
        spared_known,
        spared_related: if except.is_empty() { Id::NONE } else { Id::ALL },
        reach: Reach::Through,
    })
}

/// True if connections that a guard counts may cross an enforcement point.
fn crosses(place: &Place, guard: &Guard) -> bool {
    let policy = place.policy;
    match &guard.subject {
        Subject::Sources(sources) => {
            let mut zones = place.arrivals.values().flatten();
            zones.any(|zone| !policy[*zone].addresses.is_disjoint(sources))
        }
        Subject::Rule(rule) => {
            let rule = &policy[*rule];
            let mut pairs = place.pairs.values().flatten();
            pairs.any(|(from, to)| {
                let touches = |side: &AddressSet, zone: &AddressSet| !side.is_disjoint(zone);
                touches(&rule.from.addresses, &policy[*from].addresses)
                    && touches(&rule.to.addresses, &policy[*to].addresses)
            })
        }
    }
}

/// The packets that a guard counts. Those of a rule no other rule allows, since that is an error.
fn counted<K: Key>(space: &mut Space<K>, policy: &Policy, guard: &Guard, time: Time) -> Id {
    match &guard.subject {
        Subject::Sources(sources) => addresses(space, variable::SOURCE, sources, Id::ALL),
        Subject::Rule(rule) => {
            let forbids = policy.rules.iter().filter(|rule| rule.effect == Effect::Forbid);
            let forbidden = forbids.map(|forbid| of_rule(space, policy, forbid, time)).collect();
            let forbidden = space.diagrams.first_of(forbidden);
            let allowed = of_rule(space, policy, &policy[*rule], time);
            space.diagrams.without(allowed, forbidden)
        }
    }
}

/// What the set of a guard of nftables, or its limit, is called by its reader; and that a destination is not known yet.
/// Bursts of five are not printed, and bytes stand in the largest unit that leaves no rest.
pub(super) fn of_nftables(guard: &Guard, family: Family) -> Tripped {
    let (number, suffix, field, pair) = match family {
        Family::V4 => (1, "v4", "ip saddr", "ip saddr . ip daddr"),
        Family::V6 => (2, "v6", "ip6 saddr", "ip6 saddr . ip6 daddr"),
    };
    let Guard { id, rate, .. } = guard;
    let limit = match guard.metric {
        Metric::Bandwidth => {
            let bytes = u64::from(rate.count) * 125;
            let (amount, unit) = match (bytes % (1 << 20), bytes % (1 << 10)) {
                (0, _) => (bytes >> 20, "mbytes"),
                (_, 0) => (bytes >> 10, "kbytes"),
                _ => (bytes, "bytes"),
            };
            format!("limit rate over {amount} {unit}/second")
        }
        Metric::NewConnections | Metric::Packets | Metric::Destinations | Metric::SessionTime => {
            let burst =
                if rate.burst == 5 { String::new() } else { format!(" burst {} packets", rate.burst) };
            format!("limit rate over {}/{}{burst}", rate.count, rate.unit.word())
        }
    };
    let (number, besides) = match guard.metric {
        Metric::Destinations => {
            let known = format!("{pair} @known/{id}/{suffix} (rule {number} of `guard/{id}`)");
            (number + 2, vec![(known, false)])
        }
        Metric::NewConnections | Metric::Packets | Metric::Bandwidth | Metric::SessionTime => {
            (number, Vec::new())
        }
    };
    let words = if guard.per_source {
        format!("update @guard/{id}/{suffix} {{ {field} {limit} }} (rule {number} of `guard/{id}`)")
    } else {
        format!("{limit} (rule 1 of `guard/{id}`)")
    };
    (words, besides)
}

/// How nftables looks up whether what a guard watches is cut off.
pub(super) fn isolation_of_nftables(guard: &Guard, _: u32, _: Family) -> Vec<String> {
    vec![format!("meta mark & 0 == @isolated/{} (", guard.id)]
}

/// How nftables looks up whether a source is put away.
pub(super) fn quarantine_of_nftables(family: Family) -> Vec<String> {
    vec![match family {
        Family::V4 => "ip saddr @quarantined/v4 (".to_owned(),
        Family::V6 => "ip6 saddr @quarantined/v6 (".to_owned(),
    }]
}

/// What the hash limit of a guard is called by the reader of iptables, which gives the time between two packets, or the cost
/// of bytes, as the kernel counts it; and that a source goes to a destination for the first time. The name of a table ends
/// in a digest.
pub(super) fn of_iptables(guard: &Guard, _: Family) -> Tripped {
    let Guard { id, rate, .. } = guard;
    let unit = u64::from(rate.unit.seconds()) * 1_000_000;
    let mode = if guard.per_source { "--hashlimit-mode srcip " } else { "" };
    let options = match guard.metric {
        Metric::Bandwidth => {
            let cost = u64::from(u32::MAX) / (u64::from(rate.count) * 125 / 16 + 1);
            format!("--hashlimit-above cost {cost} for 16 bytes")
        }
        Metric::NewConnections | Metric::Packets | Metric::Destinations | Metric::SessionTime => {
            let between = unit / u64::from(rate.count);
            format!("--hashlimit-above one in {between} us --hashlimit-burst {}", rate.burst)
        }
    };
    let besides = match guard.metric {
        Metric::Destinations => {
            let first = format!(
                "hashlimit --hashlimit-upto one in {unit} us --hashlimit-burst 1 --hashlimit-mode srcip,dstip \
                 --hashlimit-name cordon.{id}.first."
            );
            vec![(first, true)]
        }
        Metric::NewConnections | Metric::Packets | Metric::Bandwidth | Metric::SessionTime => Vec::new(),
    };
    (format!("hashlimit {options} {mode}--hashlimit-name cordon.{id}."), besides)
}

/// How iptables looks up whether what a guard watches is cut off, in any generation.
pub(super) fn isolation_of_iptables(guard: &Guard, seconds: u32, family: Family) -> Vec<String> {
    let mask = match family {
        Family::V4 => "0.0.0.0",
        Family::V6 => "::",
    };
    let id = &guard.id;
    let list = |generation| {
        format!(
            "recent --rcheck --seconds {seconds} --name cordon{generation}.isolated.{id} --mask {mask} --rsource"
        )
    };
    (0..10).map(list).collect()
}

/// The limit of a rule of pfSense, as its reader has it. The number is the smallest that nobody exceeds who keeps to the
/// rate: what pf counts is never more than what the bucket held and what came in while it was filled.
pub(super) fn of_pfsense(guard: &Guard, _: Family) -> Tripped {
    let Rate { count, unit, burst } = guard.rate;
    let [count, burst, unit] = [count, burst, unit.seconds()].map(u64::from);
    let seconds = (burst * unit).div_ceil(count);
    let most = burst + (count * seconds).div_ceil(unit);
    (format!("max-src-conn-rate {most} / {seconds}"), Vec::new())
}

/// How pfSense looks up whether a source made too many connections.
pub(super) fn quarantine_of_pfsense(_: Family) -> Vec<String> {
    vec!["from <virusprot>".to_owned()]
}

/// How iptables looks up whether a source is put away, in any generation of its sets.
pub(super) fn quarantine_of_iptables(family: Family) -> Vec<String> {
    let digit = match family {
        Family::V4 => '4',
        Family::V6 => '6',
    };
    (0..10).map(|generation| format!("set --match-set cordon{generation}.{digit}q src")).collect()
}
