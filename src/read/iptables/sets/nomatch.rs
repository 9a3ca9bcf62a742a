//! Sets with exceptions.
//!
//! A lookup tries the prefixes of a set from the longest to the shortest, those of the first part before those of the
//! second, and ends at the first element that fits, be it an exception or not (`mtype_test_cidrs`,
//! net/netfilter/ipset/ip_set_hash_gen.h; ipset(8), hash:net,net). So an element holds but for the exceptions with longer
//! prefixes.

use super::super::super::model::overlap;
use super::super::address::{Range, prefixes};
use super::element::{Element, Ports, Shape};
use super::kind::Part;

/// How many elements may be compared or cut; a backstop, far above what sets of this world need.
const MAX_STEPS: usize = 20_000_000;

/// The elements without exceptions that hold the same packets.
///
/// # Errors
/// Why they cannot be said.
pub(super) fn resolve(elements: &[Element], shape: Shape) -> Result<Vec<Element>, String> {
    let mut steps = 0;
    let elements = split(elements, shape, &mut steps)?;
    let (mut exceptions, kept): (Vec<Element>, Vec<Element>) =
        elements.into_iter().partition(|element| element.nomatch);
    let place = key_place(shape);
    exceptions.sort_by_key(|exception| key(exception, place));
    let mut found = Vec::new();
    for element in kept {
        let (first, last) = key(&element, place);
        // What has a longer prefix and overlaps lies within.
        let from = exceptions.partition_point(|exception| key(exception, place).0 < first);
        let to = exceptions.partition_point(|exception| key(exception, place).0 <= last);
        let mut pieces = vec![element];
        for exception in exceptions.get(from..to).unwrap_or_default() {
            if meet(&element, exception).is_none() {
                count(&mut steps, 1)?;
                continue;
            }
            let (own, other) = (sizes(&element, shape), sizes(exception, shape));
            if own == other {
                return Err(
                    "an element of the set is an exception too; one of both cannot be added".to_owned()
                );
            }
            if other < own {
                count(&mut steps, pieces.len())?;
                pieces = pieces.iter().flat_map(|piece| without(piece, exception)).collect();
            }
        }
        found.append(&mut pieces);
    }
    Ok(found)
}

fn count(steps: &mut usize, more: usize) -> Result<(), String> {
    *steps += more.max(1);
    if *steps > MAX_STEPS {
        Err("the set has too many exceptions to be worked out".to_owned())
    } else {
        Ok(())
    }
}

/// Elements whose ranges of addresses are prefixes where the set holds prefixes.
fn split(elements: &[Element], shape: Shape, steps: &mut usize) -> Result<Vec<Element>, String> {
    let mut found = elements.to_vec();
    for place in network_places(shape) {
        let mut parts = Vec::new();
        for element in &found {
            let Some(range) = element.addresses.get(place) else { continue };
            for prefix in prefixes(*range, shape.family) {
                count(steps, 1)?;
                let mut part = *element;
                if let Some(slot) = part.addresses.get_mut(place) {
                    *slot = prefix;
                }
                parts.push(part);
            }
        }
        found = parts;
    }
    Ok(found)
}

/// Which of the addresses of an element are prefixes.
fn network_places(shape: Shape) -> impl Iterator<Item = usize> {
    let parts = shape.kind.parts.iter();
    let with_addresses = parts.filter(|part| !matches!(part, Part::Ports | Part::BarePorts));
    with_addresses.enumerate().filter(|(_, part)| **part == Part::Network).map(|(place, _)| place)
}

/// The first of the addresses that are prefixes.
fn key_place(shape: Shape) -> usize {
    network_places(shape).next().unwrap_or_default()
}

fn key(element: &Element, place: usize) -> Range {
    element.addresses.get(place).copied().unwrap_or_default()
}

/// The sizes of an element's prefixes, which are smaller the longer they are.
fn sizes(element: &Element, shape: Shape) -> Vec<u128> {
    network_places(shape).map(|place| key(element, place)).map(|(first, last)| last - first).collect()
}

fn meet(one: &Element, other: &Element) -> Option<Element> {
    let [first, second] = one.addresses;
    let [other_first, other_second] = other.addresses;
    let ports = match (one.ports, other.ports) {
        (Some(one), Some(other)) if one.protocol == other.protocol => {
            Some(Ports { range: overlap(one.range, other.range)?, ..one })
        }
        (None, None) => None,
        _ => return None,
    };
    let addresses = [overlap(first, other_first)?, overlap(second, other_second)?];
    Some(Element { addresses, ports, nomatch: one.nomatch })
}

/// What is left of an element without an exception.
fn without(element: &Element, exception: &Element) -> Vec<Element> {
    let Some(common) = meet(element, exception) else { return vec![*element] };
    let mut left = Vec::new();
    let mut inner = *element;
    for (place, common) in common.addresses.iter().enumerate() {
        let Some(own) = inner.addresses.get(place).copied() else { continue };
        for rest in around(own, *common) {
            let mut piece = inner;
            if let Some(slot) = piece.addresses.get_mut(place) {
                *slot = rest;
            }
            left.push(piece);
        }
        if let Some(slot) = inner.addresses.get_mut(place) {
            *slot = *common;
        }
    }
    if let (Some(own), Some(common)) = (inner.ports, common.ports) {
        let wide = |(first, last): (u16, u16)| (u128::from(first), u128::from(last));
        for (first, last) in around(wide(own.range), wide(common.range)) {
            let narrow = |number: u128| u16::try_from(number).unwrap_or(u16::MAX);
            left.push(Element {
                ports: Some(Ports { range: (narrow(first), narrow(last)), ..own }),
                ..inner
            });
        }
    }
    left
}

/// What is left of an interval without a part of it.
fn around((first, last): Range, (low, high): Range) -> Vec<Range> {
    let before = low.checked_sub(1).filter(|end| *end >= first).map(|end| (first, end));
    let behind = high.checked_add(1).filter(|start| *start <= last).map(|start| (start, last));
    before.into_iter().chain(behind).collect()
}
