//! Whether the proof notices changes of a config: files of all targets are changed in one place each, and proved.
//!
//! A changed config is refused, or found to differ by packets on which a judge agrees that has no part in the proof, or
//! proved equal; then no packet at the edges of the policy or of the change may tell it from the config that it was.
//! Changes are drawn from a seed. `CORDON_CASES=5000 cargo test --release mutation -- --nocapture` is the long run; the
//! number is that of changes for each enforcement point.

mod cisco;
mod linux;
mod model;
mod mutate;
mod packet;
mod pfsense;
mod site;

use cordon::prove::{Comparison, Kind, Verdict};

use self::mutate::{Mutant, Subject};
use self::packet::{Packet, Values};
use self::site::{Files, Judge, Room, Site};
use crate::kernel::require::ready;
use crate::random::Dice;
use crate::support::root;

/// What became of changes.
#[derive(Default, Debug)]
struct Tally {
    unreadable: usize,
    different: usize,
    /// Packets that show a difference, on which the judge agreed.
    witnesses: usize,
    /// Proved equal, and among these: the same model, judged by packets, with differences in what is left open.
    equal: usize,
    same: usize,
    judged: usize,
    open: usize,
    /// What the judge cannot read.
    unjudged: usize,
    wrong: Vec<String>,
}

/// How many changes are tried of one enforcement point.
fn cases(normally: usize) -> usize {
    std::env::var("CORDON_CASES").map_or(normally, |count| count.parse().unwrap())
}

/// Draws changes of the files of a site; a larger file is changed more often.
fn mutants(site: &Site, count: usize) -> Vec<(Mutant, Files)> {
    let mut dice = Dice::new(0xc0de);
    let interfaces = site.interfaces();
    let subjects: Vec<Subject> =
        site.files.iter().map(|(_, text)| Subject::new(text, site.words(), &interfaces)).collect();
    let places: Vec<usize> =
        subjects.iter().enumerate().flat_map(|(place, subject)| vec![place; subject.size()]).collect();
    let mut found = Vec::new();
    while found.len() < count {
        let file = *dice.pick(&places);
        let mutant = subjects[file].mutant(file, &mut dice);
        let mut files = site.files.clone();
        if files[file].1 != mutant.text {
            files[file].1.clone_from(&mutant.text);
            found.push((mutant, files));
        }
    }
    found
}

/// Proves changes of one enforcement point and judges what the proof says.
fn check(site: &Site, count: usize) -> Tally {
    let (room, original) = (site.room(), site.judge(&site.files).unwrap());
    let unchanged = site.prove(&site.files);
    assert!(matches!(&unchanged, Verdict::Compared(comparison) if comparison.is_equal()), "{unchanged:?}");
    let mut tally = Tally::default();
    for (mutant, files) in mutants(site, count) {
        let said = match site.prove(&files) {
            Verdict::NoReader => panic!("no reader"),
            Verdict::Unreadable(_) => {
                tally.unreadable += 1;
                continue;
            }
            Verdict::Compared(comparison) => comparison,
        };
        let judge = site.judge(&files);
        let wrong = if said.is_equal() {
            tally.equal += 1;
            let (_, old) = &site.files[mutant.file];
            equal(&room, &original, judge.as_ref(), &Values::of_change(old, &mutant.text), &mut tally)
        } else {
            tally.different += 1;
            different(&room, &original, judge.as_ref(), &said, &mut tally)
        };
        tally.wrong.extend(wrong.map(|wrong| format!("{}: {wrong}", mutant.what)));
    }
    let name = &site.policy[site.device].name;
    eprintln!("{} {name}: {tally:?}", site.target());
    tally
}

/// Looks for a packet that tells a config that was proved equal from the one that it was.
fn equal(
    room: &Room,
    original: &Judge,
    judge: Option<&Judge>,
    values: &Values,
    tally: &mut Tally,
) -> Option<String> {
    let Some(judge) = judge else {
        tally.unjudged += 1;
        return None;
    };
    if judge.is_same(original) {
        tally.same += 1;
        return None;
    }
    tally.judged += 1;
    let mut dice = Dice::new(7);
    // The evaluator of pfSense reads each address anew.
    let (draws, step) = if matches!(judge, Judge::Rules(_)) { (300, 7) } else { (800, 2) };
    let first = room.source.first_packets().skip(dice.below(step)).step_by(step);
    let drawn: Vec<Packet> = (0..draws).map(|_| room.source.draw(values, &mut dice)).collect();
    let mut open = false;
    for packet in first.chain(drawn) {
        let verdicts = [original, judge].map(|judge| judge.passes(&packet));
        let [Some(before), Some(after)] = verdicts else { continue };
        if before == after {
            continue;
        }
        let allowed = original.passes(&packet.first()).is_some_and(|passes| passes.contains(&true));
        if !room.is_open(&packet, allowed) {
            return Some(format!("proved equal, but {packet:?} passes {after:?} and not {before:?}"));
        }
        open = true;
    }
    tally.open += usize::from(open);
    None
}

/// Confirms the packets that show a difference.
fn different(
    room: &Room,
    original: &Judge,
    judge: Option<&Judge>,
    said: &Comparison,
    tally: &mut Tally,
) -> Option<String> {
    for difference in &said.differences {
        for witness in difference.witnesses.iter().take(3) {
            let packet = Packet::of_witness(difference, witness);
            let before = original.passes(&packet);
            let after = judge.and_then(|judge| judge.passes(&packet));
            let (Some(before), Some(after)) = (before, after) else {
                tally.unjudged += 1;
                continue;
            };
            tally.witnesses += 1;
            let right = match difference.kind {
                Kind::Opened => after.contains(&true) && !before.contains(&true),
                Kind::Closed => after.contains(&false) && before.contains(&true),
            };
            let first = packet.leaves.is_some() && packet.opens() && packet.state == "new";
            let expected = difference.kind == Kind::Closed;
            let by_policy = !first || room.allows(&packet) == expected;
            if !right || !by_policy {
                return Some(format!(
                    "{:?} by {packet:?}, which passes {before:?}, then {after:?}",
                    difference.kind
                ));
            }
        }
        if difference.witnesses.is_empty() {
            return Some("a difference without a packet".to_owned());
        }
    }
    None
}

/// Checks sites of one target. Enough changes must be found to differ, and be proved equal, to say something about both;
/// and of the packets and configs that judges are asked about, most must be known to them.
fn check_all(sites: &[(Site, usize)]) {
    let (mut all, mut different, mut equal, mut known, mut unknown) = (0, 0, 0, 0, 0);
    let mut wrong = Vec::new();
    for (site, normally) in sites {
        let count = cases(*normally);
        let tally = check(site, count);
        all += count;
        different += tally.different;
        equal += tally.equal;
        known += tally.witnesses + tally.judged;
        unknown += tally.unjudged;
        wrong.extend(tally.wrong);
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(different * 5 >= all && equal * 10 >= all, "{different} differ and {equal} are equal of {all}");
    assert!(known > unknown, "{known} judged, {unknown} not");
}

fn shapes(target: &str) -> Site {
    let target = format!("target {target}");
    Site::compiled(&root().join("tests/policies/shapes"), &[("target nftables", &target)], "core")
}

fn switches(name: &str) -> Site {
    // A terminal does not see where a login came in, so it cannot tell a host behind the switch from who claims to be it.
    let changes = [("manage admin", "# manage admin"), ("manage state", "# manage state")];
    let changes = if name == "dist2" { &changes[..] } else { &[] };
    Site::compiled(&root().join("tests/policies/switch"), changes, name)
}

fn shapes_of_pfsense() -> Site {
    let changes = [
        ("target nftables", "target pfsense"),
        ("interface ward0", "interface lan"),
        ("interface lab0", "interface opt1"),
        ("interface srv0", "interface opt2"),
        ("interface wan0", "interface wan"),
    ];
    Site::compiled(&root().join("tests/policies/shapes"), &changes, "core")
}

#[test]
fn changes_of_nftables_are_noticed() {
    check_all(&[(shapes("nftables"), 100), (switches("core"), 20), (Site::committed("core"), 3)]);
}

#[test]
fn changes_of_iptables_are_noticed() {
    check_all(&[(shapes("iptables"), 110), (Site::committed("records"), 10)]);
}

#[test]
fn changes_of_cisco_ios_are_noticed() {
    check_all(&[(switches("dist1"), 50), (switches("dist2"), 25), (Site::committed("dist3"), 2)]);
}

#[test]
fn changes_of_pfsense_are_noticed() {
    check_all(&[(shapes_of_pfsense(), 90), (Site::committed("border"), 4)]);
}

/// What the kernel lists after it loaded files.
fn listed(site: &Site, files: &Files) -> Option<Files> {
    let names = site.files.iter().map(|(name, _)| name.clone());
    match &files[..] {
        [(_, ruleset)] => linux::nftables(ruleset).map(|listing| names.zip([listing]).collect()),
        [(_, v4), (_, v6), (_, sets)] => {
            linux::iptables(v4, v6, sets).map(|listing| names.zip(listing).collect())
        }
        _ => panic!("{files:?}"),
    }
}

/// Loads changed files: unless the kernel refuses them, what it lists is proved as the files were.
fn check_listings(site: &Site, count: usize) {
    let mut wrong = Vec::new();
    let mut seen = [0; 3];
    for (mutant, files) in mutants(site, count) {
        let Verdict::Compared(said) = site.prove(&files) else { continue };
        let Some(listing) = listed(site, &files) else {
            // What is refused changes nothing: a load is one transaction.
            seen[2] += 1;
            continue;
        };
        let again = site.prove(&listing);
        let is_equal = matches!(&again, Verdict::Compared(comparison) if comparison.is_equal());
        seen[usize::from(said.is_equal())] += 1;
        if is_equal != said.is_equal() {
            wrong.push(format!("{}: equal {}, as listed {again:?}", mutant.what, said.is_equal()));
        }
    }
    eprintln!("{}: listings of different, of equal, refused {seen:?}", site.target());
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn listings_of_changed_nftables_are_proved_alike() {
    if ready("listings_of_changed_nftables_are_proved_alike", &["nft"]) {
        check_listings(&shapes("nftables"), cases(30));
    }
}

#[test]
fn listings_of_changed_iptables_are_proved_alike() {
    let tools = ["iptables-restore", "ip6tables-restore", "iptables-save", "ip6tables-save", "ipset"];
    if ready("listings_of_changed_iptables_are_proved_alike", &tools) {
        check_listings(&shapes("iptables"), cases(30));
    }
}
