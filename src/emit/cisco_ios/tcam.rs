//! How many hardware entries access lists take.
//!
//! An entry of a TCAM is a value and a mask, so a range of ports costs as many as it has aligned blocks, an object group
//! as many as it has members, `established` two (ACK set, RST set), and an IPv6 entry the width of two.

use super::acl::{Block, Family, Line};
use super::prefix::cover;
use super::service::Service;
use crate::set::{Interval, IntervalSet};

/// The hardware entries of a list: of its blocks, and of so many single lines beside them.
pub(super) fn entries(blocks: &[Block], single: usize, family: Family) -> u64 {
    let width = match family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    let lines = blocks.iter().flat_map(|block| &block.lines).map(line_entries);
    width * (lines.sum::<u64>() + count(single))
}

fn line_entries(line: &Line) -> u64 {
    let services: u64 = line.services.iter().map(service_entries).sum();
    services * count(line.sources.len()) * count(line.destinations.len())
}

fn service_entries(service: &Service) -> u64 {
    let flags = if service.established { 2 } else { 1 };
    flags * masks(service.source_port) * masks(service.destination_port)
}

/// The number of aligned blocks that a range of ports is.
fn masks(ports: Interval<u16>) -> u64 {
    let wide = Interval::spanning(u128::from(ports.first()), u128::from(ports.last()));
    count(cover(&IntervalSet::from_interval(wide, true), None, Family::V4).len())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_costs_its_aligned_blocks() {
        let masks = |first, last| masks(Interval::spanning(first, last));
        assert_eq!(masks(0, 65_535), 1);
        assert_eq!(masks(443, 443), 1);
        assert_eq!(masks(1_024, 65_535), 6);
        assert_eq!(masks(1, 65_534), 30);
        assert_eq!(masks(4_000, 8_000), 8);
    }
}
