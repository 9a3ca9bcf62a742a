//! Isolation: what a guard cuts off when it trips, for a time, and what stays.
//!
//! Whether something is cut off is an element with a timeout in a set of its own. The key of the set is the same for each
//! packet: a mark of which no bit is looked at.

use serde::Serialize;

use super::super::linux::{Spared, spared};
use super::behind::NamedSet;
use super::product::Products;
use super::view::{Map, Maps};
use crate::ir::{Policy, RuleIndex};
use crate::set::PacketSet;

/// What is the same for each packet, as nft lists it.
pub(super) const KEY: &str = "meta mark & 0x00000000";

/// What cuts off what a guard watches.
#[derive(Debug, Serialize)]
pub(super) struct Isolation {
    /// What holds as long as it does.
    test: String,
    /// What leads packets from and to the subject to where they are cut off.
    entries: Vec<String>,
    /// What stays: packets from who opens connections, and packets of known connections that answer.
    forth: Stays,
    back: Stays,
    /// True if anything stays.
    spares: bool,
}

/// What some rules say in one direction.
#[derive(Debug, Serialize)]
pub(super) struct Stays {
    maps: Vec<Map>,
    products: Products,
}

impl Isolation {
    pub(super) fn new(
        policy: &Policy,
        id: &str,
        subjects: &[NamedSet],
        except: &[RuleIndex],
    ) -> Result<Self, &'static str> {
        let tests = subjects.iter().flat_map(|set| [set.test(), set.test_of_destination()]);
        let spared = spared(policy, except);
        Ok(Isolation {
            test: format!("{KEY} == @isolated/{id}"),
            entries: tests.map(|test| format!("{test} goto isolated/{id}")).collect(),
            forth: stays(policy, &spared, &format!("isolated/{id}"), "return", |spared| &spared.forth)?,
            back: stays(policy, &spared, &format!("answers/{id}"), "return", |spared| &spared.back)?,
            spares: !except.is_empty(),
        })
    }
}

/// What leads the packets of some rules in one direction to a verdict. `place` begins the names of maps and sets.
pub(super) fn stays(
    policy: &Policy,
    spared: &[Spared],
    place: &str,
    verdict: &str,
    direction: fn(&Spared) -> &PacketSet,
) -> Result<Stays, &'static str> {
    let (mut maps, mut products) = (Maps::new(place, true), Products::default());
    for one in spared {
        let rule = &policy[one.rule].id;
        let rest = products.take(direction(one).clone(), place, rule, verdict)?;
        maps.add(&rest, rule, verdict)?;
    }
    Ok(Stays { maps: maps.into_views(), products })
}
