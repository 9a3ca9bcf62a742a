//! Assertions: what must be allowed or denied, whatever the rules become.

use super::first;
use crate::ir::{Assertion, Expectation};
use crate::report::site::document::{Block, Page, Row, code};
use crate::report::site::view::Site;
use crate::report::site::words;

pub(super) const FILE: &str = "assertions";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let mut blocks = vec![Block::says(
        "An assertion filters nothing. It is checked over all packets that it speaks of whenever the policy is checked or built, \
         and a policy of which one does not hold is refused, so all of these hold.",
    )];
    blocks.extend(section(site, "denied", "Must never be possible", Expectation::Denied));
    blocks.extend(section(site, "allowed", "Must always work", Expectation::Allowed));
    let lead = "What the hospital has said must never be possible, and what must always work.";
    vec![first(FILE, "Assertions", lead, blocks)]
}

fn section(site: &Site, id: &str, title: &str, expectation: Expectation) -> [Block; 2] {
    let chosen: Vec<&Assertion> =
        site.policy.assertions.iter().filter(|one| one.expectation == expectation).collect();
    let table = if chosen.is_empty() {
        Block::says("None.")
    } else {
        let rows = chosen.iter().map(|one| {
            Row::new([
                vec![code(&one.id)],
                vec![code(&one.from.text)],
                vec![code(&one.to.text)],
                vec![code(services(one))],
                words::about(site, &one.about, None),
                vec![code(site.place(one.span))],
            ])
        });
        let caption = format!("{}, each of which holds", words::count(chosen.len(), "assertion"));
        Block::table(caption, &["Assertion", "From", "To", "Over", "Why", "Where"], rows)
    };
    [Block::heading(id, title), table]
}

fn services(one: &Assertion) -> String {
    let said = one.services.to_string();
    if said.is_empty() { "anything".to_owned() } else { said }
}
