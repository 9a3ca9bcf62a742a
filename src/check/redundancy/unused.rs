//! Groups that nothing names.
//!
//! Of the other names, services and schedules are looked after where they are resolved. A zone, a class or a peer that no
//! statement names is not without use: it says what is there, what it holds is denied, and whoever reads the policy sees
//! it. A group says nothing but its name.

use std::collections::BTreeSet;

use crate::check::error::CheckError;
use crate::check::{Statements, siblings};
use crate::diag::Diagnostics;
use crate::ir::Policy;
use crate::syntax::ast::{Names, Word};

/// Reports each group that no statement names.
pub(super) fn check(policy: &Policy, statements: &Statements, diagnostics: &mut Diagnostics) {
    let rules = statements.rules.iter().map(|rule| &rule.flow);
    let managements = statements.managements.iter().map(|manage| &manage.flow);
    let assertions = statements.assertions.iter().map(|assertion| &assertion.flow);
    let flows = rules.chain(managements).chain(assertions).flat_map(|flow| [&flow.from, &flow.to]);
    let groups = statements.groups.iter().map(|group| &group.members);
    let reaches = statements.classes.iter().flat_map(|class| &class.reaches).map(|reach| &reach.others);
    let isolated = statements.postures.iter().flat_map(|posture| &posture.isolate);
    let lists = flows.chain(groups).flatten().chain(reaches).chain(isolated);
    let words = lists.flat_map(|names: &Names| names.list.iter().chain(&names.except));
    let words = words.chain(statements.guards.iter().map(|guard| &guard.subject));
    let used: BTreeSet<&str> = words.map(|word: &Word| word.node.as_str()).collect();
    for group in statements.groups.iter().filter(|group| !used.contains(group.name.node.as_str())) {
        if !siblings::compares(policy, group) {
            let (name, span) = (group.name.node.clone(), group.name.span);
            diagnostics.push(CheckError::Unused { kind: "group", name, span });
        }
    }
}
