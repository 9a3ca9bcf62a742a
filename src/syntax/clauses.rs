//! Clauses that stand in more than one kind of statement: flows, services on the spot, members.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::iterators::Pair;

use super::ast::{Acceptance, Condition, Direction, Flow, Members, ProtocolPorts, Reach, Via, Word};
use super::block::Ctx;
use super::grammar::Rule;
use super::lexical::absent;

impl Ctx<'_> {
    /// The `from`, `to` and `via` clauses among `clauses`.
    pub(super) fn flow(&self, clauses: &[Pair<Rule>]) -> Flow {
        let mut flow = Flow::default();
        for clause in clauses {
            match clause.as_rule() {
                Rule::from => flow.from.push(self.names(clause)),
                Rule::to => flow.to.push(self.names(clause)),
                Rule::via => flow.via.extend(self.via(clause)),
                _ => {}
            }
        }
        flow
    }

    /// The entries of a `via` clause.
    pub(super) fn via(&self, clause: &Pair<Rule>) -> Vec<Via> {
        let entries = clause.clone().into_inner().filter_map(|entry| match entry.as_rule() {
            Rule::name => Some(Via::Service(self.word(&entry))),
            Rule::protocol_ports => Some(Via::Inline(self.protocol_ports(&entry))),
            _ => None,
        });
        entries.collect()
    }

    /// Protocols with their ports.
    pub(super) fn protocol_ports(&self, pair: &Pair<Rule>) -> ProtocolPorts {
        let mut result = ProtocolPorts {
            protocols: Vec::new(),
            ports: Vec::new(),
            message_type: None,
            source_ports: Vec::new(),
            span: self.span(pair),
        };
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::protocol_list => {
                    let words = part.into_inner().flatten();
                    let words = words.filter(|word| matches!(word.as_rule(), Rule::protocol | Rule::word));
                    result.protocols = words.map(|word| self.word(&word)).collect();
                }
                Rule::protocol_arguments => {
                    result.ports = self.words(&part, Rule::port);
                    let message = part.into_inner().find(|inner| inner.as_rule() == Rule::message_type);
                    result.message_type = message.and_then(|m| self.first(&m, &[Rule::name]));
                }
                Rule::source_ports => result.source_ports = self.words(&part, Rule::port),
                _ => {}
            }
        }
        result
    }

    /// A `hosts` or `members` clause.
    pub(super) fn members(&mut self, clause: &Pair<Rule>) -> Option<Members> {
        if clause.as_rule() == Rule::hosts {
            return Some(Members::Hosts(self.names(clause)));
        }
        if clause.as_rule() != Rule::members {
            return None;
        }
        let span = self.span(clause);
        let which = clause
            .clone()
            .into_inner()
            .find(|inner| matches!(inner.as_rule(), Rule::members_inventory | Rule::members_unclassified));
        Some(match which {
            Some(inventory) if inventory.as_rule() == Rule::members_inventory => {
                let part = |rule| inventory.clone().into_inner().find(|inner| inner.as_rule() == rule);
                let at_least = part(Rule::at_least).and_then(|clause| self.first(&clause, &[Rule::word]));
                let condition = part(Rule::condition).map(|pair| self.condition(&pair));
                Members::Inventory { condition, at_least, span }
            }
            Some(_) => Members::Unclassified(span),
            None => Members::All(span),
        })
    }

    /// A condition. The depth of its parentheses was bounded before.
    fn condition(&mut self, pair: &Pair<Rule>) -> Condition {
        let parts = pair.clone().into_inner().filter(|part| part.as_rule() == Rule::conjunction);
        let alternatives: Vec<Condition> = parts.map(|part| self.conjunction(&part)).collect();
        one_or(alternatives, Condition::Any)
    }

    fn conjunction(&mut self, pair: &Pair<Rule>) -> Condition {
        let parts = pair.clone().into_inner().filter(|part| part.as_rule() == Rule::term);
        let terms: Vec<Condition> = parts.map(|part| self.term(&part)).collect();
        one_or(terms, Condition::All)
    }

    fn term(&mut self, pair: &Pair<Rule>) -> Condition {
        let mut negated = false;
        let mut condition = Condition::All(Vec::new());
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::kw_not => negated = !negated,
                Rule::condition => condition = self.condition(&part),
                Rule::comparison => condition = self.comparison(&part),
                _ => {}
            }
        }
        if negated { Condition::Not(Box::new(condition)) } else { condition }
    }

    fn comparison(&mut self, pair: &Pair<Rule>) -> Condition {
        let or_absent = |word: Option<Word>| word.unwrap_or_else(|| absent(self.span(pair)));
        let column = or_absent(self.first(pair, &[Rule::column]));
        let operator = or_absent(self.first(pair, &[Rule::operator]));
        let value = pair.clone().into_inner().find(|part| part.as_rule() == Rule::text);
        let value = self.text(value.as_ref().unwrap_or(pair));
        Condition::Compare { column, operator, value }
    }

    /// A `reaches` or `reached by` clause.
    pub(super) fn reach(&mut self, clause: &Pair<Rule>) -> Option<Reach> {
        let direction = match clause.as_rule() {
            Rule::reaches => Direction::Outward,
            Rule::reached_by => Direction::Inward,
            _ => return None,
        };
        let parts: Vec<Pair<Rule>> = clause.clone().into_inner().collect();
        let mut attributes = Vec::new();
        for part in &parts {
            if let Some(attribute) = self.attribute(part) {
                self.add_attribute(attribute, &mut attributes);
            }
        }
        let via = parts.iter().find(|part| part.as_rule() == Rule::via);
        Some(Reach {
            direction,
            others: self.names(clause),
            via: via.map(|via| self.via(via)).unwrap_or_default(),
            log: self.flag(&parts, Rule::log, "log"),
            during: self.during(&parts),
            attributes,
            acceptances: self.acceptances(clause, &parts),
            span: self.span(clause),
        })
    }

    /// The `accepted` clauses among the `clauses` of a statement, or of a clause that is one by itself.
    pub(super) fn acceptances(&mut self, of: &Pair<Rule>, clauses: &[Pair<Rule>]) -> Vec<Acceptance> {
        let clauses = clauses.iter().filter(|clause| clause.as_rule() == Rule::accepted);
        clauses.map(|clause| self.acceptance(of, clause)).collect()
    }

    fn acceptance(&mut self, of: &Pair<Rule>, clause: &Pair<Rule>) -> Acceptance {
        let (mut codes, mut texts) = (Vec::new(), Vec::new());
        // Where the day is left out, the pair goes on up to the next clause, over blanks and comments.
        let last = clause.clone().into_inner().last();
        let span = self.span(clause).to(self.span(last.as_ref().unwrap_or(clause)));
        for part in clause.clone().into_inner() {
            match part.as_rule() {
                Rule::codes => codes = self.words(&part, Rule::word),
                Rule::text => texts.push(self.text(&part)),
                _ => {}
            }
        }
        let mut texts = texts.into_iter();
        Acceptance {
            codes,
            reason: texts.next().unwrap_or_else(|| absent(self.span(clause))),
            until: texts.next(),
            span,
            statement: self.span(of),
        }
    }

    /// The schedule that a `during` clause names.
    pub(super) fn during(&mut self, clauses: &[Pair<Rule>]) -> Option<Word> {
        self.flag(clauses, Rule::during, "during");
        let during = clauses.iter().find(|clause| clause.as_rule() == Rule::during)?;
        self.first(during, &[Rule::name])
    }
}

/// The only condition, or all of them joined.
fn one_or(mut conditions: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (conditions.pop(), conditions.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            conditions.extend(last);
            join(conditions)
        }
    }
}
