//! The guards that have to do with a rule.

use serde::Serialize;

use crate::ir::{Action, Effect, Guard, Policy, RuleIndex, Subject};
use crate::set::Set;

/// A guard, and what it has to do with a rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Guarding {
    /// The guard, by its id.
    pub guard: String,
    /// What it counts, by its word.
    pub counts: &'static str,
    /// What it does when that is too much: `alert`, `limit`, `quarantine` or `isolate`.
    pub then: &'static str,
    /// True if it counts what the rule allows, and nothing else.
    pub of_rule: bool,
    /// True if it counts what sources of the rule send.
    pub of_sources: bool,
    /// True if what it does can stop what the rule allows.
    pub cuts: bool,
    /// True if the rule is named as one that an isolation leaves as it is.
    pub spares: bool,
}

/// The guards that count what an allow lets pass, or that can stop it.
pub(super) fn guardings(policy: &Policy, index: RuleIndex) -> Vec<Guarding> {
    let is_allow = policy[index].effect == Effect::Allow;
    policy.guards.iter().filter(|_| is_allow).filter_map(|guard| guarding(policy, guard, index)).collect()
}

fn guarding(policy: &Policy, guard: &Guard, index: RuleIndex) -> Option<Guarding> {
    let rule = &policy[index];
    let (from, to) = (&rule.from.addresses, &rule.to.addresses);
    let of_rule = guard.subject == Subject::Rule(index);
    let of_sources = matches!(&guard.subject, Subject::Sources(own) if !own.is_disjoint(from));
    // An isolation cuts off both ways, and a quarantine all that a source sends.
    let (stopped, spares) = match (&guard.action, &guard.subject) {
        (Action::Isolate { except, .. }, Subject::Sources(own)) => {
            (of_sources || !own.is_disjoint(to), except.contains(&index))
        }
        (Action::Quarantine { .. }, Subject::Rule(other)) => {
            (!policy[*other].from.addresses.is_disjoint(from), false)
        }
        (Action::Isolate { .. } | Action::Alert | Action::Limit | Action::Quarantine { .. }, _) => {
            (false, false)
        }
    };
    let counts = of_rule || of_sources;
    (counts || stopped).then(|| Guarding {
        guard: guard.id.clone(),
        counts: guard.metric.word(),
        then: guard.action.word(),
        of_rule,
        of_sources,
        cuts: guard.action.cuts() && !spares,
        spares,
    })
}

/// In words, for people.
impl std::fmt::Display for Guarding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Guarding { guard, counts, then, .. } = self;
        let what = match (self.of_rule, self.of_sources) {
            (true, _) => format!("{guard}: counts {counts} of it, then {then}"),
            (false, true) => format!("{guard}: counts {counts} of its sources, then {then}"),
            (false, false) => format!("{guard}: counts {counts} of others, then {then} with it"),
        };
        let end = if self.spares { ", which leaves it as it is" } else { "" };
        write!(f, "{what}{end}")
    }
}
