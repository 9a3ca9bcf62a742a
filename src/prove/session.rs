//! Sessions: what may not pass once a connection of a rule has gone on for longer than a guard lets it.
//!
//! Whether it has is no property of a packet: the config looks its connection up among those that are young, and looks up
//! whether it was loaded so short a time ago that the connection may be older than the config knows. These, the direction
//! of a packet in its connection, and whether a beginning could be noted are opaque conditions. With each of them either
//! way, what the config lets pass is compared.

use super::Place;
use super::diagram::{Id, Key};
use super::expected::{Way, between, in_direction};
use super::guard::{Reach, Watch};
use super::space::Space;
use crate::ir::{Effect, Guard, Subject};

/// What is asked of a config for a guard of session times; nothing if no session of its rule crosses the enforcement point.
pub(super) fn watches<K: Key>(
    space: &mut Space<K>,
    place: &Place,
    guard: &Guard,
    seconds: u32,
) -> Vec<Watch> {
    let (policy, id) = (place.policy, &guard.id);
    let Subject::Rule(rule) = guard.subject else { return Vec::new() };
    let [forth, back] = [Way::Forth, Way::Known].map(|way| in_direction(space, &policy[rule], way));
    let forbids = policy.rules.iter().filter(|rule| rule.effect == Effect::Forbid);
    let forbidden = forbids.map(|forbid| in_direction(space, forbid, Way::Forth)).collect();
    let forbidden = space.diagrams.first_of(forbidden);
    let opened = space.diagrams.without(forth, forbidden);
    let pairs = place.pairs.values().flatten().copied().collect();
    if between(space, policy, &pairs, opened) == Id::NONE {
        return Vec::new();
    }
    let noted =
        format!("add @sessions/{id} {{ ct id timeout {} }} (rule 1 of `guard/{id}`)", listed(seconds));
    let young = format!("ct id @sessions/{id} (rule 1 of `aged/{id}`)");
    let loaded = format!("meta mark & 0 == @loaded/{id} (rule 2 of `aged/{id}`)");
    let unless = |words: &str, besides: &[(&str, bool)], counted: Id, reach: Reach| Watch {
        words: vec![words.to_owned()],
        tripped: false,
        besides: besides.iter().map(|(words, holds)| ((*words).to_owned(), *holds)).collect(),
        counted,
        spared: Id::NONE,
        spared_known: Id::NONE,
        spared_related: Id::NONE,
        reach,
    };
    let original = [(loaded.as_str(), false), (DIRECTIONS[0], true), (DIRECTIONS[1], false)];
    let reply = [(loaded.as_str(), false), (DIRECTIONS[0], false), (DIRECTIONS[1], true)];
    vec![
        unless(&noted, &[], opened, Reach::New),
        unless(&young, &original, forth, Reach::Known),
        unless(&young, &reply, back, Reach::Known),
        // As long as connections from before the load may go on, nothing is too old.
        unless(&young, &[(&loaded, true)], Id::NONE, Reach::Known),
    ]
}

/// How nftables looks at the direction of a packet in its connection.
const DIRECTIONS: [&str; 2] = ["ct direction original", "ct direction reply"];

/// Whether a condition of a config about sessions holds for a packet of a connection that is young, or too old, on its
/// way there or back, some time after the config was loaded; `None` for a condition about anything else.
pub(super) fn holds(condition: &str, young: bool, back: bool) -> Option<bool> {
    let is_about = |words: &str| condition.starts_with(words);
    let [original, reply] = DIRECTIONS.map(is_about);
    match () {
        () if is_about("add @sessions/") || is_about("ct id @sessions/") => Some(young),
        () if is_about("meta mark & 0 == @loaded/") => Some(false),
        () if original => Some(!back),
        () if reply => Some(back),
        () => None,
    }
}

/// Seconds as nft lists them: `1d2h3m4s`, without what is zero.
fn listed(seconds: u32) -> String {
    let (mut rest, mut text) = (seconds, String::new());
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= seconds {
            text.push_str(&format!("{}{unit}", rest / seconds));
        }
        rest %= seconds;
    }
    text
}
