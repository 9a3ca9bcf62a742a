//! Sessions: what a guard does with connections of a rule that go on for too long.
//!
//! When a connection began is an element with a timeout in a set. Its key is the number that the kernel gives to the
//! connection, so packets of both directions find it, and another connection between the same ports does not. The set is
//! empty when it is loaded, so a second one holds an element for as long as a connection from before the load may last.

use serde::Serialize;

use super::super::linux::{Spared, spared};
use super::isolation::{KEY, Stays, stays};
use super::text::duration;
use crate::ir::{Action, Guard, Subject};
use crate::plan::DevicePlan;
use crate::set::{PacketSet, Set};

/// What ends or tells of connections that go on for too long.
#[derive(Debug, Serialize)]
pub(super) struct Session {
    /// How long one may last, as nft writes it.
    lasts: String,
    /// What is the same for each packet, as an element.
    key: &'static str,
    /// What tells packets of known connections that look like those of the rule: from who opened it, and answers.
    forth: Stays,
    back: Stays,
    /// What holds for those that are not too old.
    young: [String; 2],
}

/// The element that is there as long as connections from before the load may go on.
const ELEMENT: &str = "0x00000000";

impl Session {
    /// What a guard does with sessions; nothing if it guards something else.
    pub(super) fn new(plan: &DevicePlan, guard: &Guard) -> Result<Option<Self>, &'static str> {
        let (Some(seconds), Subject::Rule(rule)) = (guard.session_seconds(), &guard.subject) else {
            return Ok(None);
        };
        let (id, verdict) = (&guard.id, format!("goto aged/{}", guard.id));
        let entries = || plan.pairs.iter().flat_map(|pair| &pair.entries).filter(|entry| entry.rule == *rule);
        let is_v4 = entries().any(|entry| !entry.packets.v4.is_empty());
        let is_v6 = entries().any(|entry| !entry.packets.v6.is_empty());
        // Of a family in which nothing of the rule passes here there are no sessions.
        let of_families = |packets: PacketSet| PacketSet {
            v4: if is_v4 { packets.v4 } else { PacketSet::empty().v4 },
            v6: if is_v6 { packets.v6 } else { PacketSet::empty().v6 },
        };
        let of_families = |one: Spared| Spared {
            rule: one.rule,
            forth: of_families(one.forth),
            back: of_families(one.back),
        };
        let packets: Vec<Spared> = spared(plan.policy, &[*rule]).into_iter().map(of_families).collect();
        let side = |role: &str, direction: fn(&Spared) -> &PacketSet| {
            stays(plan.policy, &packets, &format!("{role}/{id}"), &verdict, direction)
        };
        Ok(Some(Session {
            lasts: duration(seconds),
            key: ELEMENT,
            forth: side("session", |packets| &packets.forth)?,
            back: side("reply", |packets| &packets.back)?,
            young: [format!("ct id @sessions/{id} return"), format!("{KEY} == @loaded/{id} return")],
        }))
    }
}

/// What notes the beginning of a connection. One that cannot be noted, since the set is full, is not opened, if it could
/// not be ended.
pub(super) fn beginnings(guard: &Guard, seconds: u32) -> Vec<String> {
    let id = &guard.id;
    let noted = format!("add @sessions/{id} {{ ct id timeout {} }}", duration(seconds));
    if guard.action == Action::Alert {
        return vec![noted];
    }
    vec![format!("{noted} return"), format!("goto tripped/{id}")]
}

/// What becomes of packets of a connection that goes on for too long. `log` logs them.
pub(super) fn ends(guard: &Guard, seconds: u32, log: String) -> Vec<String> {
    if guard.action == Action::Alert {
        // Counted anew, so that it is told once in each such time.
        return vec![log, "counter".to_owned(), beginnings(guard, seconds).concat()];
    }
    // A reset tells the sender at once, and lets the kernel forget the connection.
    vec![log, "meta l4proto tcp counter reject with tcp reset".to_owned(), "counter drop".to_owned()]
}
