//! What the documents hold: for every case of `tests/ui` the same findings in each form, and names of files that lead there.

use serde_json::Value;

use super::{GOOD, directory, junit, run, sarif};
use crate::support::{AS_OF, root};

/// A policy with a mistake.
const BAD: &str = "zone ward { net 10.1.0.0/24 }\nallow x { from ward  to nowhere  via tcp 1 }\n";

#[test]
fn every_form_has_all_findings_of_every_case() {
    let cases = root().join("tests/ui");
    let mut findings_seen = 0;
    for entry in std::fs::read_dir(&cases).unwrap() {
        let case = entry.unwrap().file_name().into_string().unwrap();
        if case.ends_with(".snap") || case.ends_with(".new") {
            continue;
        }
        let check = |format: &str| {
            let (code, out, err) = run(&cases, &["check", &case, "--as-of", AS_OF, "--format", format]);
            let is_text = format == "concise";
            assert_eq!(if is_text { &out } else { &err }, "", "`{case}` as {format}");
            (code, if is_text { err } else { out })
        };
        let (code, json) = check("json");
        let json: Value = serde_json::from_str(&json).unwrap();
        let (number, errors) =
            (json["diagnostics"].as_array().unwrap().len(), json["errors"].as_u64().unwrap());
        findings_seen += number;
        let documents = ["concise", "sarif", "junit", "github", "gitlab"].map(check);
        assert!(documents.iter().all(|(other, _)| *other == code), "`{case}`");
        let [(_, concise), (_, sarif), (_, junit), (_, github), (_, gitlab)] = &documents;
        assert_eq!(concise.lines().count(), number + 1, "`{case}`:\n{concise}");
        let results = sarif::read(sarif).unwrap_or_else(|problem| panic!("`{case}`: {problem}\n{sarif}"));
        assert_eq!(results.len(), number, "`{case}`:\n{sarif}");
        let cases = junit::read(junit).unwrap_or_else(|problem| panic!("`{case}`: {problem}\n{junit}"));
        assert_eq!(cases.len(), number.max(1), "`{case}`:\n{junit}");
        assert_eq!(cases.iter().filter(|case| case.2).count() as u64, errors, "`{case}`:\n{junit}");
        assert_eq!(github.lines().count(), number, "`{case}`:\n{github}");
        assert!(github.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")));
        let issues: Vec<Value> = serde_json::from_str(gitlab).unwrap();
        let prints: std::collections::BTreeSet<_> =
            issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        assert_eq!((issues.len(), prints.len()), (number, number), "`{case}`:\n{gitlab}");
    }
    assert!(findings_seen > 300, "only {findings_seen} findings");
}

#[test]
fn names_of_files_lead_there_from_where_the_command_runs() {
    let repository = directory(&[("site a/x/ü:1.cordon", BAD)]);
    let (below, shown) = (repository.path().join("site a"), "site a/x/ü:1.cordon");
    let absolute = repository.path().join("site a/x").canonicalize().unwrap();
    let check = |policy: &str, format: &str| {
        let (code, out, err) = run(repository.path(), &["check", policy, "--format", format]);
        assert_eq!(code, 1, "{err}");
        out + &err
    };
    for policy in ["site a/x", "./site a/x/", shown, "site a/../site a/x", absolute.to_str().unwrap()] {
        let results = sarif::read(&check(policy, "sarif")).unwrap();
        let place = &results[0].locations[0].physical_location;
        assert_eq!(place.artifact_location.uri, "site%20a/x/%C3%BC%3A1.cordon");
        let region = sarif::Region { start_line: 2, start_column: 25, end_line: 2, end_column: 32 };
        assert_eq!(place.region, Some(region));
        assert_eq!(results[0].level, sarif::Level::Error);
        assert!(check(policy, "human").contains("[site a/x/ü:1.cordon:2:25]"));
        assert!(check(policy, "concise").starts_with("site a/x/ü:1.cordon:2:25: error[C0101]: "));
        let cases = junit::read(&check(policy, "junit")).unwrap();
        assert_eq!(cases[0], (shown.to_owned(), "C0101 at 2:25".to_owned(), true));
        let expected =
            "::error file=site a/x/ü%3A1.cordon,line=2,col=25,endLine=2,endColumn=32,title=C0101::";
        assert!(check(policy, "github").starts_with(expected));
        let issues: Vec<Value> = serde_json::from_str(&check(policy, "gitlab")).unwrap();
        assert_eq!(
            issues[0]["location"],
            serde_json::json!({"path": shown, "lines": {"begin": 2, "end": 2}})
        );
        assert_eq!(issues[0]["severity"], "major");
    }
    // What lies outside of where the command runs has its whole path.
    let (_, concise, err) = run(&below, &["check", "x", "--format", "github"]);
    assert!(concise.starts_with("::error file=x/ü%3A1.cordon,"), "{concise}{err}");
    let elsewhere = tempfile::tempdir().unwrap();
    let (_, out, _) = run(elsewhere.path(), &["check", absolute.to_str().unwrap(), "--format", "sarif"]);
    let uri = &sarif::read(&out).unwrap()[0].locations[0].physical_location.artifact_location.uri;
    assert!(uri.starts_with("file:///") && uri.ends_with("/site%20a/x/%C3%BC%3A1.cordon"), "{uri}");
}

#[test]
fn a_warning_is_one_in_each_form_and_fails_in_junit_where_it_fails_the_command() {
    let policy = directory(&[("a.cordon", GOOD), ("b.cordon", "service idle { tcp 9 }")]);
    for (more, failed) in [(&[][..], false), (&["--deny-warnings"], true)] {
        let (code, out, _) = run(policy.path(), &[&["check", ".", "--format", "junit"], more].concat());
        assert_eq!((code == 1, junit::read(&out).unwrap()[0].2), (failed, failed), "{out}");
    }
    let check = |format| run(policy.path(), &["check", ".", "--format", format]).1;
    assert!(check("gitlab").contains("\"severity\": \"minor\""));
    assert!(check("github").starts_with("::warning file=b.cordon,line=1,"));
    assert_eq!(sarif::read(&check("sarif")).unwrap()[0].level, sarif::Level::Warning);
}

#[test]
fn differences_that_a_proof_finds_stand_on_their_lines() {
    let policy = directory(&[("a.cordon", GOOD)]);
    let build = ["build", ".", "--as-of", AS_OF, "--format", "sarif"];
    let (code, out, err) = run(policy.path(), &build);
    assert_eq!((code, sarif::read(&out).unwrap().len()), (0, 0), "{err}");
    let ruleset = policy.path().join("build/core/ruleset.nft");
    let text = std::fs::read_to_string(&ruleset).unwrap();
    assert!(text.contains("10.2.0.10 . tcp . 3613"), "{text}");
    std::fs::write(&ruleset, text.replace("10.2.0.10 . tcp . 3613", "10.2.0.10 . tcp . 3614")).unwrap();
    let verify = |format: &str| {
        run(policy.path(), &["verify", ".", "--against", "build", "--as-of", AS_OF, "--format", format])
    };
    let (code, out, err) = verify("github");
    assert_eq!(code, 1, "{err}");
    let titles: Vec<&str> =
        out.lines().filter_map(|line| line.split("title=").nth(1)?.split("::").next()).collect();
    assert_eq!(titles, ["opened", "closed"], "{out}");
    let place = "::error file=build/core/ruleset.nft,line=";
    assert!(out.lines().any(|line| line.starts_with(place)), "{out}");
    let cases = junit::read(&verify("junit").1).unwrap();
    assert!(cases.len() == 2 && cases.iter().all(|case| case.2), "{cases:?}");
    std::fs::write(&ruleset, "table inet cordon { nonsense }").unwrap();
    let (code, out, err) = verify("gitlab");
    assert_eq!(code, 2, "{err}");
    assert!(out.contains("\"check_name\": \"unreadable\""), "{out}");
    assert!(err.starts_with("cordon: "), "{err}");
}

#[test]
fn an_answer_is_not_lost_in_a_form_that_has_no_place_for_it() {
    let policy = directory(&[("a.cordon", GOOD), ("p.csv", "proto,src,dst,sport,dport\n")]);
    for command in [
        &["explain", ".", "tcp", "10.1.0.1", "10.2.0.10", "3613"][..],
        &["query", ".", "--packets", "p.csv"],
        &["inventory", "."],
    ] {
        for format in ["sarif", "junit", "github", "gitlab"] {
            let (code, out, err) = run(policy.path(), &[command, &["--format", format]].concat());
            assert_eq!((code, out.as_str()), (2, ""), "{command:?} {err}");
            assert!(err.contains("has no place") && err.contains("`cordon check`"), "{err}");
        }
    }
}

#[test]
fn nothing_stands_on_standard_output_where_nothing_could_be_read() {
    let empty = tempfile::tempdir().unwrap();
    for format in ["human", "concise", "json", "sarif", "junit", "github", "gitlab"] {
        let (code, out, err) = run(empty.path(), &["check", ".", "--format", format]);
        assert_eq!((code, out.as_str()), (2, ""), "{format}");
        assert!(err.starts_with("cordon: there is no policy in `.`"), "{err}");
    }
}
