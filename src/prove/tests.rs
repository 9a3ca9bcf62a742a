//! Diagrams against tables: every operation, for every assignment of small variables.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::diagram::{Diagrams, Id};

/// The largest value of each of three variables.
const LASTS: [u32; 3] = [5, 3, 1];

const CELLS: usize = 6 * 4 * 2;

/// A function of the three variables: an outcome for each assignment.
type Table = Vec<Id>;

const OUTCOMES: [Id; 4] = [Id::UNDECIDED, Id::LEFT, Id::ACCEPT, Id::DROP];

fn table() -> impl Strategy<Value = Table> {
    // Runs of equal outcomes, as configs have them.
    let run = (0..OUTCOMES.len(), 1_usize..12);
    prop::collection::vec(run, CELLS).prop_map(|runs| {
        let cells = runs.into_iter().flat_map(|(outcome, length)| vec![OUTCOMES[outcome]; length]);
        cells.take(CELLS).collect()
    })
}

fn set() -> impl Strategy<Value = Table> {
    let inside = |id: Id| if id == Id::ACCEPT || id == Id::DROP { Id::ALL } else { Id::NONE };
    table().prop_map(move |table| table.into_iter().map(inside).collect())
}

fn cell(values: [u32; 3]) -> usize {
    ((values[0] * 4 + values[1]) * 2 + values[2]) as usize
}

fn assignments() -> impl Iterator<Item = [u32; 3]> {
    (0..=LASTS[0]).flat_map(|a| (0..=LASTS[1]).flat_map(move |b| (0..=LASTS[2]).map(move |c| [a, b, c])))
}

fn build(diagrams: &mut Diagrams<u32>, table: &Table) -> Id {
    let parts = assignments().map(|values| {
        let mut inside = table[cell(values)];
        for (place, value) in (0..3_u16).zip(values).rev() {
            inside = diagrams.choose(place, [(value, value)], inside);
        }
        inside
    });
    let parts = parts.collect();
    diagrams.first_of(parts)
}

fn combine(one: &Table, other: &Table, operation: impl Fn(Id, Id) -> Id) -> Table {
    one.iter().zip(other).map(|(one, other)| operation(*one, *other)).collect()
}

/// The same cases on every run.
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn equal_functions_are_one_diagram(table in table()) {
        let mut diagrams = Diagrams::new(LASTS.into());
        let once = build(&mut diagrams, &table);
        prop_assert_eq!(build(&mut diagrams, &table), once);
        let negated: Table = table.iter().map(|id| if *id == Id::ACCEPT { Id::DROP } else { *id }).collect();
        prop_assert_eq!(build(&mut diagrams, &negated) == once, negated == table);
    }

    #[test]
    fn operations_are_those_of_tables(one in table(), other in table(), set in set()) {
        let mut diagrams = Diagrams::new(LASTS.into());
        let [a, b, s] = [&one, &other, &set].map(|table| build(&mut diagrams, table));
        let expected = combine(&one, &other, |one, other| if one == Id::UNDECIDED { other } else { one });
        let expected = build(&mut diagrams, &expected);
        prop_assert_eq!(diagrams.otherwise(a, b), expected);
        let expected = combine(&set, &one, |set, one| if set == Id::ALL { one } else { Id::UNDECIDED });
        let expected = build(&mut diagrams, &expected);
        prop_assert_eq!(diagrams.within(s, a), expected);
        let expected = combine(&set, &one, |set, one| if set == Id::ALL { Id::UNDECIDED } else { one });
        let expected = build(&mut diagrams, &expected);
        prop_assert_eq!(diagrams.without(a, s), expected);
        let expected = one.iter().map(|id| if *id == Id::LEFT { Id::UNDECIDED } else { *id }).collect();
        let expected = build(&mut diagrams, &expected);
        prop_assert_eq!(diagrams.settled(a), expected);
        let expected = one.iter().map(|id| if *id == Id::ACCEPT { Id::ALL } else { Id::NONE }).collect();
        let expected = build(&mut diagrams, &expected);
        prop_assert_eq!(diagrams.accepted(a), expected);
        let expected = one.iter().map(|id| if *id == Id::DROP { Id::NONE } else { Id::ALL }).collect();
        let expected = build(&mut diagrams, &expected);
        prop_assert_eq!(diagrams.not_dropped(a), expected);
    }

    #[test]
    fn variables_go_away_as_they_do_in_tables(set in set(), place in 0_u16..3, value in 0_u32..2) {
        let mut diagrams = Diagrams::new(LASTS.into());
        let built = build(&mut diagrams, &set);
        let over = |decide: fn(Vec<bool>, usize) -> bool| -> Table {
            let at = usize::from(place);
            let inside = |values: [u32; 3]| {
                let all = (0..=LASTS[at]).map(|other| {
                    let mut values = values;
                    values[at] = other;
                    set[cell(values)] == Id::ALL
                });
                if decide(all.collect(), value as usize) { Id::ALL } else { Id::NONE }
            };
            assignments().map(inside).collect()
        };
        let some = build(&mut diagrams, &over(|inside, _| inside.contains(&true)));
        let all = build(&mut diagrams, &over(|inside, _| !inside.contains(&false)));
        let fixed = build(&mut diagrams, &over(|inside, value| inside[value]));
        prop_assert_eq!(diagrams.quantified(built, place, false), some);
        prop_assert_eq!(diagrams.quantified(built, place, true), all);
        prop_assert_eq!(diagrams.fixed(built, place, value), fixed);
    }

    #[test]
    fn sets_are_counted_and_picked_from(set in set(), choice in 0_usize..4) {
        let mut diagrams = Diagrams::new(LASTS.into());
        let built = build(&mut diagrams, &set);
        let members = set.iter().filter(|id| **id == Id::ALL).count();
        prop_assert_eq!(diagrams.count(built), f64::from(u32::try_from(members).unwrap()));
        match diagrams.pick(built, |_, open| choice % open.len()) {
            None => prop_assert_eq!(members, 0),
            Some(found) => for values in assignments() {
                let inside = found.iter().zip(values).all(|((first, last), value)| (*first..=*last).contains(&value));
                prop_assert!(!inside || set[cell(values)] == Id::ALL);
            },
        }
    }
}

#[test]
fn the_widest_values_are_told_apart() {
    let mut diagrams = Diagrams::new(vec![u128::MAX]);
    let all = diagrams.choose(0, [(0, u128::MAX)], Id::ALL);
    let last = diagrams.choose(0, [(u128::MAX, u128::MAX)], Id::ALL);
    let others = diagrams.choose(0, [(0, u128::MAX - 1)], Id::ALL);
    assert_eq!(all, Id::ALL);
    assert_eq!(diagrams.without(all, last), others);
    assert_eq!((diagrams.count(last), diagrams.count(Id::NONE)), (1.0, 0.0));
}

/// Many sets, more than are joined at once, that overlap in all ways, against one after the other.
#[test]
fn many_diagrams_joined_at_once_are_those_joined_one_after_the_other() {
    let mut number = 7_u32;
    let mut below = |end: u32| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 8) % end
    };
    for outcomes in [&OUTCOMES[..], &[Id::ALL]] {
        let mut diagrams = Diagrams::<u32>::new(vec![1_000, 100, 10]);
        let random = |_| {
            let outcome = outcomes[below(outcomes.len() as u32) as usize];
            let mut box_of = outcome;
            for (place, last) in [(2, 10), (1, 100), (0, 1_000)] {
                let first = below(last);
                let end = if below(4) == 0 { last } else { (first + below(3)).min(last) };
                box_of = diagrams.choose(place, [(first, end)], box_of);
            }
            box_of
        };
        let sets: Vec<Id> = (0..500).map(random).collect();
        let folded = sets.iter().fold(Id::UNDECIDED, |one, other| diagrams.otherwise(one, *other));
        assert_eq!(diagrams.first_of(sets.clone()), folded);
        if outcomes == [Id::ALL] {
            assert_eq!(diagrams.union(sets), folded);
        }
    }
}

#[test]
fn what_is_equal_below_different_values_is_held_once() {
    let mut diagrams = Diagrams::<u32>::new(LASTS.into());
    let inside = diagrams.choose(1, [(1, 2)], Id::ALL);
    let set = diagrams.choose(0, [(0, 0), (2, 2), (4, 4)], inside);
    assert_eq!(diagrams.size(set), (2, 6 + 3));
}
