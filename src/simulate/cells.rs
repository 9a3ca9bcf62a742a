//! An index of addresses: cells of which a policy makes no difference between the members.
//!
//! Each cell knows its zone, the classes and peers that hold it, and from and to which rules speak of it, as bits in the
//! order in which rules decide. The rules that may match a packet are the bits that the cells of its two addresses share.

use std::net::IpAddr;

// INVARIANT: said at each map below.
use hashbrown::HashMap;

use crate::ir::{EndpointId, Policy, RuleIndex, ZoneId};
use crate::set::{AddressSet, IntervalSet, Point};

/// A set of small numbers.
type Bits = Vec<u64>;

/// Addresses that no name of the policy, and no side of a rule, tells apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub(super) zone: Option<ZoneId>,
    /// The place of what holds it in [`Cells::parties`].
    pub(super) party: usize,
    opens: Bits,
    accepts: Bits,
}

/// What holds an address: its zone, and the classes and peers in that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(super) struct Party {
    pub(super) zone: Option<ZoneId>,
    pub(super) endpoints: Vec<EndpointId>,
}

/// All cells of a policy.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    v4: Vec<(u32, usize)>,
    v6: Vec<(u128, usize)>,
    cells: Vec<Cell>,
    parties: Vec<Party>,
}

impl Cells {
    /// Prepares a policy.
    pub(super) fn new(policy: &Policy) -> Self {
        let zones = policy.zones.iter().map(|zone| &zone.addresses);
        let endpoints = policy.endpoints.iter().map(|endpoint| &endpoint.addresses);
        let from = policy.rules.iter().map(|rule| &rule.from.addresses);
        let to = policy.rules.iter().map(|rule| &rule.to.addresses);
        let sets: Vec<&AddressSet> = zones.chain(endpoints).chain(from).chain(to).collect();
        let mut known = Known::default();
        let v4 = segments(&sets.iter().map(|set| &set.v4).collect::<Vec<_>>(), &mut known);
        let v6 = segments(&sets.iter().map(|set| &set.v6).collect::<Vec<_>>(), &mut known);
        let mut parties: Vec<Party> = Vec::new();
        let mut cells = Vec::new();
        for members in &known.members {
            let (party, mut cell) = cell(policy, members);
            cell.party = parties.iter().position(|known| *known == party).unwrap_or(parties.len());
            if cell.party == parties.len() {
                parties.push(party);
            }
            cells.push(cell);
        }
        Cells { v4, v6, cells, parties }
    }

    /// What holds the addresses of a cell.
    pub(super) fn party(&self, number: usize) -> &Party {
        const NOBODY: &Party = &Party { zone: None, endpoints: Vec::new() };
        self.parties.get(number).unwrap_or(NOBODY)
    }

    /// The cell that holds an address.
    pub(super) fn of(&self, address: IpAddr) -> Option<&Cell> {
        let number = match address {
            IpAddr::V4(address) => find(&self.v4, address.to_bits()),
            IpAddr::V6(address) => find(&self.v6, address.to_bits()),
        };
        self.cells.get(number?)
    }
}

impl Cell {
    /// The rules that speak of packets from this cell to another, in the order in which they decide.
    pub(super) fn rules_to(&self, other: &Cell) -> impl Iterator<Item = RuleIndex> {
        let words = self.opens.iter().zip(&other.accepts).map(|(from, to)| from & to);
        words
            .zip(0..)
            .flat_map(|(word, place): (u64, usize)| ones(word).map(move |bit| RuleIndex(place * 64 + bit)))
    }
}

/// The places of the bits of a word that are set.
fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        (bit < 64).then(|| usize::try_from(bit).unwrap_or_default())
    })
}

/// Which of the sets hold the addresses of a cell, for each cell.
#[derive(Default)]
struct Known {
    members: Vec<Bits>,
    // INVARIANT: only looked up, never walked, so its order reaches nothing.
    places: HashMap<Bits, usize>,
}

impl Known {
    fn number(&mut self, members: &Bits) -> usize {
        if let Some(place) = self.places.get(members) {
            return *place;
        }
        let place = self.members.len();
        self.places.insert(members.clone(), place);
        self.members.push(members.clone());
        place
    }
}

/// The keys at which a cell begins, ascending from the smallest key on, each with the number of its cell.
fn segments<K: Point>(sets: &[&IntervalSet<K>], known: &mut Known) -> Vec<(K, usize)> {
    let mut turns: Vec<(K, usize)> = Vec::new();
    for (set, number) in sets.iter().zip(0..) {
        for interval in set.intervals() {
            turns.push((interval.first(), number));
            turns.extend(interval.last().next().map(|next| (next, number)));
        }
    }
    turns.sort_unstable();
    let mut members: Bits = vec![0; sets.len().div_ceil(64)];
    let mut found = vec![(K::MIN, known.number(&members))];
    for turned in turns.chunk_by(|(one, _), (other, _)| one == other) {
        for (_, number) in turned {
            if let Some(word) = members.get_mut(number / 64) {
                *word ^= 1 << (number % 64);
            }
        }
        let start = turned.first().map_or(K::MIN, |(key, _)| *key);
        found.push((start, known.number(&members)));
    }
    found
}

fn find<K: Point>(segments: &[(K, usize)], key: K) -> Option<usize> {
    let place = segments.partition_point(|(start, _)| *start <= key);
    segments.get(place.checked_sub(1)?).map(|(_, number)| *number)
}

/// What a policy says of the addresses that some of its sets hold.
fn cell(policy: &Policy, members: &Bits) -> (Party, Cell) {
    let (zones, endpoints, rules) = (policy.zones.len(), policy.endpoints.len(), policy.rules.len());
    let none = vec![0; rules.div_ceil(64)];
    let mut party = Party::default();
    let mut cell = Cell { zone: None, party: 0, opens: none.clone(), accepts: none };
    let words = members.iter().zip(0..);
    for number in words.flat_map(|(word, place): (&u64, usize)| ones(*word).map(move |bit| place * 64 + bit))
    {
        match number.checked_sub(zones).map(|rest| (rest, rest.checked_sub(endpoints))) {
            None => cell.zone = Some(ZoneId(number)),
            Some((endpoint, None)) => party.endpoints.push(EndpointId(endpoint)),
            Some((_, Some(rule))) if rule < rules => set(&mut cell.opens, rule),
            Some((_, Some(rule))) => set(&mut cell.accepts, rule - rules),
        }
    }
    party.zone = cell.zone;
    (party, cell)
}

fn set(bits: &mut Bits, number: usize) {
    if let Some(word) = bits.get_mut(number / 64) {
        *word |= 1 << (number % 64);
    }
}
