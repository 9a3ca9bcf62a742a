//! Renaming: every place that names the statement, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cordon::diff::{Version, access_change};
use cordon::edit::apply;
use cordon::ir::Policy;
use cordon::refactor::{Reference, is_renamed, references, rename};
use cordon::source::Sources;
use cordon::syntax::ast::File;
use cordon::syntax::parse;

use super::{WHOLE, changed, directory, run, text, whole};
use crate::random::{Random, Wanted, cases, read};
use crate::support::{AS_OF, checked, copy_policy, cordon, hospital};

/// The texts of a policy, parsed.
fn parsed(texts: &BTreeMap<String, String>) -> (Sources, Vec<File>) {
    let mut sources = Sources::default();
    let files = texts.iter().map(|(path, text)| {
        let file = sources.add(path.clone(), text.clone()).unwrap().clone();
        parse(&file, &mut cordon::diag::Diagnostics::default())
    });
    let files = files.collect();
    (sources, files)
}

fn declared(files: &[File]) -> Vec<Reference> {
    references(files).into_iter().filter(|one| one.declares.is_some()).collect()
}

/// The texts after a rename, which renamed back must be the same bytes again. `files` are the trees of `texts`.
fn renamed(
    texts: &BTreeMap<String, String>,
    (sources, files): &(Sources, Vec<File>),
    one: &Reference,
    new: &str,
) -> BTreeMap<String, String> {
    let there = |texts: &BTreeMap<String, String>, sources: &Sources, files: &[File], names| {
        let plan = rename(files, sources, names, Some(one.space)).unwrap();
        let mut after = texts.clone();
        for file in apply(sources, &plan.edits).unwrap() {
            after.insert(file.path, file.after);
        }
        after
    };
    let after = there(texts, sources, files, (one.name.as_str(), new));
    assert_ne!(&after, texts);
    let (now_sources, now) = parsed(&after);
    assert!(is_renamed(files, &now, one.space, (&one.name, new)), "{} to {new}", one.name);
    assert_eq!(&there(&after, &now_sources, &now, (new, one.name.as_str())), texts, "{}", one.name);
    after
}

fn texts_of(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let policies = entries.filter(|path| path.extension().is_some_and(|extension| extension == "cordon"));
    let named = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
    };
    policies.map(named).collect()
}

/// Every so many of the names of the example are also checked as a whole.
const CHECKED: usize = 40;

#[test]
fn each_name_of_the_example_can_be_another_one() {
    let texts = texts_of(&hospital());
    let read = parsed(&texts);
    let (policy, _, sources) = checked(&hospital(), |file| file);
    let names = declared(&read.1);
    assert!(names.len() > 150, "{}", names.len());
    for (place, one) in names.iter().enumerate() {
        let after = renamed(&texts, &read, one, &format!("z_{}", one.name));
        if place % CHECKED == 0 {
            let directory = tempfile::tempdir().unwrap();
            copy_policy(&hospital(), directory.path(), |name, _| Some(after[name].clone()));
            let (now, diagnostics, now_sources) = checked(directory.path(), |file| file);
            assert!(!diagnostics.has_errors(), "{}: {diagnostics:?}", one.name);
            assert_same_access((&policy, &sources), (&now, &now_sources), &one.name);
        }
    }
}

fn assert_same_access(old: (&Policy, &Sources), new: (&Policy, &Sources), what: &str) {
    let [old, new] = [old, new].map(|(policy, sources)| Version { policy, sources });
    let change = access_change(old, new);
    assert!(change.is_empty(), "{what}: {change:?}");
}

#[test]
fn each_name_of_random_policies_can_be_another_one() {
    let all = Wanted { schedules: true, shared_interfaces: true, managed_by_rest: true };
    let mut names = 0;
    for seed in cases(6) {
        let text = Random::new(seed, all).text("nftables", false);
        let texts = BTreeMap::from([("random.cordon".to_owned(), text)]);
        let parsed = parsed(&texts);
        let was = read(&texts["random.cordon"]).unwrap_or_else(|error| panic!("{seed}: {error}")).policy;
        for one in declared(&parsed.1) {
            let after = renamed(&texts, &parsed, &one, "a-new_name");
            let now = read(&after["random.cordon"]).unwrap_or_else(|error| panic!("{seed}: {error}")).policy;
            assert_same_access((&was, &parsed.0), (&now, &parsed.0), &format!("{seed}: {}", one.name));
            names += 1;
        }
    }
    assert!(names > 20, "only {names} names");
}

/// What each rename changes in the policy that names everything everywhere.
#[test]
fn each_kind_is_renamed_in_all_its_places() {
    let cases: [(&str, usize); 14] = [
        ("ward", 5),
        ("servers", 6),
        ("pump", 5),
        ("pump_srv", 2),
        ("log_srv", 4),
        ("inner", 2),
        ("alaris", 2),
        ("syslog", 2),
        ("nights", 3),
        ("data", 4),
        ("closed", 1),
        ("cut", 1),
        ("stock", 2),
        ("core", 3),
    ];
    for (old, places) in cases {
        let policy = whole();
        let (code, out, err) = run(&["rename", old, "n_e-w"], policy.path());
        assert_eq!((code, out.as_str()), (0, ""), "{old}: {err}");
        assert!(err.contains(&format!(": {places} place")), "{old}: {err}");
        assert!(err.contains("access is unchanged"), "{old}: {err}");
        assert_eq!(text(&policy).matches("n_e-w").count(), places, "{old}");
        let (code, _, err) = run(&["rename", "n_e-w", old], policy.path());
        assert_eq!((code, text(&policy).as_str()), (0, WHOLE), "{old}: {err}");
    }
}

#[test]
fn what_only_looks_like_the_name_stays() {
    let policy = whole();
    let (code, _, err) = run(&["rename", "ward", "station"], policy.path());
    assert_eq!(code, 0, "{err}");
    let after = text(&policy);
    for kept in ["# ward is a word here", "note \"ward\"", "zone == ward"] {
        assert!(after.contains(kept), "{kept}: {after}");
    }
    assert!(err.contains("the condition at a.cordon:6:69 compares with what a table says"), "{err}");
    assert!(err.contains("tables of inventories say `ward` of 1 device"), "{err}");
    let policy = whole();
    run(&["rename", "stock", "store"], policy.path());
    assert!(text(&policy).contains("where inventory == \"store\" and"), "{}", text(&policy));
}

#[test]
fn what_cannot_be_renamed_is_refused_with_the_way_out() {
    let policy = whole();
    let cases = [
        (["ward", "pump"], "`pump` is taken by the class at a.cordon:5:7"),
        (["data", "admin"], "`admin` is taken by the manage at"),
        (["wart", "x"], "did you mean `ward`?"),
        (["ward", "ward"], "it is called `ward` already"),
        (["ward", "zone"], "it is a word of the language"),
        (["alaris", "tcp"], "it is a word of the language"),
        (["ward", "any"], "it is a word of the language"),
        (["core", "postures"], "the folder of this name"),
        (["ward", "a b"], "a name is a letter"),
        (["ward", ""], "a name is a letter"),
        (["ward", "w\u{e4}rd"], "a name is a letter"),
        (["ward", "{ } allow"], "a name is a letter"),
        (["ward", "\u{202e}x"], "a name is a letter"),
        (["allow-pump-log_srv-1", "x"], "nothing is called"),
    ];
    for (names, said) in cases {
        let (code, out, err) = run(&["rename", names[0], names[1]], policy.path());
        assert_eq!((code, out.as_str()), (2, ""), "{names:?}: {err}");
        assert!(err.contains(said), "{names:?}: {err}");
    }
    let (_, _, err) = run(&["rename", "x\u{1b}[31m", "y"], policy.path());
    assert!(err.contains("nothing is called `x?[31m`"), "{err}");
    let long = "a".repeat(64);
    assert_eq!(run(&["rename", "ward", &long], policy.path()).0, 2);
    assert_eq!(run(&["rename", "ward", "x", "--kind", "ports"], policy.path()).0, 2);
    let (code, _, err) = run(&["rename", "ward", "x", "--kind", "service"], policy.path());
    assert!(code == 2 && err.contains("among services"), "{err}");
    assert_eq!(text(&policy), WHOLE);
    assert_eq!(run(&["rename", "ward", "x"], Path::new("no/such/policy")).0, 2);
}

#[test]
fn a_rule_without_a_name_is_told_from_one_that_is_not_there() {
    let policy = directory(&[(
        "a.cordon",
        "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }\nallow { from a  to b  via tcp 1 }\n",
    )]);
    let path = policy.path().to_string_lossy().into_owned();
    let said = cordon(&["explain", &path, "tcp", "10.1.0.1", "10.2.0.1", "1", "--as-of", AS_OF], "");
    let said = String::from_utf8(said.stdout).unwrap();
    let id = said.split_whitespace().find(|word| word.starts_with("allow-a-b-")).unwrap();
    let (code, _, err) = run(&["rename", id, "x"], policy.path());
    assert!(code == 2 && err.contains("the statement at a.cordon:3:1 has no name"), "{err}");
}

#[test]
fn a_name_in_two_name_spaces_needs_its_kind() {
    let before = WHOLE.replace("alaris", "pump");
    let policy = whole();
    fs::write(policy.path().join("a.cordon"), &before).unwrap();
    let (code, _, err) = run(&["rename", "pump", "x"], policy.path());
    assert_eq!(code, 2);
    assert!(err.contains("the class at a.cordon:5:7 and the service at") && err.contains("--kind"), "{err}");
    let (code, _, err) = run(&["rename", "pump", "x", "--kind", "service"], policy.path());
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        changed(&before, &text(&policy)),
        [
            "-service pump { tcp 3613 }",
            "+service x { tcp 3613 }",
            "-allow  data { from pump  to all_srv except log_srv  via pump   during nights }",
            "+allow  data { from pump  to all_srv except log_srv  via x   during nights }",
        ]
    );
}

#[test]
fn a_name_that_makes_something_else_wrong_is_not_written() {
    // The guard of `ward` could be one of the rule then.
    let policy = whole();
    let (code, out, err) = run(&["rename", "shut", "ward"], policy.path());
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("C0614") && err.contains("nothing was written"), "{err}");
    assert_eq!(text(&policy), WHOLE);
    let (code, out, _) = run(&["rename", "shut", "ward", "--format", "json"], policy.path());
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["errors"]), (1, &1.into()));
}

#[test]
fn a_policy_with_errors_is_left_alone() {
    let policy = directory(&[("a.cordon", "zone a { net 10.1.0.0/24 }\ngroup g { a, b }\n")]);
    let (code, _, err) = run(&["rename", "a", "x"], policy.path());
    assert!(code == 1 && err.contains("C0101") && err.contains("since the policy has errors"), "{err}");
    assert!(text(&policy).starts_with("zone a "));
}

#[test]
fn bytes_that_are_not_read_stay_and_links_stay_links() {
    let policy = whole();
    let odd = format!("\u{feff}{}", WHOLE.replace('\n', "\r\n").trim_end());
    fs::rename(policy.path().join("a.cordon"), policy.path().join("real")).unwrap();
    fs::write(policy.path().join("real"), &odd).unwrap();
    std::os::unix::fs::symlink("real", policy.path().join("a.cordon")).unwrap();
    let (code, _, err) = run(&["rename", "pump", "pumpe"], policy.path());
    assert_eq!(code, 0, "{err}");
    assert!(policy.path().join("a.cordon").is_symlink());
    let after = fs::read_to_string(policy.path().join("real")).unwrap();
    assert!(after.starts_with("\u{feff}policy") && after.ends_with("to core }"), "{after:?}");
    assert_eq!(after.matches("\r\n").count(), odd.matches("\r\n").count());
    run(&["rename", "pumpe", "pump"], policy.path());
    assert_eq!(fs::read_to_string(policy.path().join("real")).unwrap(), odd);
}

#[test]
fn a_difference_is_shown_and_not_written() {
    let policy = whole();
    let (code, out, err) = run(&["rename", "inner", "x", "--diff"], policy.path());
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("--- a/a.cordon\n+++ b/a.cordon\n@@"), "{out}");
    assert!(
        out.contains("-  inner,     # by way of another group\n+  x,     # by way of another group\n"),
        "{out}"
    );
    assert!(err.starts_with("would rename the group `inner` to `x`: 2 places in 1 file\n"), "{err}");
    assert_eq!(text(&policy), WHOLE);
    let (code, out, err) = run(&["rename", "inner", "x", "--format", "json"], policy.path());
    assert_eq!((code, err.as_str()), (0, ""));
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["command"], "rename");
    assert_eq!(document["result"]["files"][0]["places"], 2);
    assert_eq!(document["result"]["written"], true);
}
