//! The least of a policy: it still shows what it was asked for, and nothing in it can go.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cordon::source::Sources;
use cordon::syntax::parts;

use super::{directory, run, whole};
use crate::support::{AS_OF, cordon, root};

/// Codes with texts that `cordon check` finds.
type Found = BTreeSet<(String, String)>;

/// All findings of a policy, and its errors.
fn found(path: &Path) -> (Found, Found) {
    let (_, out, _) = run(&["check", "--format", "json"], path);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let all = document["diagnostics"].as_array().unwrap();
    let pair = |one: &serde_json::Value| (text(&one["code"]), text(&one["message"]));
    let errors = all.iter().filter(|one| one["severity"] == "error");
    (all.iter().map(pair).collect(), errors.map(pair).collect())
}

/// Every so many of the cases in `tests/ui` is made less.
const CASES: usize = 9;

/// Codes of characters, which a smaller policy does not have.
const NOT_OF_TEXT: &str = "C0006";

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/ui")).unwrap().map(|entry| entry.unwrap().path());
    let is_case = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "cordon")
            && path.file_name().unwrap().to_string_lossy().starts_with('c')
    };
    let mut cases: Vec<PathBuf> = entries.filter(is_case).collect();
    cases.sort();
    cases.into_iter().step_by(CASES).collect()
}

#[test]
fn the_least_of_a_case_has_its_finding_and_needs_each_statement() {
    let mut smaller = 0;
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let code = name.get(..5).unwrap().to_uppercase();
        if code == NOT_OF_TEXT {
            continue;
        }
        let (whole, whole_errors) = found(&case);
        let (exit, out, err) = run(&["extract", "--code", &code], &case);
        assert_eq!(exit, 0, "{name}: {err}");
        smaller += usize::from(out.len() < fs::read_to_string(&case).unwrap().len());
        let shows = |text: &str| {
            let policy = directory(&[("a.cordon", text)]);
            let (all, errors) = found(policy.path());
            let kept = all.intersection(&whole).any(|(own, _)| *own == code);
            kept && errors.is_subset(&whole_errors)
        };
        assert!(shows(&out), "{name}:\n{out}");
        let mut sources = Sources::default();
        for part in parts(sources.add("a.cordon".into(), out.clone()).unwrap()) {
            let mut less = out.clone();
            less.replace_range(part.range, "");
            assert!(!shows(&less), "{name} needs less than:\n{out}\nnamely:\n{less}");
        }
    }
    assert!(smaller > 10, "only {smaller} became less");
}

#[test]
fn the_verdict_stays_with_its_rule() {
    let policy = whole();
    let (code, out, err) =
        run(&["extract", "--packet", "tcp", "10.1.0.1", "10.2.0.10", "3613", "--out", "-"], policy.path());
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        out,
        "zone ward { net 10.1.0.0/24 }\nzone servers { net 10.2.0.0/24 }\nclass pump in ward {\n  hosts 10.1.0.0/25\n}\n\
         peer pump_srv in servers { host 10.2.0.10 }\ngroup inner { pump_srv }\ngroup all_srv {\n  inner\n}\n\
         service alaris { tcp 3613 }\nschedule nights { mon..sun 22:00-06:00 timezone utc }\n\
         allow data { from pump to all_srv via alaris during nights }\n"
    );
}

#[test]
fn the_result_does_not_depend_on_the_run() {
    let policy = whole();
    let arguments = ["extract", "--packet", "tcp", "198.51.100.1", "10.1.0.200", "80", "--out", "-"];
    let once = run(&arguments, policy.path());
    assert_eq!(once.0, 0, "{}", once.2);
    assert_eq!(once, run(&arguments, policy.path()));
    assert!(once.1.contains("deny") || once.1.contains("zone"), "{}", once.1);
}

#[test]
fn tables_become_less_too_and_stand_beside_the_policy() {
    let policy = directory(&[
        ("a.cordon", "include \"more/b.cordon\"\nzone a { net 10.1.0.0/24 }\n"),
        ("t.csv", "name,address,zone\none,10.1.0.1,\ntwo,10.1.0.2,nowhere\nthree,10.1.0.1,\n"),
    ]);
    fs::create_dir(policy.path().join("more")).unwrap();
    fs::write(
        policy.path().join("more/b.cordon"),
        "inventory stock { file \"../t.csv\" }\nclass c in a { members from inventory }\n",
    )
    .unwrap();
    let (all, _) = found(policy.path());
    assert!(all.iter().any(|(code, _)| code == "C1017"), "{all:?}");
    let out = policy.path().join("least");
    let path = out.to_string_lossy().into_owned();
    let (code, _, err) = run(&["extract", "--code", "C1017"], policy.path());
    assert!(code == 2 && err.contains("name a directory with `--out DIR`"), "{err}");
    let (code, printed, err) = run(&["extract", "--code", "C1017", "--out", &path], policy.path());
    assert_eq!((code, printed.as_str()), (0, ""), "{err}");
    let table = fs::read_to_string(out.join("t.csv")).unwrap();
    assert_eq!(table, "name,address,zone\none,10.1.0.1,\nthree,10.1.0.1,\n");
    assert!(found(&out).0.iter().any(|(code, _)| code == "C1017"));
    // What is there is never replaced.
    let (code, _, err) = run(&["extract", "--code", "C1017", "--out", &path], policy.path());
    assert!(code == 2 && err.contains("it exists already"), "{err}");
}

#[test]
fn what_cannot_be_made_less_is_said() {
    let policy = whole();
    let (code, _, err) = run(&["extract", "--code", "C0101"], policy.path());
    assert!(code == 2 && err.contains("no finding of the policy has the code `C0101`"), "{err}");
    assert_eq!(run(&["extract"], policy.path()).0, 2);
    let path = policy.path().to_string_lossy().into_owned();
    let both = ["extract", &path, "--code", "C0101", "--packet", "tcp", "10.1.0.1", "10.2.0.10", "1"];
    assert_eq!(cordon(&both, "").status.code(), Some(2));
    let (code, _, err) =
        run(&["extract", "--packet", "tcp", "10.1.0.1", "nowhere", "1", "--out", "-"], policy.path());
    assert!(code == 2 && err.contains("`nowhere` is not an address"), "{err}");
    let limited = [
        "extract",
        &path,
        "--packet",
        "tcp",
        "10.1.0.1",
        "10.2.0.10",
        "3613",
        "--tries",
        "3",
        "--as-of",
        AS_OF,
        "--out",
    ];
    let out = policy.path().join("least").to_string_lossy().into_owned();
    let said = cordon(&[&limited[..], &[&out]].concat(), "");
    assert!(String::from_utf8_lossy(&said.stderr).contains("that was the limit"), "{said:?}");
    let broken = directory(&[("a.cordon", "zone a { net 10.1.0.0/24 }\ngroup g { b }\n")]);
    let (code, _, err) =
        run(&["extract", "--packet", "tcp", "10.1.0.1", "10.2.0.1", "1", "--out", "-"], broken.path());
    assert!(code == 1 && err.contains("C0101"), "{err}");
    let hidden = directory(&[("a.cordon", "zone a { net 10.1.0.0/24 } # \u{202e}\n")]);
    let (code, _, err) = run(&["extract", "--code", "C0006"], hidden.path());
    assert!(code == 2 && err.contains("does not come about where the policy is one file"), "{err}");
}
