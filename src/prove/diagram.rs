//! Interval decision diagrams: functions of a packet, each held once.
//!
//! A diagram reads one variable after the other, in one fixed order, and at each goes on by the interval that holds its
//! value, until it comes to an outcome. Equal functions are the same [`Id`], since no two nodes are alike, none has
//! neighbouring intervals that lead on alike, and none has a single interval (Strehl and Thiele, "Interval Diagrams for
//! Efficient Symbolic Verification of Process Networks", IEEE TCAD 19(8), 2000). So whether two configs mean the same is
//! one comparison, over all packets.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// A value of a variable: `u32` is enough for IPv4, IPv6 takes `u128`.
pub(super) trait Key: Copy + Ord + Hash {
    /// The same as a number.
    fn number(self) -> u128;
    /// A number as a value; the largest one where it does not fit.
    fn of(number: u128) -> Self;
}

impl Key for u32 {
    fn number(self) -> u128 {
        self.into()
    }

    fn of(number: u128) -> Self {
        u32::try_from(number).unwrap_or(u32::MAX)
    }
}

impl Key for u128 {
    fn number(self) -> u128 {
        self
    }

    fn of(number: u128) -> Self {
        number
    }
}

/// A diagram, or the outcome that it always comes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Id(u32);

impl Id {
    /// Nothing is decided. As a set: it holds no packet.
    pub(super) const UNDECIDED: Id = Id(0);
    /// The chain is left without a decision.
    pub(super) const LEFT: Id = Id(1);
    /// The packet is accepted. As a set: it holds every packet.
    pub(super) const ACCEPT: Id = Id(2);
    /// The packet is dropped.
    pub(super) const DROP: Id = Id(3);

    /// The set without a packet.
    pub(super) const NONE: Id = Id::UNDECIDED;
    /// The set of all packets.
    pub(super) const ALL: Id = Id::ACCEPT;

    const OUTCOMES: u32 = 4;

    fn is_outcome(self) -> bool {
        self.0 < Id::OUTCOMES
    }
}

/// How two diagrams become one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Operation {
    /// The first one where it decides, or else the second.
    Otherwise,
    /// The second one where the first, a set, holds the packet; undecided elsewhere.
    Within,
    /// The first one where the second, a set, does not hold the packet; undecided elsewhere.
    Without,
    /// The first one, with what leaves it undecided instead. The second counts for nothing, as in what follows.
    Settled,
    /// The set of what the first one accepts.
    Accepted,
    /// The set of what the first one does not drop.
    NotDropped,
    /// The first one, a set, without a variable: what it holds for some value of it, or for all.
    ForSome(u16),
    ForAll(u16),
}

#[derive(Clone, Copy, Debug)]
struct Node {
    variable: u16,
    start: u32,
    end: u32,
}

/// The values up to `last`, from behind those of the edge before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Edge<K> {
    last: K,
    child: Id,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    operation: Operation,
    one: Id,
    other: Id,
    result: Id,
}

/// Diagrams that were joined, and what they became.
#[derive(Debug)]
struct Joined {
    list: Box<[Id]>,
    result: Id,
}

/// Values for which one of some diagrams goes on to `child`.
#[derive(Clone, Copy, Debug)]
struct Run<K> {
    first: K,
    last: K,
    /// The place of the diagram among them.
    rank: usize,
    child: Id,
}

/// How many diagrams are joined at once at most: enough that few nodes are made on the way, and few enough that those
/// that are open at one value are gone through quickly.
const JOINED: usize = 64;

/// Diagrams over the same variables.
#[derive(Debug)]
pub(super) struct Diagrams<K> {
    /// The largest value of each variable.
    lasts: Vec<K>,
    nodes: Vec<Node>,
    edges: Vec<Edge<K>>,
    /// Edges of nodes that are being made.
    pending: Vec<Edge<K>>,
    unique: HashTable<Id>,
    memory: HashTable<Remembered>,
    joined: HashTable<Joined>,
    hasher: DefaultHashBuilder,
}

impl<K: Key> Diagrams<K> {
    /// No diagrams yet, over variables with these largest values; the smallest is 0.
    pub(super) fn new(lasts: Vec<K>) -> Self {
        Diagrams {
            lasts,
            nodes: Vec::new(),
            edges: Vec::new(),
            pending: Vec::new(),
            unique: HashTable::new(),
            memory: HashTable::new(),
            joined: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Adds a variable behind all others, and gives its place.
    pub(super) fn add_variable(&mut self, last: K) -> u16 {
        self.lasts.push(last);
        u16::try_from(self.lasts.len() - 1).unwrap_or(u16::MAX)
    }

    /// A diagram that goes on to `inside` where a variable lies in one of some intervals, both ends included, and is
    /// undecided elsewhere. The intervals ascend and are disjoint; `inside` reads later variables only.
    pub(super) fn choose(
        &mut self,
        variable: u16,
        intervals: impl IntoIterator<Item = (K, K)>,
        inside: Id,
    ) -> Id {
        let base = self.pending.len();
        let mut next = Some(0);
        for (first, last) in intervals {
            let (first, last) = (first.number(), last.number());
            if next.is_some_and(|next| next < first) {
                self.push_edge(base, K::of(first.saturating_sub(1)), Id::UNDECIDED);
            }
            self.push_edge(base, K::of(last), inside);
            next = last.checked_add(1);
        }
        let end = self.last(variable);
        if next.is_some_and(|next| next <= end.number()) {
            self.push_edge(base, end, Id::UNDECIDED);
        }
        self.node(variable, base)
    }

    /// The first diagram where it decides, or else the second. For sets: what is in either.
    pub(super) fn otherwise(&mut self, one: Id, other: Id) -> Id {
        self.apply(Operation::Otherwise, one, other)
    }

    /// A diagram where a set holds the packet, undecided elsewhere. For two sets: what is in both.
    pub(super) fn within(&mut self, set: Id, diagram: Id) -> Id {
        self.apply(Operation::Within, set, diagram)
    }

    /// A diagram where a set does not hold the packet, undecided elsewhere. For two sets: what is in the first only.
    pub(super) fn without(&mut self, diagram: Id, set: Id) -> Id {
        self.apply(Operation::Without, diagram, set)
    }

    /// A diagram in which what leaves it is undecided.
    pub(super) fn settled(&mut self, diagram: Id) -> Id {
        self.apply(Operation::Settled, diagram, Id::UNDECIDED)
    }

    /// The first diagram that decides. `otherwise` is associative, so the diagrams are joined in a tree, in which each takes
    /// part in few joins; one after the other, the first would take part in all.
    pub(super) fn first_of(&mut self, mut diagrams: Vec<Id>) -> Id {
        while diagrams.len() > 1 {
            diagrams = diagrams.chunks(JOINED).map(|some| self.join(some.to_vec())).collect();
        }
        diagrams.pop().unwrap_or(Id::UNDECIDED)
    }

    /// What any of some diagrams decides that have one outcome, such as sets. Those that decide on packets near each other
    /// are joined first, since they have the most in common.
    pub(super) fn union(&mut self, mut sets: Vec<Id>) -> Id {
        sets.sort_by_cached_key(|set| self.start(*set));
        sets.dedup();
        self.first_of(sets)
    }

    /// The first value of the first variable at which a set holds anything.
    fn start(&self, set: Id) -> (u128, Id) {
        let node = self.node_if_any(set).filter(|node| node.variable == 0);
        let first = node.map(|node| self.edge(node.start)).filter(|edge| edge.child == Id::NONE);
        (first.map_or(0, |edge| edge.last.number()), set)
    }

    /// The packets that are accepted, as a set.
    pub(super) fn accepted(&mut self, diagram: Id) -> Id {
        self.apply(Operation::Accepted, diagram, Id::UNDECIDED)
    }

    /// The packets that are not dropped, as a set.
    pub(super) fn not_dropped(&mut self, diagram: Id) -> Id {
        self.apply(Operation::NotDropped, diagram, Id::UNDECIDED)
    }

    /// A set without one of its variables: as it is where that has a value.
    pub(super) fn fixed(&mut self, set: Id, variable: u16, value: K) -> Id {
        let inside = self.choose(variable, [(value, value)], Id::ALL);
        let there = self.within(inside, set);
        self.quantified(there, variable, false)
    }

    /// A set without one of its variables: with what holds for some of its values, or for all of them.
    pub(super) fn quantified(&mut self, set: Id, variable: u16, for_all: bool) -> Id {
        let Some(node) = self.node_if_any(set).filter(|node| node.variable <= variable) else { return set };
        let operation = if for_all { Operation::ForAll(variable) } else { Operation::ForSome(variable) };
        let hash = self.hasher.hash_one((operation, set, Id::UNDECIDED));
        if let Some(known) = self.remembered(hash, operation, set, Id::UNDECIDED) {
            return known;
        }
        let result = if node.variable == variable {
            let children: Vec<Id> = (node.start..node.end).map(|index| self.edge(index).child).collect();
            let join = if for_all { Operation::Within } else { Operation::Otherwise };
            let joined = children.into_iter().reduce(|one, other| self.apply(join, one, other));
            joined.unwrap_or(Id::NONE)
        } else {
            let base = self.pending.len();
            for index in node.start..node.end {
                let edge = self.edge(index);
                let child = self.quantified(edge.child, variable, for_all);
                self.push_edge(base, edge.last, child);
            }
            self.node(node.variable, base)
        };
        self.remember(hash, Remembered { operation, one: set, other: Id::UNDECIDED, result });
        result
    }

    /// How many assignments of values a set holds, as nearly as a floating-point number can say.
    pub(super) fn count(&self, set: Id) -> f64 {
        let mut known = vec![None; self.nodes.len()];
        self.count_from(set, 0, &mut known)
    }

    fn count_from(&self, set: Id, variable: u16, known: &mut Vec<Option<f64>>) -> f64 {
        let skipped = |from: u16, to: u16| -> f64 {
            let lasts = self.lasts.iter().take(to.into()).skip(from.into());
            lasts.map(|last| wide(last.number()) + 1.0).product()
        };
        let Some(node) = self.node_if_any(set) else {
            let end = u16::try_from(self.lasts.len()).unwrap_or(u16::MAX);
            return if set == Id::ALL { skipped(variable, end) } else { 0.0 };
        };
        let place = (set.0 - Id::OUTCOMES) as usize;
        let own = match known.get(place) {
            Some(Some(count)) => *count,
            _ => {
                let (mut sum, mut first) = (0.0, 0);
                for index in node.start..node.end {
                    let edge = self.edge(index);
                    // The difference comes first: next to 2^127, one more is none for a floating-point number.
                    let width = wide(edge.last.number() - first) + 1.0;
                    sum += width * self.count_from(edge.child, node.variable + 1, known);
                    first = edge.last.number().saturating_add(1);
                }
                if let Some(slot) = known.get_mut(place) {
                    *slot = Some(sum);
                }
                sum
            }
        };
        own * skipped(variable, node.variable)
    }

    /// Gives back the memory of what was worked out on the way to the diagrams that there are.
    pub(super) fn forget(&mut self) {
        self.memory = HashTable::new();
        self.joined = HashTable::new();
    }

    /// How many nodes and edges a diagram has.
    #[cfg(test)]
    pub(super) fn size(&self, diagram: Id) -> (usize, usize) {
        let mut found = std::collections::BTreeSet::new();
        let (mut open, mut edges) = (vec![diagram], 0);
        while let Some(id) = open.pop() {
            let Some(node) = self.node_if_any(id).filter(|_| found.insert(id)) else { continue };
            edges += (node.end - node.start) as usize;
            open.extend((node.start..node.end).map(|index| self.edge(index).child));
        }
        (found.len(), edges)
    }

    /// A box of a set: for each variable the values of one interval, chosen by `prefer` among those that lead to some
    /// packet; `None` if the set is empty. `prefer` is given a variable and the intervals, and gives the place of one.
    pub(super) fn pick(
        &self,
        set: Id,
        mut prefer: impl FnMut(u16, &[(K, K)]) -> usize,
    ) -> Option<Vec<(K, K)>> {
        let mut found: Vec<(K, K)> = self.lasts.iter().map(|last| (K::of(0), *last)).collect();
        let mut at = set;
        while let Some(node) = self.node_if_any(at) {
            let (mut open, mut children) = (Vec::new(), Vec::new());
            let mut first = 0;
            for index in node.start..node.end {
                let edge = self.edge(index);
                if edge.child != Id::NONE {
                    open.push((K::of(first), edge.last));
                    children.push(edge.child);
                }
                first = edge.last.number().saturating_add(1);
            }
            let chosen = prefer(node.variable, &open).min(open.len().saturating_sub(1));
            at = *children.get(chosen)?;
            *found.get_mut(usize::from(node.variable))? = *open.get(chosen)?;
        }
        (at == Id::ALL).then_some(found)
    }

    fn apply(&mut self, operation: Operation, one: Id, other: Id) -> Id {
        if let Some(result) = at_once(operation, one, other) {
            return result;
        }
        let hash = self.hasher.hash_one((operation, one, other));
        if let Some(known) = self.remembered(hash, operation, one, other) {
            return known;
        }
        let result = self.merge(operation, one, other);
        self.remember(hash, Remembered { operation, one, other, result });
        result
    }

    fn remembered(&self, hash: u64, operation: Operation, one: Id, other: Id) -> Option<Id> {
        let same = |known: &Remembered| (known.operation, known.one, known.other) == (operation, one, other);
        self.memory.find(hash, same).map(|known| known.result)
    }

    fn remember(&mut self, hash: u64, result: Remembered) {
        let hasher = &self.hasher;
        let rehash = |known: &Remembered| hasher.hash_one((known.operation, known.one, known.other));
        self.memory.insert_unique(hash, result, rehash);
    }

    /// Both diagrams read the earlier of their first variables; where one does not, it stays as it is.
    fn merge(&mut self, operation: Operation, one: Id, other: Id) -> Id {
        let variable_of = |id| self.node_if_any(id).map_or(u16::MAX, |node: Node| node.variable);
        let variable = variable_of(one).min(variable_of(other));
        let end = self.last(variable);
        let edges_of = |id| self.node_if_any(id).filter(|node| node.variable == variable);
        let (left, right) = (edges_of(one), edges_of(other));
        let (mut left_at, mut right_at) =
            (left.map_or(0, |node| node.start), right.map_or(0, |node| node.start));
        let base = self.pending.len();
        loop {
            let left_edge = left.map_or(Edge { last: end, child: one }, |_| self.edge(left_at));
            let right_edge = right.map_or(Edge { last: end, child: other }, |_| self.edge(right_at));
            let mut last = left_edge.last.min(right_edge.last);
            if left_edge.last != right_edge.last
                && let Some(result) = whatever_the_other(operation, left_edge.child, right_edge.child)
            {
                // The edges of the other one need not be looked at up to here.
                let (child, left_decides) = result;
                last = if left_decides { left_edge.last } else { right_edge.last };
                self.push_edge(base, last, child);
            } else {
                let child = self.apply(operation, left_edge.child, right_edge.child);
                self.push_edge(base, last, child);
            }
            if last == end {
                break;
            }
            left_at = left.map_or(0, |node| self.edge_behind(left_at, node.end, last));
            right_at = right.map_or(0, |node| self.edge_behind(right_at, node.end, last));
        }
        self.node(variable, base)
    }

    /// The first edge from one on that leads on for values behind `last`. It is found by steps that double.
    fn edge_behind(&self, from: u32, end: u32, last: K) -> u32 {
        let edges = self.edges.get(from as usize..end as usize).unwrap_or_default();
        let mut reach = 1;
        while edges.get(reach - 1).is_some_and(|edge| edge.last <= last) {
            reach *= 2;
        }
        let near = edges.get(..reach).unwrap_or(edges);
        from + place(near.partition_point(|edge| edge.last <= last))
    }

    /// The first of a few diagrams that decides, all joined at once, so that no node is made for what only some of them
    /// decide.
    fn join(&mut self, mut list: Vec<Id>) -> Id {
        shorten(&mut list);
        match list[..] {
            [] => return Id::UNDECIDED,
            [only] => return only,
            [one, other] => return self.apply(Operation::Otherwise, one, other),
            _ => {}
        }
        let hash = self.hasher.hash_one(&list);
        if let Some(known) = self.joined.find(hash, |known| known.list[..] == list[..]) {
            return known.result;
        }
        let variables = list.iter().filter_map(|id| self.node_if_any(*id)).map(|node| node.variable);
        let variable = variables.min().unwrap_or(u16::MAX);
        let end = self.last(variable);
        let runs = self.runs(&list, variable);
        let base = self.pending.len();
        let (mut open, mut started, mut at): (Vec<Run<K>>, usize, K) = (Vec::new(), 0, K::of(0));
        loop {
            while let Some(run) = runs.get(started).filter(|run| run.first <= at) {
                open.insert(open.partition_point(|other| other.rank < run.rank), *run);
                started += 1;
            }
            let ahead = runs.get(started).map(|run| K::of(run.first.number().saturating_sub(1)));
            let last = open.iter().map(|run| run.last).chain(ahead).min().unwrap_or(end);
            let child = self.join(open.iter().map(|run| run.child).collect());
            self.push_edge(base, last, child);
            if last == end {
                break;
            }
            open.retain(|run| run.last > last);
            at = K::of(last.number().saturating_add(1));
        }
        let result = self.node(variable, base);
        let hasher = &self.hasher;
        let rehash = |known: &Joined| hasher.hash_one(&*known.list);
        self.joined.insert_unique(hash, Joined { list: list.into(), result }, rehash);
        result
    }

    /// Where each of some diagrams decides anything about a variable, ascending.
    fn runs(&self, list: &[Id], variable: u16) -> Vec<Run<K>> {
        let mut runs = Vec::new();
        for (rank, id) in list.iter().enumerate() {
            let Some(node) = self.node_if_any(*id).filter(|node| node.variable == variable) else {
                runs.push(Run { first: K::of(0), last: self.last(variable), rank, child: *id });
                continue;
            };
            let mut first = K::of(0);
            for index in node.start..node.end {
                let Edge { last, child } = self.edge(index);
                if child != Id::UNDECIDED {
                    runs.push(Run { first, last, rank, child });
                }
                first = K::of(last.number().saturating_add(1));
            }
        }
        runs.sort_unstable_by_key(|run| (run.first, run.rank));
        runs
    }

    /// Adds an edge to the node that is being made, or widens its last one if that leads to the same.
    fn push_edge(&mut self, base: usize, last: K, child: Id) {
        let fresh = self.pending.len() == base;
        match self.pending.last_mut() {
            Some(edge) if !fresh && edge.child == child => edge.last = last,
            Some(_) | None => self.pending.push(Edge { last, child }),
        }
    }

    /// The node of the pending edges from `base` on.
    fn node(&mut self, variable: u16, base: usize) -> Id {
        let edges = self.pending.get(base..).unwrap_or_default();
        if let [only] = edges {
            let child = only.child;
            self.pending.truncate(base);
            return child;
        }
        let (nodes, all, hasher) = (&self.nodes, &self.edges, &self.hasher);
        let content = |id: &Id| {
            let node = nodes.get((id.0 - Id::OUTCOMES) as usize)?;
            Some((node.variable, all.get(node.start as usize..node.end as usize)?))
        };
        // INVARIANT: what is looked up and what is kept are hashed as the same type, or nodes would be lost and made again.
        let wanted = Some((variable, edges));
        let hash = hasher.hash_one(wanted);
        if let Some(id) = self.unique.find(hash, |id| content(id) == wanted) {
            let id = *id;
            self.pending.truncate(base);
            return id;
        }
        let id = Id(place(self.nodes.len()) + Id::OUTCOMES);
        self.unique.insert_unique(hash, id, |id| hasher.hash_one(content(id)));
        let start = place(self.edges.len());
        self.edges.extend(self.pending.drain(base..));
        self.nodes.push(Node { variable, start, end: place(self.edges.len()) });
        id
    }

    fn node_if_any(&self, id: Id) -> Option<Node> {
        self.nodes.get(id.0.checked_sub(Id::OUTCOMES)? as usize).copied()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "places of edges only ever come from nodes of this very list"
    )]
    fn edge(&self, index: u32) -> Edge<K> {
        self.edges[index as usize]
    }

    fn last(&self, variable: u16) -> K {
        self.lasts.get(usize::from(variable)).copied().unwrap_or(K::of(0))
    }
}

/// A place in a list as a number of 32 bits. More nodes or edges than that would take 100 GiB.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts are told as nearly as a floating-point number can")]
fn wide(number: u128) -> f64 {
    number as f64
}

/// The result where one of two edges settles it for all values that it leads on for, whatever the other one does there;
/// true if that is the first.
fn whatever_the_other(operation: Operation, one: Id, other: Id) -> Option<(Id, bool)> {
    let (first, second) = match operation {
        Operation::Otherwise => (one.is_outcome() && one != Id::UNDECIDED, false),
        Operation::Within => (one == Id::NONE, other == Id::UNDECIDED),
        Operation::Without => (one == Id::UNDECIDED, other.is_outcome() && other != Id::NONE),
        Operation::Settled
        | Operation::Accepted
        | Operation::NotDropped
        | Operation::ForSome(_)
        | Operation::ForAll(_) => (false, false),
    };
    let result = if operation == Operation::Otherwise { one } else { Id::UNDECIDED };
    (first || second).then_some((result, first))
}

/// Takes out what does not decide, what comes again, and what stands behind an outcome.
fn shorten(list: &mut Vec<Id>) {
    let mut length = 0;
    for place in 0..list.len() {
        let Some(id) = list.get(place).copied() else { break };
        let known = list.get(..length).is_some_and(|before| before.contains(&id));
        if id == Id::UNDECIDED || known {
            continue;
        }
        if let Some(slot) = list.get_mut(length) {
            *slot = id;
        }
        length += 1;
        if id.is_outcome() {
            break;
        }
    }
    list.truncate(length);
}

/// The result where no node has to be looked at.
fn at_once(operation: Operation, one: Id, other: Id) -> Option<Id> {
    match operation {
        Operation::Otherwise => match (one, other) {
            (Id::UNDECIDED, _) => Some(other),
            (_, Id::UNDECIDED) => Some(one),
            _ if one.is_outcome() || one == other => Some(one),
            _ => None,
        },
        Operation::Within => match (one, other) {
            (Id::NONE, _) | (_, Id::UNDECIDED) => Some(Id::UNDECIDED),
            (_, Id::ACCEPT) => Some(one),
            _ if one.is_outcome() => Some(other),
            _ => None,
        },
        Operation::Without => match (one, other) {
            (Id::UNDECIDED, _) => Some(Id::UNDECIDED),
            (_, Id::NONE) => Some(one),
            _ if other.is_outcome() => Some(Id::UNDECIDED),
            _ => None,
        },
        Operation::Settled => match one {
            Id::LEFT => Some(Id::UNDECIDED),
            _ if one.is_outcome() => Some(one),
            _ => None,
        },
        Operation::Accepted => one.is_outcome().then_some(if one == Id::ACCEPT { Id::ALL } else { Id::NONE }),
        Operation::ForSome(_) | Operation::ForAll(_) => one.is_outcome().then_some(one),
        Operation::NotDropped => one.is_outcome().then_some(if one == Id::DROP { Id::NONE } else { Id::ALL }),
    }
}
