//! One family of one enforcement point: every pair of interfaces, and every state that it knows.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{Bounds, Constants, Stateless};
use super::diagram::{Id, Key};
use super::expected::{Expected, between, zone};
use super::guard::{Reach, Watch, watches};
use super::meaning::{Circumstances, Meaning};
use super::space::variable;
use super::witness::{Depends, Landmarks, describe, take};
use super::{Comparison, Difference, Kind, Place, Platform, WITNESSES};
use crate::ir::{Decider, InterfaceId, ZoneId};
use crate::read::{Interfaces, Model, PacketBox, States};

/// All states, by name.
const STATES: [(&str, States); 5] = [
    ("new", States::NEW),
    ("established", States::ESTABLISHED),
    ("related", States::RELATED),
    ("invalid", States::INVALID),
    ("untracked", States::UNTRACKED),
];

/// What packets are called by a platform that knows no states.
const STATELESS: &str = "any";

/// What fragments other than the first are called by it.
const LATER_FRAGMENT: &str = "later fragment";

/// What packets are called where a guard has counted too many.
const TRIPPED: &str = "too many";

/// Routing protocols that speak from router to router, as well as to a group: EIGRP and OSPF.
const UNICAST_ROUTING: (u8, u8) = (88, 89);

/// Compares what the policy says of one family with what a config does.
pub(super) fn compare<K: Key>(
    place: &Place,
    expected: Expected<K>,
    model: &Model,
    platform: &Platform,
) -> Comparison {
    let Expected { mut space, constants, everything, promised, replies, promised_replies, managed } =
        expected;
    let policy = place.policy;
    let watches = watches(&mut space, place, platform);
    let own = platform.granted.iter().map(|(words, holds)| ((*words).to_owned(), *holds));
    let granted = own.chain(watches.iter().flat_map(Watch::untripped)).collect();
    let names = interfaces(place, model, platform);
    let mut judge = Judge {
        place,
        model,
        platform,
        meaning: Meaning::new(model, space),
        constants,
        everything,
        promised,
        replies,
        promised_replies,
        managed,
        watches,
        granted,
        timeless: policy.rules.iter().all(|rule| policy.when(platform.time.target, rule).is_always()),
        times: BTreeMap::new(),
        landmarks: LazyCell::new(Box::new(move || Landmarks::new(policy))),
        decider: LazyCell::new(Box::new(move || Decider::new(policy))),
        comparison: Comparison::default(),
        reported: BTreeSet::new(),
    };
    for arrives in &names {
        judge.device_itself(arrives);
        for leaves in &names {
            judge.through(arrives, leaves);
        }
    }
    judge.comparison
}

/// The interfaces of the device, those that its config names, and one that neither knows. Where each interface has lists
/// of its own, one that has none is not filtered, and nothing is asked of it.
fn interfaces(place: &Place, model: &Model, platform: &Platform) -> Vec<String> {
    let own = place.policy[place.device].interfaces.iter().map(|interface| interface.name.clone());
    let mut names: BTreeSet<String> = own.collect();
    let rules = model.chains.iter().flat_map(|chain| &chain.rules).map(|rule| &rule.matches);
    for matches in rules.chain(model.filters.iter().map(|filter| &filter.concerns)) {
        for interfaces in [&matches.arrives, &matches.leaves] {
            match interfaces {
                Interfaces::Only(listed) | Interfaces::Except(listed) => {
                    names.extend(listed.iter().map(|name| name.trim_end_matches('*').to_owned()));
                }
                Interfaces::Any => {}
            }
        }
    }
    if !platform.stateful {
        return names.into_iter().collect();
    }
    let mut unknown = "another".to_owned();
    while names.contains(&unknown) {
        unknown.push('_');
    }
    names.insert(unknown);
    names.into_iter().collect()
}

/// One family of one device.
struct Judge<'p, K> {
    place: &'p Place<'p>,
    model: &'p Model,
    platform: &'p Platform,
    meaning: Meaning<'p, K>,
    constants: Constants,
    /// All that the policy allows, and the part of it that no target may leave out.
    everything: Id,
    promised: Id,
    /// Replies to both, where they need a rule.
    replies: Id,
    promised_replies: Id,
    /// What manage statements let to the device.
    managed: Id,
    /// The conditions that guards bring.
    watches: Vec<Watch>,
    /// What is taken for granted of opaque conditions where something has to pass.
    granted: Vec<(String, bool)>,
    /// True if all rules hold at all times.
    timeless: bool,
    /// When the policy allows anything from one zone to another.
    times: BTreeMap<(ZoneId, ZoneId), Id>,
    /// What witnesses are described by, made when there is one.
    landmarks: LazyCell<Landmarks, Box<dyn FnOnce() -> Landmarks + 'p>>,
    decider: LazyCell<Decider<'p>, Box<dyn FnOnce() -> Decider<'p> + 'p>>,
    comparison: Comparison,
    /// Differences that were noted, for packets between two interfaces.
    reported: BTreeSet<(&'p str, Option<&'p str>, Kind, Id)>,
}

impl<'p, K: Key> Judge<'p, K> {
    fn through(&mut self, arrives: &'p str, leaves: &'p str) {
        let place = self.place;
        let ids = place.interface(arrives).zip(place.interface(leaves));
        let nothing = BTreeSet::new();
        let pairs = ids.and_then(|ids| place.pairs.get(&ids)).unwrap_or(&nothing);
        let allowed = self.between(pairs, self.everything);
        let promised =
            if self.promised == self.everything { allowed } else { self.between(pairs, self.promised) };
        let connected = self.connected(pairs);
        let goals = ids.map_or(Id::NONE, |(_, to)| self.goals(to));
        if !self.platform.stateful {
            let carried = ids.is_some_and(|(from, to)| self.is_link(from) && self.is_link(to));
            if carried && pairs.is_empty() {
                return;
            }
            let replies = self.between(pairs, self.replies);
            let promised_replies = self.between(pairs, self.promised_replies);
            let link = ids.map_or(Id::NONE, |(from, _)| self.routing(from));
            let sets = Stateless { allowed, promised, replies, promised_replies, connected, goals, link };
            let mut bounds = self.constants.stateless(&mut self.meaning.space, sets);
            if carried {
                // What a switch carries between other enforcement points is theirs to filter.
                bounds.at_most = Id::ALL;
            }
            let here =
                Circumstances { arrives, leaves: Some(leaves), state: States::NEW, later_fragment: false };
            let counted = ids.map_or(Id::NONE, |(from, _)| self.counted(from, goals));
            let passing = self.meaning.passing(here);
            let passing = self.meaning.space.diagrams.within(counted, passing);
            self.judge(here, STATELESS, passing, bounds);
            if !carried {
                self.later_fragments(counted, here, bounds.at_most, connected);
            }
            return;
        }
        for (state, states) in STATES {
            let here = Circumstances { arrives, leaves: Some(leaves), state: states, later_fragment: false };
            let mut passing = self.meaning.passing(here);
            let diagrams = &mut self.meaning.space.diagrams;
            if self.platform.routed {
                passing = diagrams.within(goals, passing);
            }
            let space = &mut self.meaning.space;
            let bounds = self.constants.through(space, states, allowed, promised, connected);
            self.judge(here, state, passing, bounds);
            self.tripped(here, passing, self.constants.always, bounds.at_least);
        }
    }

    fn device_itself(&mut self, arrives: &'p str) {
        if arrives == self.platform.loopback {
            return;
        }
        let own = self.place.interface(arrives);
        let sources = own.map_or(Id::NONE, |interface| self.sources(interface));
        let managed = self.meaning.space.diagrams.within(sources, self.managed);
        if !self.platform.stateful {
            let here = Circumstances { arrives, leaves: None, state: States::NEW, later_fragment: false };
            let passing = self.meaning.passing(here);
            // Of its own addresses a list knows those of the link that packets arrive on.
            let near =
                own.filter(|interface| !self.is_link(*interface)).map(|interface| self.goals(interface));
            // On a link to another enforcement point there is no list, and who manages may come from anywhere.
            let managed = if near.is_some() { managed } else { self.managed };
            let space = &mut self.meaning.space;
            let owed = space.diagrams.within(near.unwrap_or(Id::ALL), managed);
            let bounds = self.constants.to_stateless(space, managed, owed);
            self.judge(here, STATELESS, passing, bounds);
            return;
        }
        let passable = self.meaning.space.diagrams.within(sources, self.everything);
        for (state, states) in STATES {
            let here = Circumstances { arrives, leaves: None, state: states, later_fragment: false };
            let passing = self.meaning.passing(here);
            let space = &mut self.meaning.space;
            let bounds = self.constants.to_device(space, states, managed, passable, own.is_some());
            self.judge(here, state, passing, bounds);
            let spared = self.meaning.space.diagrams.otherwise(self.constants.link, self.constants.always);
            self.tripped(here, passing, spared, bounds.at_least);
        }
    }

    /// Judges what passes where a guard has counted too many, or cuts off what it watches. Of what the guard counts nothing
    /// passes but what it spares and `spared`, and what it does not count passes as before. To the device itself only who is
    /// put away is kept out.
    fn tripped(&mut self, here: Circumstances<'p>, passing: Id, spared: Id, at_least: Id) {
        for place in 0..self.watches.len() {
            let Some(watch) = self.watches.get(place) else { return };
            let concerned = match watch.reach {
                Reach::New => here.state == States::NEW && here.leaves.is_some(),
                Reach::Known => here.state == States::ESTABLISHED && here.leaves.is_some(),
                Reach::Through => here.leaves.is_some(),
                Reach::Everything => true,
            };
            if !concerned {
                continue;
            }
            let stays = match here.state {
                States::ESTABLISHED => watch.spared_known,
                States::RELATED => watch.spared_related,
                // What is of no connection passes where it may open one, if at all.
                _ => watch.spared,
            };
            let (counted, held) = (watch.counted, watch.held());
            let space = &mut self.meaning.space;
            let passing = space.granting(passing, &held);
            let others = space.diagrams.without(Id::ALL, counted);
            let others = space.diagrams.otherwise(others, stays);
            let at_most = space.diagrams.otherwise(others, spared);
            let at_least = space.diagrams.within(others, at_least);
            self.judge(here, TRIPPED, passing, Bounds::exact(at_least, at_most));
        }
    }

    fn between(&mut self, pairs: &BTreeSet<(ZoneId, ZoneId)>, allowed: Id) -> Id {
        between(&mut self.meaning.space, self.place.policy, pairs, allowed)
    }

    /// All packets between zones of which the policy allows one to open connections to the other. Without state, only
    /// while it does so.
    fn connected(&mut self, pairs: &BTreeSet<(ZoneId, ZoneId)>) -> Id {
        let mut by_time: BTreeMap<Id, BTreeSet<(ZoneId, ZoneId)>> = BTreeMap::new();
        for (from, to) in pairs {
            let (forth, back) = (self.times(*from, *to), self.times(*to, *from));
            let times = self.meaning.space.diagrams.otherwise(forth, back);
            if times != Id::NONE {
                let times = if self.platform.stateful { Id::ALL } else { times };
                by_time.entry(times).or_default().insert((*from, *to));
            }
        }
        let sets = by_time.into_iter().map(|(times, pairs)| self.between(&pairs, times)).collect();
        self.meaning.space.diagrams.first_of(sets)
    }

    /// When the policy allows anything from one zone to another.
    fn times(&mut self, from: ZoneId, to: ZoneId) -> Id {
        if let Some(known) = self.times.get(&(from, to)) {
            return *known;
        }
        let mut times = self.between(&BTreeSet::from([(from, to)]), self.everything);
        if self.timeless && times != Id::NONE {
            times = Id::ALL;
        }
        for place in 0..variable::SECOND {
            times = self.meaning.space.diagrams.quantified(times, place, false);
        }
        self.times.insert((from, to), times);
        times
    }

    /// The packets whose sources lie behind an interface.
    fn sources(&mut self, interface: InterfaceId) -> Id {
        let zones = self.place.arrivals.get(&interface).into_iter().flatten();
        let sets =
            zones.map(|id| zone(&mut self.meaning.space, self.place.policy, variable::SOURCE, *id)).collect();
        self.meaning.space.diagrams.first_of(sets)
    }

    fn is_link(&self, interface: InterfaceId) -> bool {
        self.place.policy[self.place.device][interface].link.is_some()
    }

    /// Routing protocols between addresses behind one interface.
    fn routing(&mut self, interface: InterfaceId) -> Id {
        let (sources, goals) = (self.sources(interface), self.goals(interface));
        let space = &mut self.meaning.space;
        let routing = space.of_box(&PacketBox { protocol: UNICAST_ROUTING, ..PacketBox::all(space.family) });
        let near = space.diagrams.within(sources, routing);
        space.diagrams.within(goals, near)
    }

    /// The packets whose destinations lie behind an interface.
    fn goals(&mut self, interface: InterfaceId) -> Id {
        let zones = self.place.departures.get(&interface).into_iter().flatten();
        let side = variable::DESTINATION;
        let sets = zones.map(|id| zone(&mut self.meaning.space, self.place.policy, side, *id)).collect();
        self.meaning.space.diagrams.first_of(sets)
    }

    /// Judges later fragments, which a platform without states does not put together. They show addresses and a protocol
    /// only, so one may pass if some packet with these may, or if it goes between zones that are connected: a list that
    /// denies ports of some addresses, to permit them to the rest, denies no fragments of these. A host that has not got
    /// the first fragment drops the others, so none has to pass.
    fn later_fragments(&mut self, counted: Id, here: Circumstances<'p>, whole: Id, connected: Id) {
        let here = Circumstances { later_fragment: true, ..here };
        let passing = self.meaning.passing(here);
        let diagrams = &mut self.meaning.space.diagrams;
        let passing = diagrams.within(counted, passing);
        let mut at_most = diagrams.otherwise(whole, connected);
        if self.place.policy[self.place.device].denies_fragments.is_some() {
            at_most = Id::NONE;
        }
        for place in [variable::FLAGS, variable::DESTINATION_PORT, variable::SOURCE_PORT] {
            at_most = diagrams.quantified(at_most, place, false);
        }
        self.judge(here, LATER_FRAGMENT, passing, Bounds::exact(Id::NONE, at_most));
    }

    /// What of the packets for some goals counts on a switch. A link to another enforcement point has no list, and who
    /// filters there lets nothing over it but from the zones behind it.
    fn counted(&mut self, from: InterfaceId, goals: Id) -> Id {
        if !self.is_link(from) {
            return goals;
        }
        let sources = self.sources(from);
        self.meaning.space.diagrams.within(sources, goals)
    }

    /// Notes where what passes goes beyond its bounds. Conditions that the model has no variable for may hold or not:
    /// nothing may pass if they turn out one way, and what has to pass has to do so whichever way they do.
    fn judge(&mut self, here: Circumstances<'p>, state: &'static str, passing: Id, bounds: Bounds) {
        let space = &mut self.meaning.space;
        self.comparison.compared += 1;
        let possible = space.without_opaque(passing, false);
        let granted = space.granting(passing, &self.granted);
        let certain = space.without_opaque(granted, true);
        let opened = space.diagrams.without(possible, bounds.at_most);
        let closed = space.diagrams.without(bounds.at_least, certain);
        let impossible = space.diagrams.without(bounds.possible, possible);
        let closed = space.diagrams.otherwise(closed, impossible);
        let found = [(Kind::Opened, opened), (Kind::Closed, closed)];
        for (kind, set) in found {
            // What is the same in the state before needs no second report.
            let known = self.reported.contains(&(here.arrives, here.leaves, kind, set));
            if set != Id::NONE && !known {
                self.reported.insert((here.arrives, here.leaves, kind, set));
                self.differ(here, state, kind, set);
            }
        }
    }

    fn differ(&mut self, here: Circumstances<'p>, state: &'static str, kind: Kind, set: Id) {
        let space = &mut self.meaning.space;
        let packets = space.count(set);
        let at_some_moment = space.diagrams.quantified(set, variable::MOMENT, false);
        let (mut witnesses, mut rest) = (Vec::new(), set);
        while witnesses.len() < WITNESSES
            && let Some((point, others)) = take(space, &self.landmarks, rest)
        {
            let policy = self.place.policy;
            let depends = Depends { on_week: !policy.schedules.is_empty(), on_dates: at_some_moment != set };
            witnesses.push(describe(policy, &self.decider, self.model, &point, here, depends));
            rest = others;
        }
        self.comparison.differences.push(Difference {
            kind,
            family: space.family,
            arrives: here.arrives.to_owned(),
            leaves: here.leaves.map(str::to_owned),
            state,
            packets,
            witnesses,
        });
    }
}
