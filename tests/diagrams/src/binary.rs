//! What a policy allows as a binary decision diagram over the bits of the same fields.

use std::collections::BTreeMap;

use biodivine_lib_bdd::{Bdd, BddPartialValuation, BddVariable, BddVariableSet};
use cordon::ir::{Effect, Policy};
use cordon::set::{Interval, IntervalSet, Point};

use crate::Taken;
use crate::speed::timed;

/// The bits of source, destination, protocol, source port and destination port, in the order in which they are read.
const WIDTHS: [u16; 5] = [32, 32, 8, 16, 16];

struct Fields {
    variables: BddVariableSet,
    bits: [Vec<BddVariable>; 5],
}

impl Fields {
    fn new() -> Self {
        let variables = BddVariableSet::new_anonymous(WIDTHS.iter().sum());
        let mut all = variables.variables().into_iter();
        let bits = WIDTHS.map(|width| all.by_ref().take(width.into()).collect());
        Fields { variables, bits }
    }

    /// The packets with a field in an interval: for each prefix of it a conjunction of bits, which is the quickest way.
    fn interval(&self, field: usize, first: u32, last: u32) -> Bdd {
        let bits = &self.bits[field];
        let mut prefixes = Vec::new();
        let mut at = u64::from(first);
        while at <= u64::from(last) {
            let fits = |free: &u32| at % (1 << free) == 0 && at + (1 << free) - 1 <= u64::from(last);
            let free = (0..=WIDTHS[field].into()).rev().find(fits).unwrap_or(0);
            let mut fixed = BddPartialValuation::empty();
            for (place, bit) in bits.iter().rev().enumerate().skip(free as usize) {
                fixed.set_value(*bit, at >> place & 1 == 1);
            }
            prefixes.push(self.variables.mk_conjunctive_clause(&fixed));
            at += 1 << free;
        }
        self.union(prefixes)
    }

    fn intervals<T: Point + Into<u32>>(&self, field: usize, set: &IntervalSet<T>) -> Bdd {
        let one =
            |interval: Interval<T>| self.interval(field, interval.first().into(), interval.last().into());
        self.union(set.intervals().map(one).collect())
    }

    /// In a balanced tree, as the interval diagrams were joined first.
    fn union(&self, mut sets: Vec<Bdd>) -> Bdd {
        while sets.len() > 1 {
            let pairs = sets.chunks(2);
            sets = pairs
                .map(|pair| if let [one, other] = pair { one.or(other) } else { pair[0].clone() })
                .collect();
        }
        sets.pop().unwrap_or_else(|| self.variables.mk_false())
    }

    fn allowed(&self, policy: &Policy) -> Bdd {
        let mut known: BTreeMap<String, Bdd> = BTreeMap::new();
        let (mut allowed, mut forbidden) = (Vec::new(), Vec::new());
        for rule in &policy.rules {
            let services = &rule.services.v4;
            let traffic = known.entry(format!("{services:?}")).or_insert_with(|| {
                let mut parts = Vec::new();
                for (protocols, ports) in services.entries() {
                    let protocol = self.interval(2, protocols.first().into(), protocols.last().into());
                    for (sources, destinations) in ports.entries() {
                        let source = self.interval(3, sources.first().into(), sources.last().into());
                        parts.push(protocol.and(&source).and(&self.intervals(4, destinations)));
                    }
                }
                self.union(parts)
            });
            let (from, to) = (&rule.from.addresses.v4, &rule.to.addresses.v4);
            let packets = self.intervals(0, from).and(&self.intervals(1, to)).and(traffic);
            match rule.effect {
                Effect::Allow => allowed.push(packets),
                Effect::Forbid => forbidden.push(packets),
            }
        }
        self.union(allowed).and_not(&self.union(forbidden))
    }
}

/// Measures binary decision diagrams.
pub(crate) fn measure(policy: &Policy, fewer: &Policy) -> Taken {
    let fields = Fields::new();
    let (all, build) = timed(|| fields.allowed(policy));
    let some = fields.allowed(fewer);
    let (differ, compare) = timed(|| [all.and_not(&some), some.and_not(&all)]);
    assert!(!differ[0].is_false() && differ[1].is_false());
    Taken {
        nodes: all.size(),
        edges: 2 * all.size(),
        // A node is a variable of 16 bits and two places of 32, and takes 12 bytes.
        kibibytes: all.size() * 12 / 1024,
        build_seconds: build.as_secs_f64(),
        compare_seconds: compare.as_secs_f64(),
    }
}
