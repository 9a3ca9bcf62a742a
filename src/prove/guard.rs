//! Guards: what a config has to say for each, in the words of its reader, and what may not pass once it has tripped.
//!
//! Whether a rate is exceeded, or a source is put away, is no property of a packet, so a reader gives it as an opaque
//! condition. Of the conditions that the guards of the policy bring, two things are asked: as long as none holds,
//! everything passes that the policy allows; and where one holds, nothing passes of what its guard counts.

use super::Place;
use super::diagram::{Id, Key};
use super::expected::{Time, addresses, of_rule};
use super::platform::Platform;
use super::space::{Space, variable};
use crate::ir::{Action, Effect, Guard, Policy, Rate, Subject};
use crate::read::Family;
use crate::set::{AddressSet, Set};

/// An opaque condition that a guard brings.
pub(super) struct Watch {
    /// What the condition begins with: one of these.
    pub(super) words: Vec<String>,
    /// What it turns out to be where the guard has tripped.
    pub(super) tripped: bool,
    /// What does not pass then.
    pub(super) counted: Id,
    /// True if that is so in every state of a connection, and not for its first packet alone.
    pub(super) in_every_state: bool,
}

impl Watch {
    /// What its condition turns out to be as long as the guard has not tripped.
    pub(super) fn untripped(&self) -> impl Iterator<Item = (String, bool)> {
        self.words.iter().map(|words| (words.clone(), !self.tripped))
    }

    /// The same where it has.
    pub(super) fn held(&self) -> Vec<(String, bool)> {
        self.words.iter().map(|words| (words.clone(), self.tripped)).collect()
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
        watches.push(Watch {
            words: vec![(platform.guard)(guard, space.family)],
            tripped: platform.tripped,
            counted: counted(space, policy, guard, platform.time),
            in_every_state: false,
        });
    }
    let words = (platform.quarantine)(space.family);
    if quarantines && !words.is_empty() {
        watches.push(Watch { words, tripped: true, counted: Id::ALL, in_every_state: platform.checks_known });
    }
    watches
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

/// What the set of a guard of nftables, or its limit, is called by its reader. Bursts of five are not printed.
pub(super) fn of_nftables(guard: &Guard, family: Family) -> String {
    let (number, suffix, field) = match family {
        Family::V4 => (1, "v4", "ip saddr"),
        Family::V6 => (2, "v6", "ip6 saddr"),
    };
    let Guard { id, rate, .. } = guard;
    let burst = if rate.burst == 5 { String::new() } else { format!(" burst {} packets", rate.burst) };
    let limit = format!("limit rate over {}/{}{burst}", rate.count, rate.unit.word());
    if guard.per_source {
        format!("update @guard/{id}/{suffix} {{ {field} {limit} }} (rule {number} of `guard/{id}`)")
    } else {
        format!("{limit} (rule 1 of `guard/{id}`)")
    }
}

/// How nftables looks up whether a source is put away.
pub(super) fn quarantine_of_nftables(family: Family) -> Vec<String> {
    vec![match family {
        Family::V4 => "ip saddr @quarantined/v4 (".to_owned(),
        Family::V6 => "ip6 saddr @quarantined/v6 (".to_owned(),
    }]
}

/// What the hash limit of a guard is called by the reader of iptables, which gives the time between two packets as the
/// kernel counts it. The name of its table ends in a digest.
pub(super) fn of_iptables(guard: &Guard, _: Family) -> String {
    let Guard { id, rate, .. } = guard;
    let between = u64::from(rate.unit.seconds()) * 1_000_000 / u64::from(rate.count);
    let mode = if guard.per_source { "--hashlimit-mode srcip " } else { "" };
    format!(
        "hashlimit --hashlimit-above one in {between} us --hashlimit-burst {} {mode}--hashlimit-name cordon.{id}.",
        rate.burst
    )
}

/// The limit of a rule of pfSense, as its reader has it. The number is the smallest that nobody exceeds who keeps to the
/// rate: what pf counts is never more than what the bucket held and what came in while it was filled.
pub(super) fn of_pfsense(guard: &Guard, _: Family) -> String {
    let Rate { count, unit, burst } = guard.rate;
    let [count, burst, unit] = [count, burst, unit.seconds()].map(u64::from);
    let seconds = (burst * unit).div_ceil(count);
    let most = burst + (count * seconds).div_ceil(unit);
    format!("max-src-conn-rate {most} / {seconds}")
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
