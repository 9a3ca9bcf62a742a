//! Whether every guard is kept on every path of what it counts.

use std::collections::BTreeSet;

use super::error::EmitError;
use crate::diag::Diagnostics;
use crate::ir::{Action, Conduits, Device, DeviceId, Effect, Guard, Metric, Part, Policy, Subject, Topology};
use crate::plan::DevicePlan;
use crate::set::Set;

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
            diagnostics.push(match guard.metric {
                Metric::SessionTime => EmitError::SessionTime { name, from, to, why, span },
                Metric::NewConnections | Metric::Packets | Metric::Bandwidth | Metric::Destinations => {
                    EmitError::NothingKeeps { name, from, to, why, span }
                }
            });
        }
    }
}

/// Why an enforcement point cannot keep a guard, if it cannot.
fn refusal(policy: &Policy, device: &Device, guard: &Guard) -> Option<String> {
    let why = policy.keeps(&device.target, guard).err()?;
    Some(format!("`{}`: {why}", device.name))
}

/// True if a guard counts connections that a part of a rule allows, or cuts them off.
fn counts(guard: &Guard, part: &Part) -> bool {
    let isolates = matches!(guard.action, Action::Isolate { .. });
    match &guard.subject {
        Subject::Sources(subject) => {
            !subject.is_disjoint(&part.sources) || isolates && !subject.is_disjoint(&part.destinations)
        }
        Subject::Rule(rule) => part.rule == *rule,
    }
}
