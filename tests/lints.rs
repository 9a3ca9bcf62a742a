//! Warnings about data and least privilege: on the main example against the tables of the scenario, and on random policies
//! against their definitions in docs/language.md, tried on every packet of a small world.

mod naive;

use std::collections::{BTreeMap, BTreeSet};

use cordon::check::check;
use cordon::diag::{Diagnostics, records};
use cordon::inventory::Inventories;
use cordon::ir::{Decider, Decision};
use cordon::source::Sources;
use cordon::syntax::ast::{File, Statement};
use cordon::syntax::parse;

use self::naive::World;
use crate::random::Dice;
use crate::support::{AS_OF, checked, hospital, policy, scenario};

/// What a warning is about: a code, and the name of a rule or class.
type Finding = (String, String);

/// The warnings about data and least privilege among some findings.
fn of_interest(diagnostics: &Diagnostics, sources: &Sources) -> BTreeSet<Finding> {
    let found = records(diagnostics, sources);
    let found =
        found.iter().filter(|record| record.code.starts_with("C064") || record.code.starts_with("C065"));
    found.map(|record| (record.code.clone(), record.message.split('`').nth(1).unwrap().to_owned())).collect()
}

/// What is found of a text.
fn findings(text: &str) -> BTreeSet<Finding> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let source = sources.add("case.cordon".to_owned(), text.to_owned()).unwrap().clone();
    let files = [parse(&source, &mut diagnostics)];
    check(&files, Inventories::default(), AS_OF.parse().unwrap(), &mut diagnostics);
    of_interest(&diagnostics, &sources)
}

/// What is found of the main example without its acceptances.
fn findings_of_hospital() -> BTreeSet<Finding> {
    let (_, diagnostics, sources) = checked(&hospital(), without_acceptances);
    of_interest(&diagnostics, &sources)
}

fn without_acceptances(mut file: File) -> File {
    for statement in &mut file.statements {
        match statement {
            Statement::Zone(zone) => zone.acceptances.clear(),
            Statement::Class(class) => class.acceptances.clear(),
            Statement::Peer(peer) => peer.acceptances.clear(),
            Statement::Rule(rule) => rule.acceptances.clear(),
            _ => {}
        }
    }
    file
}

fn rows(file: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(scenario(file)).unwrap().deserialize().map(Result::unwrap).collect()
}

/// The rules that allow the flows of the table for which `wanted` holds.
fn rules_of_flows(wanted: impl Fn(&BTreeMap<String, String>) -> bool) -> BTreeSet<String> {
    let ids: BTreeSet<String> =
        rows("flows.csv").into_iter().filter(wanted).map(|row| row["id"].clone()).collect();
    let policy = policy(&hospital());
    let decider = Decider::new(&policy);
    let allowed = rows("expected.csv")
        .into_iter()
        .filter(|row| row["verdict"] == "allow" && ids.contains(&row["flow"]));
    let rules = allowed.map(|row| {
        let packet = cordon::set::Packet {
            source: row["src"].parse().unwrap(),
            destination: row["dst"].parse().unwrap(),
            protocol: cordon::set::protocol_number(&row["proto"]).unwrap(),
            source_port: row["sport"].parse().unwrap_or(0),
            destination_port: row["dport"].parse().unwrap_or(0),
        };
        let Decision::Allowed(rule) = decider.decide(&packet) else { panic!("{packet} of {}", row["flow"]) };
        policy[rule].id.clone()
    });
    rules.collect()
}

fn with_code(found: &BTreeSet<Finding>, code: &str) -> BTreeSet<String> {
    found.iter().filter(|(found, _)| found == code).map(|(_, name)| name.clone()).collect()
}

#[test]
fn phi_in_clear_is_found_just_where_the_table_of_flows_says_so() {
    let found = findings_of_hospital();
    let in_clear = rules_of_flows(|row| row["phi"] != "none" && row["encrypted"] != "yes");
    assert_eq!(in_clear.len(), 25);
    assert_eq!(with_code(&found, "C0641"), in_clear);
}

#[test]
fn what_else_is_found_of_the_hospital() {
    let found = findings_of_hospital();
    let names =
        |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    assert_eq!(with_code(&found, "C0642"), names(&[]));
    // Of these, the table says of three that they carry what is kept, and of two that by contract they carry none.
    let stores_meet =
        names(&["cabinet-cloud", "modality-dials-vendor", "record", "service-consoles", "vendor-session"]);
    assert_eq!(with_code(&found, "C0643"), stores_meet);
    assert_eq!(with_code(&found, "C0644"), names(&["service-consoles"]));
    let administered = names(&["breathing-ftp", "domain", "service-jump-host", "vendor-session"]);
    assert_eq!(with_code(&found, "C0653"), administered);
    assert_eq!(found.len(), 25 + stores_meet.len() + 1 + administered.len());
}

#[test]
fn the_hospital_accepts_each_finding_and_nothing_else() {
    let found = findings_of_hospital();
    let policy = policy(&hospital());
    let accepted = policy.acceptances().filter(|(_, acceptance)| acceptance.code.starts_with("C06"));
    let accepted = accepted.map(|(name, acceptance)| (acceptance.code.to_owned(), name.to_owned()));
    assert_eq!(accepted.collect::<BTreeSet<Finding>>(), found);
    let (_, diagnostics, _) = checked(&hospital(), |file| file);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn warnings_are_what_their_definitions_say_of_every_packet() {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for case in crate::random::cases(200) {
        let world = World::random(&mut Dice::new(case));
        let text = world.text();
        let (expected, found) = (world.findings(), findings(&text));
        assert_eq!(found, expected, "case {case}\n{text}");
        for (code, _) in found {
            *counted.entry(code).or_default() += 1;
        }
    }
    // A kind of finding that never comes about would be tested by nothing.
    assert!(counted.len() == 8 && counted.values().all(|count| *count >= 3), "{counted:?}");
}
