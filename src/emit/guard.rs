//! Which targets can keep which guards, and whether every guard is kept on every path of what it counts.

use std::collections::BTreeSet;

use super::error::EmitError;
use crate::diag::Diagnostics;
use crate::ir::{Action, Conduits, Device, DeviceId, Effect, Guard, Part, Policy, Subject, Topology};
use crate::plan::DevicePlan;
use crate::set::{ServiceSet, Set};

/// The protocol number of TCP (RFC 9293).
const TCP: u8 = 6;

/// How long pfSense keeps a source that made too many connections, at the most, in seconds: what clears the table looks
/// once an hour for sources that have been in it for an hour (targets/pfsense/NOTES.md).
const PFSENSE_QUARANTINE: u32 = 7_200;

/// Says why a target cannot keep a guard, if it cannot.
pub(super) fn keeps(policy: &Policy, target: &str, guard: &Guard) -> Result<(), &'static str> {
    match target {
        "nftables" => Ok(()),
        "iptables" => kept_by_iptables(policy, guard),
        "pfsense" => kept_by_pfsense(policy, guard),
        "cisco-ios" => Err("access lists count nothing"),
        _ => Err("guards are not compiled for this target"),
    }
}

/// The two families have tables, and so counts, of their own.
fn kept_by_iptables(policy: &Policy, guard: &Guard) -> Result<(), &'static str> {
    let is_of_both = match &guard.subject {
        Subject::Sources(sources) => !sources.v4.is_empty() && !sources.v6.is_empty(),
        Subject::Rule(rule) => {
            let packets = policy[*rule].packets();
            !packets.v4.is_empty() && !packets.v6.is_empty()
        }
    };
    if is_of_both && !guard.per_source {
        return Err("iptables counts IPv4 and IPv6 apart, so it can count for each source only");
    }
    Ok(())
}

fn kept_by_pfsense(policy: &Policy, guard: &Guard) -> Result<(), &'static str> {
    let Subject::Rule(rule) = guard.subject else { return Err("pfSense counts for a rule, not for a zone") };
    match guard.action {
        Action::Quarantine { seconds } if seconds >= PFSENSE_QUARANTINE => {}
        Action::Quarantine { .. } => {
            return Err("pfSense keeps a source out for one to two hours; a quarantine of 2 hours would fit");
        }
        Action::Alert | Action::Limit => return Err("pfSense can only quarantine"),
    }
    let tcp = ServiceSet::protocol(TCP);
    if policy[rule].services.is_subset(&tcp) { Ok(()) } else { Err("pfSense counts TCP only") }
}

/// Reports each guard that nothing keeps on some path that connections which it counts can take. Where nothing is allowed,
/// there is none.
pub(super) fn check(plans: &[DevicePlan], diagnostics: &mut Diagnostics) {
    let Some(policy) = plans.first().map(|plan| plan.policy).filter(|policy| !policy.guards.is_empty())
    else {
        return;
    };
    let (topology, conduits) = (Topology::new(policy), Conduits::new(policy));
    for guard in &policy.guards {
        let unkept = conduits.iter().find_map(|((from, to), parts)| {
            let mut allowed = parts.iter().filter(|part| policy[part.rule].effect == Effect::Allow);
            let counted = allowed.any(|part| counts(guard, part));
            let devices: BTreeSet<DeviceId> =
                topology.crossings(from, to).into_iter().map(|crossing| crossing.device).collect();
            let refusals: Vec<String> =
                devices.iter().filter_map(|device| refusal(policy, &policy[*device], guard)).collect();
            let unkept = counted && refusals.len() == devices.len();
            unkept.then(|| (policy[from].name.clone(), policy[to].name.clone(), refusals.join("; ")))
        });
        if let Some((from, to, why)) = unkept {
            let (name, span) = (guard.id.clone(), guard.span);
            diagnostics.push(EmitError::NothingKeeps { name, from, to, why, span });
        }
    }
}

/// Why an enforcement point cannot keep a guard, if it cannot.
fn refusal(policy: &Policy, device: &Device, guard: &Guard) -> Option<String> {
    let why = keeps(policy, &device.target, guard).err()?;
    Some(format!("`{}`: {why}", device.name))
}

/// True if a guard counts connections that a part of a rule allows.
fn counts(guard: &Guard, part: &Part) -> bool {
    match &guard.subject {
        Subject::Sources(sources) => !sources.is_disjoint(&part.sources),
        Subject::Rule(rule) => part.rule == *rule,
    }
}

/// The guards that a target keeps of those of an enforcement point.
pub(super) fn kept<'p>(plan: &DevicePlan<'p>) -> Vec<&'p Guard> {
    let kept = |guard: &&&Guard| keeps(plan.policy, &plan.device.target, guard).is_ok();
    plan.guards.iter().filter(kept).copied().collect()
}
