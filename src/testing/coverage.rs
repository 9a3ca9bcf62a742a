//! Coverage: which statements the tests touch.
//!
//! A statement is touched by a test that asks about a packet which it decides. An `allow` decides all that it allows and
//! nothing forbids, and a `forbid` all that it forbids. So an `allow` and another one that says part of the same are both
//! touched by a packet in both. Worked out over sets, not on samples.

use serde::Serialize;

use super::{Judge, Question, Test};
use crate::check::packets_of;
use crate::ir::{Effect, Part, Policy, RuleIndex};
use crate::set::{PacketSet, Set};
use crate::source::Sources;

/// How many statements the tests touch, and which.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    /// How many statements are touched.
    pub touched: usize,
    /// Of how many.
    pub statements: usize,
    /// The share in percent, cut off behind one decimal.
    pub percent: f64,
    /// Statement by statement, in the order of their places.
    pub rules: Vec<Statement>,
}

/// A statement, and how many tests touch it.
#[derive(Clone, Debug, Serialize)]
pub struct Statement {
    /// Its id.
    pub id: String,
    /// `allow` or `forbid`.
    pub effect: &'static str,
    /// Its file, below the policy's directory.
    pub file: String,
    /// The line where it stands.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// How many tests touch it.
    pub tests: usize,
}

impl Judge<'_> {
    /// The rules that a test touches.
    pub fn touched(&self, test: &Test) -> Vec<RuleIndex> {
        match &test.question {
            Question::Packet { packet, .. } => self.decider.deciding(packet),
            Question::Assertion(assertion) => {
                let sets = packets_of(&self.zones, assertion);
                let mut rules: Vec<RuleIndex> = sets
                    .flat_map(|((from, to), packets)| {
                        deciding(self.policy, self.conduits.between(from, to), packets)
                    })
                    .collect();
                rules.sort_unstable();
                rules.dedup();
                rules
            }
        }
    }

    /// The rules that decide on any packet at all. One that stays inside one zone does not.
    fn deciding_any(&self) -> Vec<RuleIndex> {
        let parts = self.conduits.iter().flat_map(|(_, parts)| {
            parts.iter().flat_map(|part| {
                let packets = part.packets(&self.policy[part.rule].services);
                let rules = deciding(self.policy, parts, packets);
                rules.contains(&part.rule).then_some(part.rule)
            })
        });
        let mut rules: Vec<RuleIndex> = parts.collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// The coverage, from the number of tests that touch each rule. A rule that decides nothing is not counted.
    pub fn coverage(&self, sources: &Sources, tests: impl Fn(RuleIndex) -> usize) -> Coverage {
        let rules = self.deciding_any();
        let mut rules: Vec<Statement> =
            rules.into_iter().map(|rule| statement(self.policy, sources, rule, tests(rule))).collect();
        rules.sort_by(|one, other| {
            let place = |rule: &Statement| (rule.file.clone(), rule.line, rule.column);
            place(one).cmp(&place(other))
        });
        let touched = rules.iter().filter(|rule| rule.tests > 0).count();
        let statements = rules.len();
        let permille = (touched * 1000).checked_div(statements).unwrap_or(1000);
        let percent = u32::try_from(permille).map_or(100.0, |permille| f64::from(permille) / 10.0);
        Coverage { touched, statements, percent, rules }
    }
}

impl Coverage {
    /// True if the share is less than so many percent. Compared exactly.
    pub fn is_below(&self, percent: u8) -> bool {
        self.touched * 100 < usize::from(percent) * self.statements
    }
}

fn statement(policy: &Policy, sources: &Sources, rule: RuleIndex, tests: usize) -> Statement {
    let rule = &policy[rule];
    let place = sources.locate(rule.span);
    Statement {
        id: rule.id.clone(),
        effect: rule.effect.keyword(),
        file: place.path,
        line: place.line,
        column: place.column,
        tests,
    }
}

/// The rules with a part between two zones that decides on any of these packets.
fn deciding(policy: &Policy, parts: &[Part], packets: PacketSet) -> Vec<RuleIndex> {
    let mut rules = Vec::new();
    let mut open = packets.clone();
    for part in parts {
        let own = part.packets(&policy[part.rule].services);
        match policy[part.rule].effect {
            // Forbids stand before allows, so that none is missing once the first allow comes.
            Effect::Forbid => {
                if !own.v4.is_disjoint(&packets.v4) || !own.v6.is_disjoint(&packets.v6) {
                    rules.push(part.rule);
                    open = open.difference(&own);
                }
            }
            Effect::Allow => {
                if !own.v4.is_disjoint(&open.v4) || !own.v6.is_disjoint(&open.v6) {
                    rules.push(part.rule);
                }
            }
        }
    }
    rules
}
