//! What is said to be redundant, on random policies: removed, it changes nothing, and what is left is needed.
//!
//! The judge here makes no set. It splits all packets into kinds that no statement tells apart, by one packet of each kind,
//! and asks the statements as they were parsed about each kind, at each minute at which something turns, on the last day of
//! each statement and on the day after all.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use cordon::check::check;
use cordon::diag::{Diagnostics, Record, records};
use cordon::inventory::Inventories;
use cordon::source::Sources;
use cordon::syntax::ast::{Effect, File, Names, Rule, Statement, Via};
use cordon::syntax::parse;

use self::world::World;
use crate::random::{Dice, Random, Wanted, cases, read};
use crate::support::AS_OF;

const WANTED: Wanted = Wanted { schedules: true, shared_interfaces: false, managed_by_rest: false };

/// A finding: its code, where its first label begins, and what it proposes.
struct Finding {
    code: String,
    place: usize,
    labels: Vec<usize>,
    help: String,
}

/// A policy with what is found of it; `None` if it has an error, or says something twice.
fn found(text: &str) -> Option<(File, Vec<Finding>)> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let source = sources.add("case.cordon".to_owned(), text.to_owned()).unwrap().clone();
    let files = [parse(&source, &mut diagnostics)];
    check(&files, Inventories::default(), AS_OF.parse().unwrap(), &mut diagnostics);
    let records = records(&diagnostics, &sources);
    if diagnostics.has_errors() || records.iter().any(|record| record.code == "C0408") {
        return None;
    }
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(place, _)| place + 1)).collect();
    let finding = |record: Record| {
        // All of it is ASCII.
        let place = |line: usize, column: usize| starts[line - 1] + column - 1;
        let labels: Vec<usize> = record.labels.iter().map(|label| place(label.line, label.column)).collect();
        Finding { code: record.code, place: labels[0], labels, help: record.help.unwrap_or_default() }
    };
    let [file] = files;
    let of_interest = records.into_iter().filter(|record| record.code.starts_with("C066"));
    Some((file, of_interest.map(finding).collect()))
}

/// A random policy, with statements that were made from others of it by small changes.
fn policy(seed: u64) -> String {
    let random = Random::new(seed, WANTED);
    let mut dice = Dice::new(seed);
    let text = random.text("nftables", true);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_rule = |line: &&String| line.starts_with("allow ") || line.starts_with("forbid ");
    let rules: Vec<String> = lines.iter().filter(is_rule).cloned().collect();
    for place in 0..dice.between(2, 5) {
        let [one, other] = [0, 1].map(|_| dice.below(rules.len()));
        let changed = changed(&rules[one], &rules[other], place, &mut dice);
        lines.push(changed);
        if read(&lines.join("\n")).is_err() {
            lines.pop();
        }
    }
    let said = |line: String| match line.strip_suffix('}') {
        Some(clauses) if line.starts_with("allow ") => {
            let leave_out = if dice.once_in(3) { "unsupported leave-out" } else { "" };
            let clauses = clauses.replace("unsupported leave-out", leave_out);
            let reason = dice.pick(&["a", "a", "a", "a", "b"]);
            format!("{clauses} reason \"{reason}\" }}")
        }
        _ => line,
    };
    lines.into_iter().map(said).collect::<Vec<_>>().join("\n")
}

/// One rule with a clause that is that of another, or a clause less, or one more.
fn changed(rule: &str, other: &str, place: usize, dice: &mut Dice) -> String {
    let (head, body) = rule.split_once('{').unwrap();
    let keyword = head.split(' ').next().unwrap();
    let mut body = body.trim_end_matches(['}', ' ']).to_owned();
    let clause = |text: &str, word: &str, end: &str| -> Option<(usize, usize)> {
        let start = text.find(word)?;
        Some((start, text[start..].find(end).map_or(text.len(), |length| start + length)))
    };
    match dice.below(if keyword == "allow" { 6 } else { 5 }) {
        0 => body = body.replace(" log", ""),
        1 => body = body.replace(" until 2026-12-31", "").replace(" until 2027-06-30", ""),
        5 => body += " log until 2026-12-31",
        kind => {
            let (word, end) = [("from ", " to "), (" to ", " via "), ("from ", " to ")][kind - 2];
            let theirs = clause(other, word, end).map(|(start, end)| other[start..end].to_owned());
            if let (Some((start, end)), Some(theirs)) = (clause(&body, word, end), theirs) {
                let joined = if kind == 4 { format!("{theirs} {}", &body[start..end]) } else { theirs };
                body.replace_range(start..end, &joined);
            }
        }
    }
    format!("{keyword} x{place} {{{body} }}")
}

/// A policy without the statements and words that begin at some places. No list may become empty.
fn without(file: &File, places: &BTreeSet<usize>) -> File {
    let mut file = file.clone();
    let gone = |start: usize| places.contains(&start);
    let lists = |lists: &mut Vec<Names>| {
        lists.iter_mut().for_each(|names| names.list.retain(|word| !gone(word.span.start())));
        lists.retain(|names| !names.list.is_empty());
        assert!(!lists.is_empty());
    };
    let via = |via: &mut Vec<Via>| {
        via.retain(|entry| match entry {
            Via::Service(word) => !gone(word.span.start()),
            Via::Inline(spec) => !gone(spec.span.start()),
        });
        for entry in via.iter_mut() {
            let Via::Inline(spec) = entry else { continue };
            for words in [&mut spec.ports, &mut spec.source_ports] {
                let had = !words.is_empty();
                words.retain(|word| !gone(word.span.start()));
                assert_eq!(had, !words.is_empty());
            }
        }
        assert!(!via.is_empty());
    };
    file.statements.retain(|statement| match statement {
        Statement::Rule(rule) => !gone(place_of(rule)),
        Statement::Manage(manage) => {
            !gone(manage.name.as_ref().map_or(manage.span, |name| name.span).start())
        }
        _ => true,
    });
    for statement in &mut file.statements {
        match statement {
            Statement::Rule(rule) => {
                lists(&mut rule.flow.from);
                lists(&mut rule.flow.to);
                via(&mut rule.flow.via);
            }
            Statement::Group(group) => lists(&mut group.members),
            Statement::Class(class) => {
                class.reaches.retain(|reach| !gone(reach.span.start()));
                for reach in &mut class.reaches {
                    reach.others.list.retain(|word| !gone(word.span.start()));
                    via(&mut reach.via);
                }
            }
            Statement::Service(service) => {
                service.protocols.retain(|spec| !gone(spec.span.start()));
                assert!(!service.protocols.is_empty());
            }
            _ => {}
        }
    }
    file
}

fn place_of(rule: &Rule) -> usize {
    rule.name.as_ref().map_or(rule.effect.span, |name| name.span).start()
}

/// A policy with the statements of a finding joined as it proposes.
fn merged(file: &File, finding: &Finding) -> File {
    let proposed = finding.help.split('`').nth(1).unwrap();
    let mut diagnostics = Diagnostics::default();
    let mut sources = Sources::default();
    let source = sources.add("a".to_owned(), format!("allow x {{ {proposed} }}")).unwrap().clone();
    let [Statement::Rule(proposal)] = &parse(&source, &mut diagnostics).statements[..] else {
        panic!("`{proposed}` is no clause")
    };
    assert!(!diagnostics.has_errors(), "`{proposed}`: {diagnostics:?}");
    let mut joined = without(file, &finding.labels[1..].iter().copied().collect());
    let mut changed = 0;
    for statement in &mut joined.statements {
        let Statement::Rule(rule) = statement else { continue };
        if place_of(rule) == finding.place {
            changed += 1;
            for (clause, own) in
                [(&proposal.flow.from, &mut rule.flow.from), (&proposal.flow.to, &mut rule.flow.to)]
            {
                if !clause.is_empty() {
                    own.clone_from(clause);
                }
            }
            if !proposal.flow.via.is_empty() {
                rule.flow.via.clone_from(&proposal.flow.via);
            }
        }
    }
    assert_eq!(changed, 1, "`{proposed}`");
    joined
}

#[test]
fn what_is_redundant_can_go_and_the_rest_is_needed() {
    let (mut counted, mut needed) = (BTreeMap::<String, usize>::new(), 0);
    for seed in cases(40) {
        let text = policy(seed);
        let Some((file, findings)) = found(&text) else { continue };
        let of = |code: &str| -> BTreeSet<usize> {
            let of_code = findings.iter().filter(|finding| finding.code == code);
            of_code.map(|finding| finding.place).collect()
        };
        for finding in &findings {
            *counted.entry(finding.code.clone()).or_default() += 1;
        }
        let removed: BTreeSet<usize> = ["C0661", "C0662", "C0663"].into_iter().flat_map(of).collect();
        let world = World::new(&file);
        let reduced = without(&file, &removed);
        assert_eq!(world.difference(&file, &reduced), None, "policy {seed} without {removed:?}\n{text}");
        let idle = world.replaceable(&without(&file, &of("C0661")));
        assert_eq!(idle, Vec::<String>::new(), "policy {seed}: these are not needed\n{text}");
        needed += file.statements.iter().filter(|one| matches!(one, Statement::Rule(_))).count();
        for finding in findings.iter().filter(|finding| finding.code == "C0664") {
            let difference = world.difference(&file, &merged(&file, finding));
            assert_eq!(difference, None, "policy {seed}: `{}`\n{text}", finding.help);
        }
    }
    eprintln!("{counted:?} among {needed} rules");
    // A kind of finding that never comes about would be tested by nothing.
    for code in ["C0661", "C0662", "C0663", "C0664"] {
        assert!(counted.get(code).is_some_and(|count| *count >= 3), "{counted:?}");
    }
}

#[test]
fn a_statement_that_is_needed_is_missed() {
    let text = "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }\nschedule s { mon..fri 08:00-12:00  timezone utc }\n\
                allow one { from a to b via tcp 80-90 }\nallow two { from a to b via tcp 85-91 log }\n\
                allow three { from b to a via udp 5 during s }\nforbid four { from a to b via tcp 88 }\n";
    let file = parse_only(text);
    let world = World::new(&file);
    for name in ["one", "two", "three", "four"] {
        let start = text.find(&format!("{name} {{")).unwrap();
        let difference = world.difference(&file, &without(&file, &BTreeSet::from([start])));
        assert!(difference.is_some(), "`{name}` is not missed");
    }
    assert_eq!(world.replaceable(&file), Vec::<String>::new());
    let twice = format!("{text}allow again {{ from a to b via tcp 82 }}\n");
    let file = parse_only(&twice);
    assert_eq!(World::new(&file).replaceable(&file).len(), 1);
}

fn parse_only(text: &str) -> File {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let source = sources.add("case.cordon".to_owned(), text.to_owned()).unwrap().clone();
    let file = parse(&source, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    assert!(
        file.statements
            .iter()
            .any(|one| matches!(one, Statement::Rule(rule) if rule.effect.node == Effect::Allow))
    );
    file
}
