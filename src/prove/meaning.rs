//! What a config accepts: from the model of a reader to sets of packets.
//!
//! Interfaces, state and whether a packet is a later fragment are fixed before a set is made, since they choose whole
//! chains; everything else is a variable of the diagrams.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagram::{Id, Key};
use super::space::Space;
use crate::read::{
    Action, Chain, ChainId, Condition, Filter, Interfaces, Match, Model, PacketBox, Rule, States,
};

/// What is fixed of a packet before a set is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Circumstances<'c> {
    /// The interface that it arrives on.
    pub(super) arrives: &'c str,
    /// The interface that it leaves by; none if it is for the device itself.
    pub(super) leaves: Option<&'c str>,
    /// Its state: exactly one.
    pub(super) state: States,
    /// True for fragments other than the first.
    pub(super) later_fragment: bool,
}

/// The largest chain of which all rules are looked at to find those for an interface.
const SMALL_CHAIN: usize = 16;

/// What opaque conditions of netfilter begin with that answer each rule on its own, as a bucket of tokens does: two rules
/// that ask the same may get different answers. Those of other platforms name their place themselves.
const EVENTS: [&str; 6] = ["connlimit ", "hashlimit ", "limit ", "quota ", "recent ", "statistic "];

/// What a model accepts, worked out chain by chain and kept.
pub(super) struct Meaning<'m, K> {
    model: &'m Model,
    pub(super) space: Space<K>,
    facts: Vec<Facts<'m>>,
    conditions: BTreeMap<(*const PacketBox, usize, bool), Id>,
    chains: BTreeMap<Visit<'m>, Id>,
    /// How many chains are being worked out, each for the one before.
    depth: usize,
}

/// How many chains may be worked out within each other, before those further down are worked out by themselves. Kernels
/// allow for 16; a text may hold any number, and a stack may not.
const DEEP: usize = 100;

/// A chain, and what of the circumstances it depends on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Visit<'c> {
    chain: ChainId,
    arrives: Option<&'c str>,
    leaves: Option<Option<&'c str>>,
    state: States,
    later_fragment: bool,
}

/// What has to be known of a chain before it is worked out.
#[derive(Clone, Debug, Default)]
struct Facts<'m> {
    /// Whether it depends on the interface that packets arrive on, or leave by, and on their state.
    arrives: bool,
    leaves: bool,
    states: bool,
    /// In a large chain, the places of rules for one arriving interface, and of all others.
    by_arrival: BTreeMap<&'m str, Vec<usize>>,
    for_any: Vec<usize>,
}

impl Facts<'_> {
    /// Whether it depends on the interface that packets arrive on, on that which they leave by, and on their state.
    fn dependence(&self) -> [bool; 3] {
        [self.arrives, self.leaves, self.states]
    }
}

impl<'m, K: Key> Meaning<'m, K> {
    /// Prepares a model. `space` is of the family that is asked about.
    pub(super) fn new(model: &'m Model, space: Space<K>) -> Self {
        let (conditions, chains) = (BTreeMap::new(), BTreeMap::new());
        Meaning { model, space, facts: facts(model), conditions, chains, depth: 0 }
    }

    /// The packets that pass all filters on the way from one interface to another, or to the device itself.
    pub(super) fn passing(&mut self, here: Circumstances<'m>) -> Id {
        let model = self.model;
        let on_path = |filter: &&Filter| match here.leaves {
            Some(_) => filter.paths.through,
            None => filter.paths.to_device,
        };
        let mut passing = Id::ALL;
        for filter in model.filters.iter().filter(on_path) {
            let concerned = self.matching(&filter.concerns, filter.line, here);
            if concerned == Id::NONE {
                continue;
            }
            let verdict = self.chain(filter.chain, here);
            let diagrams = &mut self.space.diagrams;
            let accepted = if filter.otherwise_accept {
                diagrams.not_dropped(verdict)
            } else {
                diagrams.accepted(verdict)
            };
            let stopped = diagrams.without(concerned, accepted);
            passing = diagrams.without(passing, stopped);
        }
        passing
    }

    /// The packets that a rule matches.
    fn matching(&mut self, matches: &'m Match, line: usize, here: Circumstances<'m>) -> Id {
        if !applies(matches, here) {
            return Id::NONE;
        }
        // Most conditions are one box each, and what lies in several boxes lies in one.
        let is_box = |condition: &&Condition| !condition.negated && condition.boxes.len() == 1;
        let (boxes, others): (Vec<&Condition>, Vec<&Condition>) = matches.conditions.iter().partition(is_box);
        let mut common = Some(PacketBox::all(self.space.family));
        for packets in boxes.into_iter().flat_map(|condition| condition.boxes.iter()) {
            common = common.and_then(|common| common.intersection(packets));
        }
        let mut set = common.map_or(Id::NONE, |common| self.space.of_box(&common));
        for condition in others {
            let condition = self.condition(condition);
            set = self.space.diagrams.within(condition, set);
        }
        for text in &matches.opaque {
            let condition = if EVENTS.iter().any(|event| text.starts_with(event)) {
                self.space.of_opaque(&format!("{text} (line {line})"))
            } else {
                self.space.of_opaque(text)
            };
            set = self.space.diagrams.within(condition, set);
        }
        set
    }

    fn condition(&mut self, condition: &Condition) -> Id {
        // The boxes live as long as the model, so their place tells one set from all others.
        let key =
            (Arc::as_ptr(&condition.boxes).cast::<PacketBox>(), condition.boxes.len(), condition.negated);
        if let Some(known) = self.conditions.get(&key) {
            return *known;
        }
        let boxes = self.space.of_boxes(&condition.boxes);
        let set = if condition.negated { self.space.diagrams.without(Id::ALL, boxes) } else { boxes };
        if condition.boxes.len() > 1 {
            self.conditions.insert(key, set);
        }
        set
    }

    /// What a chain decides.
    fn chain(&mut self, id: ChainId, here: Circumstances<'m>) -> Id {
        if let Some(known) = self.known(id, here) {
            return known;
        }
        if self.depth >= DEEP {
            self.work_out_below(id, here);
        }
        self.depth += 1;
        let decided = self.decided(id, here);
        self.depth -= 1;
        decided
    }

    /// What is known of a chain already; a chain that there is not decides nothing.
    fn known(&self, id: ChainId, here: Circumstances<'m>) -> Option<Id> {
        match self.visit(id, here) {
            Some(visit) => self.chains.get(&visit).copied(),
            None => Some(Id::UNDECIDED),
        }
    }

    fn visit(&self, id: ChainId, here: Circumstances<'m>) -> Option<Visit<'m>> {
        let facts = self.facts.get(id.0)?;
        Some(Visit {
            chain: id,
            arrives: facts.arrives.then_some(here.arrives),
            leaves: facts.leaves.then_some(here.leaves),
            state: if facts.states { here.state } else { States::ALL },
            later_fragment: here.later_fragment,
        })
    }

    /// Works out all chains that a chain leads to, the last of them first, so that none waits for another.
    ///
    /// INVARIANT: it comes to an end since readers refuse chains that call each other in a circle.
    fn work_out_below(&mut self, id: ChainId, here: Circumstances<'m>) {
        let model = self.model;
        let mut waiting = vec![(id, false)];
        while let Some((next, has_been_opened)) = waiting.pop() {
            if self.known(next, here).is_some() {
                continue;
            }
            if has_been_opened {
                self.decided(next, here);
                continue;
            }
            waiting.push((next, true));
            let rules = model.chains.get(next.0).into_iter().flat_map(|chain| &chain.rules);
            let rules = rules.filter(|rule| applies(&rule.matches, here));
            waiting.extend(rules.filter_map(|rule| target(rule.action)).map(|called| (called, false)));
        }
    }

    fn decided(&mut self, id: ChainId, here: Circumstances<'m>) -> Id {
        let model = self.model;
        let (Some(chain), Some(facts), Some(visit)) =
            (model.chains.get(id.0), self.facts.get(id.0), self.visit(id, here))
        else {
            return Id::UNDECIDED;
        };
        let places = candidates(chain, facts, here.arrives);
        let mut decisions: Vec<(Action, Vec<Id>)> = Vec::new();
        let rules = places.into_iter().filter_map(|place| chain.rules.get(place));
        for rule in rules.filter(|rule| rule.action != Action::Continue) {
            let matching = self.matching(&rule.matches, rule.line, here);
            if matching == Id::NONE {
                continue;
            }
            let action = self.action(rule, here);
            let decision = self.space.diagrams.within(matching, action);
            let final_action = matches!(rule.action, Action::Accept | Action::Drop);
            match decisions.last_mut().filter(|(before, _)| final_action && *before == rule.action) {
                Some((_, alike)) => alike.push(decision),
                None => decisions.push((rule.action, vec![decision])),
            }
            let decides_all = [Id::ACCEPT, Id::DROP, Id::LEFT].contains(&action);
            if matching == Id::ALL && decides_all {
                break;
            }
        }
        // Of neighbours that do the same, it does not matter which one decides.
        let decided = decisions.into_iter().map(|(_, alike)| self.space.diagrams.union(alike)).collect();
        let decided = self.space.diagrams.first_of(decided);
        let decided = self.space.diagrams.settled(decided);
        self.chains.insert(visit, decided);
        decided
    }

    fn action(&mut self, rule: &'m Rule, here: Circumstances<'m>) -> Id {
        match rule.action {
            Action::Accept => Id::ACCEPT,
            Action::Drop => Id::DROP,
            Action::Return => Id::LEFT,
            Action::Continue => Id::UNDECIDED,
            Action::Jump(chain) => self.chain(chain, here),
            Action::Goto(chain) => {
                let decided = self.chain(chain, here);
                self.space.diagrams.otherwise(decided, Id::LEFT)
            }
        }
    }
}

/// True if a rule can match under the circumstances.
fn applies(matches: &Match, here: Circumstances) -> bool {
    let leaves = match here.leaves {
        Some(name) => matches.leaves.contains(name),
        None => matches.leaves == Interfaces::Any,
    };
    leaves
        && matches.arrives.contains(here.arrives)
        && matches.states.contains(here.state)
        && matches.later_fragments.is_none_or(|later| later == here.later_fragment)
}

/// The places of rules that can match what arrives on an interface, in their order.
fn candidates(chain: &Chain, facts: &Facts, arrives: &str) -> Vec<usize> {
    if facts.by_arrival.is_empty() {
        return (0..chain.rules.len()).collect();
    }
    let own = facts.by_arrival.get(arrives).map_or(&[][..], Vec::as_slice);
    let mut places: Vec<usize> = own.iter().chain(&facts.for_any).copied().collect();
    places.sort_unstable();
    places
}

/// The facts of all chains. What a chain depends on, those that lead to it depend on too.
fn facts(model: &Model) -> Vec<Facts<'_>> {
    let mut facts: Vec<Facts> = model.chains.iter().map(own_facts).collect();
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); facts.len()];
    for (place, chain) in model.chains.iter().enumerate() {
        for called in chain.rules.iter().filter_map(|rule| target(rule.action)) {
            callers.get_mut(called.0).into_iter().for_each(|callers| callers.push(place));
        }
    }
    callers.iter_mut().for_each(Vec::dedup);
    let mut changed: Vec<usize> = (0..facts.len()).collect();
    while let Some(place) = changed.pop() {
        let Some(called) = facts.get(place).map(Facts::dependence) else { continue };
        for caller in callers.get(place).into_iter().flatten() {
            let Some(own) = facts.get_mut(*caller) else { continue };
            let before = own.dependence();
            let [arrives, leaves, states] = called;
            own.arrives |= arrives;
            own.leaves |= leaves;
            own.states |= states;
            if own.dependence() != before {
                changed.push(*caller);
            }
        }
    }
    facts
}

fn target(action: Action) -> Option<ChainId> {
    match action {
        Action::Jump(chain) | Action::Goto(chain) => Some(chain),
        Action::Accept | Action::Drop | Action::Return | Action::Continue => None,
    }
}

fn own_facts(chain: &Chain) -> Facts<'_> {
    let mut facts = Facts::default();
    for (place, rule) in chain.rules.iter().enumerate() {
        let matches = &rule.matches;
        facts.arrives |= matches.arrives != Interfaces::Any;
        facts.leaves |= matches.leaves != Interfaces::Any;
        facts.states |= matches.states != States::ALL;
        if chain.rules.len() <= SMALL_CHAIN {
            continue;
        }
        match &matches.arrives {
            Interfaces::Only(names) => match &names[..] {
                [name] if !name.ends_with('*') => facts.by_arrival.entry(name).or_default().push(place),
                _ => facts.for_any.push(place),
            },
            Interfaces::Any | Interfaces::Except(_) => facts.for_any.push(place),
        }
    }
    facts
}
