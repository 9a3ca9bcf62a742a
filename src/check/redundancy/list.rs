//! Entries of a list that the rest of the list holds already.

use crate::set::{AddressSet, Overlaps, Set};

/// Entries that others hold together and that are tried without each other, so that those named are all needed.
const TRIED: usize = 16;

/// The entries that can go, by their places, each with the places of those that hold it; all of them can go at once.
///
/// `keys` are what entries are found by: an entry is only held by those whose keys meet its own. `is_within` says whether
/// some entries together hold one.
pub(super) fn idle(
    keys: &[AddressSet],
    is_within: &dyn Fn(usize, &[usize]) -> bool,
) -> Vec<(usize, Vec<usize>)> {
    if keys.len() < 2 {
        return Vec::new();
    }
    let overlaps = Overlaps::new(keys.iter());
    let mut kept = vec![true; keys.len()];
    let others = |place: usize, kept: &[bool]| -> Vec<usize> {
        let near = keys.get(place).and_then(|key| overlaps.with(key, usize::MAX)).unwrap_or_default();
        near.into_iter().filter(|other| *other != place && kept.get(*other) == Some(&true)).collect()
    };
    let mut idle = Vec::new();
    for alone in [true, false] {
        for place in (0..keys.len()).rev() {
            let others = others(place, &kept);
            let is_empty = keys.get(place).is_none_or(AddressSet::is_empty);
            if is_empty || kept.get(place) != Some(&true) {
                continue;
            }
            let goes = if alone {
                others.iter().any(|other| is_within(place, &[*other]))
            } else {
                others.len() > 1 && is_within(place, &others)
            };
            if let Some(kept) = kept.get_mut(place).filter(|_| goes) {
                *kept = false;
                idle.push(place);
            }
        }
    }
    idle.sort_unstable();
    idle.into_iter().map(|place| (place, needed(place, others(place, &kept), is_within))).collect()
}

fn needed(place: usize, mut by: Vec<usize>, is_within: &dyn Fn(usize, &[usize]) -> bool) -> Vec<usize> {
    if let Some(one) = by.iter().find(|other| is_within(place, &[**other])) {
        return vec![*one];
    }
    if by.len() <= TRIED {
        for other in by.clone() {
            let without: Vec<usize> = by.iter().copied().filter(|tried| *tried != other).collect();
            if is_within(place, &without) {
                by = without;
            }
        }
    }
    by
}
