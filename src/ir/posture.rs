//! Postures: the policy as it is while some of it is cut off.

use super::{About, Policy, Rule, RuleIndex, Span};
use crate::set::{AddressSet, Set};

/// A posture statement: what is cut off, and which rules stay.
#[derive(Clone, Debug)]
pub struct Posture {
    /// Its name.
    pub name: String,
    /// What is cut off. The order does not matter: what any of them cuts off is cut off.
    pub cuts: Vec<Cut>,
    /// Owner, reason and note.
    pub about: About,
    /// Where its name is declared.
    pub span: Span,
}

/// Addresses that are cut off from everything outside of their zones but for some rules.
#[derive(Clone, Debug)]
pub struct Cut {
    /// What is cut off, as a policy would write it.
    pub text: String,
    /// Its addresses.
    pub addresses: AddressSet,
    /// The rules that stay as they are.
    pub except: Vec<RuleIndex>,
}

impl Cut {
    /// True if a rule loses what it says of these addresses.
    fn concerns(&self, rule: RuleIndex) -> bool {
        !self.except.contains(&rule)
    }
}

impl Policy {
    /// The policy under a posture: each allow rule without the addresses that are cut off, on both sides, unless it stays.
    /// That takes away exactly the packets from or to them, and what is left of a rule is one from some addresses to
    /// others. Rules keep their places, also where nothing is left. Who administers the enforcement points, and what is
    /// forbidden, does not change. Of several postures the order does not matter.
    pub fn under(&self, posture: &Posture) -> Policy {
        let mut policy = self.clone();
        let name = self.name.as_deref().unwrap_or("cordon");
        policy.name = Some(format!("{name}, posture {}", posture.name));
        policy.postures.clear();
        for (place, rule) in policy.rules.iter_mut().enumerate() {
            for cut in posture.cuts.iter().filter(|cut| cut.concerns(RuleIndex(place))) {
                rule.lose(&cut.addresses);
            }
        }
        policy
    }
}

impl Rule {
    fn lose(&mut self, addresses: &AddressSet) {
        if self.effect == super::Effect::Allow {
            self.from.addresses = self.from.addresses.difference(addresses);
            self.to.addresses = self.to.addresses.difference(addresses);
        }
    }
}
