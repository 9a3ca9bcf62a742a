//! Codes, levels, acceptances and fixes, as a user of the command meets them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use cordon::diag::{CODES, Level};
use serde_json::Value;

use crate::support::{self, AS_OF, root};

/// A policy that builds, with a service that nothing uses and an acceptance that accepts nothing.
const POLICY: &str = "\
policy \"small\"
zone ward    { net 10.1.0.0/24 }
zone servers { net 10.2.0.0/24   accepted C0206 because \"gone\" }  # servers
peer pump_srv in servers { host 10.2.0.10 }
service idle { tcp 1 }
allow data { from ward  to pump_srv  via tcp 3613   owner biomed }
manage admin { from servers  via tcp 22 }
firewall core { target nftables   interface eth0 zone ward   interface eth1 zone servers }
";

/// The same with what `--fix` leaves.
const FIXED: &str = "zone servers { net 10.2.0.0/24 }  # servers\n";

struct Site(tempfile::TempDir);

impl Site {
    fn new(text: &str) -> Site {
        let site = Site(tempfile::tempdir().unwrap());
        fs::write(site.0.path().join("a.cordon"), text).unwrap();
        site
    }

    fn text(&self) -> String {
        fs::read_to_string(self.0.path().join("a.cordon")).unwrap()
    }

    /// Exit code, standard output and standard error of a command on the policy.
    fn run(&self, command: &str, more: &[&str]) -> (i32, String, String) {
        let path = self.0.path().to_str().unwrap();
        run(&[&[command, path, "--as-of", AS_OF], more].concat())
    }

    fn json(&self, more: &[&str]) -> (i32, Value) {
        let (code, out, err) = self.run("check", &[more, &["--format", "json"]].concat());
        assert_eq!(err, "");
        (code, serde_json::from_str(&out).unwrap())
    }
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    support::run(arguments, "")
}

fn codes(document: &Value) -> Vec<&str> {
    document["diagnostics"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

// --- cordon rule ---

#[test]
fn a_code_has_a_page_in_either_case() {
    let (code, out, err) = run(&["rule", "c0641"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("C0641: PHI that can be read on the way\n"), "{out}");
    assert!(out.contains("`accepted C0641 because \"...\" until DATE`"), "{out}");
    assert!(
        out.contains("Everybody on the\nway can read it") || out.contains("Everybody on the way"),
        "{out}"
    );
    let (_, error, _) = run(&["rule", "C0101"]);
    assert!(error.contains("no option changes that") && error.contains("by no statement"), "{error}");
}

#[test]
fn all_codes_are_listed_for_people_and_programs() {
    let (code, out, _) = run(&["rule"]);
    assert_eq!((code, &out), (0, &run(&["rule", "--all"]).1));
    let (_, json, _) = run(&["rule", "--all", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let rules = json["rules"].as_array().unwrap();
    assert_eq!(rules.len(), CODES.len());
    for (code, rule) in CODES.iter().zip(rules) {
        assert_eq!(rule["code"], code.code);
        assert_eq!(rule["level"] == "error", code.level == Level::Error);
        let line = out.lines().find(|line| line.trim_start().starts_with(code.code)).unwrap();
        assert!(line.contains(code.summary), "{line}");
        assert_eq!(line.contains("can be fixed"), rule["fixable"] == true, "{line}");
    }
}

#[test]
fn a_code_that_is_none_is_wrong_usage() {
    for (asked, says) in
        [("C0306x", "did you mean `C0306`?"), ("frob", "`cordon rule` lists all"), ("", "lists all")]
    {
        let (code, out, err) = run(&["rule", asked]);
        assert_eq!((code, out.as_str()), (2, ""), "{asked}");
        assert!(err.contains(says), "{err}");
    }
    assert_eq!(run(&["rule", "C0306", "--all"]).0, 2);
}

/// For each code, whether its variants are warnings, as their attributes say.
fn severities() -> BTreeMap<String, Vec<bool>> {
    let mut found: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    let mut waiting = vec![root().join("src")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for attribute in text.split("#[diagnostic(").skip(1) {
            let attribute = attribute.split(")]\n").next().unwrap();
            let Some((_, code)) = attribute.split_once("code(") else { continue };
            let code = code.split(')').next().unwrap().to_owned();
            found.entry(code).or_default().push(attribute.contains("severity(Warning)"));
        }
    }
    found
}

#[test]
fn the_table_of_codes_says_the_level_that_the_variants_have() {
    let found = severities();
    assert_eq!(found.len(), CODES.len());
    for code in &CODES {
        for is_warning in &found[code.code] {
            assert_eq!(*is_warning, code.level == Level::Warning, "{}", code.code);
        }
    }
}

// --- levels ---

#[test]
fn a_denied_warning_stops_what_an_error_stops() {
    let site = Site::new(POLICY);
    assert_eq!(site.run("check", &[]).0, 0);
    for deny in
        [&["--deny", "C0305"][..], &["--deny", "C03"], &["--deny", "C0405,c0305"], &["--deny-warnings"]]
    {
        let (code, _, err) = site.run("check", deny);
        assert_eq!(code, 1, "{deny:?}");
        assert!(err.contains(" denied"), "{err}");
        let (code, _, err) = site.run("build", deny);
        assert_eq!(code, 1, "{deny:?}");
        assert!(err.contains("nothing was written: 0 errors, 2 warnings"), "{err}");
        assert!(!site.0.path().join("build").exists());
    }
    assert_eq!(site.run("check", &["--deny", "C06", "--warn", "C0640"]).0, 0);
    assert_eq!(site.run("check", &["--deny-warnings", "--warn", "C0305", "--allow", "C0640"]).0, 0);
    let (_, document) = site.json(&["--deny", "C0305"]);
    let denied = |code: &str| {
        let all = document["diagnostics"].as_array().unwrap();
        all.iter().find(|one| one["code"] == code).unwrap()["denied"].clone()
    };
    assert_eq!((denied("C0305"), denied("C0640")), (Value::Bool(true), Value::Bool(false)));
}

#[test]
fn an_allowed_warning_is_left_out_and_counted() {
    let site = Site::new(POLICY);
    let (code, out, err) = site.run("check", &["--allow", "C0305", "--deny-warnings", "--warn", "C0640"]);
    assert_eq!((code, out.as_str()), (0, ""));
    assert!(!err.contains("C0305") && err.contains("C0640"), "{err}");
    assert!(err.ends_with(": 0 errors, 1 warning, 1 allowed by `--allow`\n"), "{err}");
    let (_, document) = site.json(&["--allow", "C0305"]);
    assert_eq!((&document["allowed"], codes(&document)), (&Value::from(1), vec!["C0640"]));
}

#[test]
fn levels_of_errors_and_of_what_is_no_code_are_wrong_usage() {
    let site = Site::new(POLICY);
    for (flags, says) in [
        (&["--allow", "C0101"][..], "`C0101` is an error"),
        (&["--allow", "C00"], "`C00` is an error"),
        (&["--deny", "C0306x"], "did you mean `C0306`?"),
        (&["--deny", "unused"], "there is no code `UNUSED`"),
        (&["--deny", ""], "there is no code ``"),
        (&["--allow", "C0305", "--deny", "C0305"], "two levels"),
    ] {
        let (code, out, err) = site.run("check", flags);
        assert_eq!((code, out.as_str()), (2, ""), "{flags:?}");
        assert!(err.contains(says), "{err}");
    }
    let broken = Site::new("zone { }");
    assert_eq!(broken.run("check", &["--allow", "C"]).0, 1);
}

// --- acceptances ---

#[test]
fn an_accepted_finding_is_counted_listed_and_in_the_manifest_and_the_report() {
    let accepted = "service idle { tcp 1   accepted C0305 because \"for the <new> scanner\" }";
    let site = Site::new(&POLICY.replace("service idle { tcp 1 }", accepted));
    let (code, _, err) = site.run("check", &["--deny", "C0305"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.ends_with("1 warning, 1 accepted\n"), "{err}");
    let (_, document) = site.json(&[]);
    let one = &document["accepted"][0];
    assert_eq!(
        (&one["code"], &one["reason"]),
        (&Value::from("C0305"), &Value::from("for the <new> scanner"))
    );
    assert_eq!((&one["line"], &one["until"]), (&Value::from(5), &Value::Null));
    assert_eq!(site.run("build", &[]).0, 0);
    let manifest = fs::read_to_string(site.0.path().join("build/manifest.json")).unwrap();
    assert!(manifest.contains("for the <new> scanner"), "{manifest}");
    assert_eq!(site.run("build", &[]).0, 0, "its own output is known again");
    assert_eq!(site.run("report", &[]).0, 0);
    let page = fs::read_to_string(site.0.path().join("report/exceptions.html")).unwrap();
    assert!(page.contains("accepted for good") && page.contains("for the &lt;new&gt; scanner"), "{page}");
}

#[test]
fn an_acceptance_covers_its_own_statement_and_no_other() {
    let accepted = "service idle { tcp 1   accepted C0305 because \"mine\" }\nservice other { tcp 2 }";
    let site = Site::new(&POLICY.replace("service idle { tcp 1 }", accepted));
    let (_, document) = site.json(&[]);
    assert_eq!(codes(&document), ["C0640", "C0305"]);
    assert!(document["diagnostics"][1]["message"].as_str().unwrap().contains("`other`"));
}

// --- fixes ---

#[test]
fn a_fix_changes_its_place_only_and_is_done_once() {
    let site = Site::new(POLICY);
    let (code, _, err) = site.run("check", &["--fix"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("fixed 1 finding in a.cordon; checked") && err.contains("1 warning\n"), "{err}");
    let lines: String = POLICY.lines().filter(|line| !line.contains("zone servers {")).collect();
    let kept: String = site.text().lines().filter(|line| !line.contains("zone servers {")).collect();
    assert_eq!(kept, lines);
    assert!(site.text().contains(FIXED), "{}", site.text());
    let once = site.text();
    let (_, _, err) = site.run("check", &["--fix"]);
    assert!(err.contains("nothing to fix; checked"), "{err}");
    assert_eq!(site.text(), once);
}

#[test]
fn a_diff_writes_nothing() {
    let site = Site::new(POLICY);
    for flags in [&["--diff"][..], &["--fix", "--diff"]] {
        let (code, out, err) = site.run("check", flags);
        assert_eq!(code, 1, "{err}");
        assert!(
            out.starts_with("--- a/a.cordon\n+++ b/a.cordon\n") && out.contains(&format!("+{FIXED}")),
            "{out}"
        );
        assert!(err.contains("would fix 1 finding in 1 file"), "{err}");
        assert_eq!(site.text(), POLICY);
    }
    let (code, document) = site.json(&["--diff"]);
    assert_eq!(code, 1);
    let result = &document["result"];
    assert_eq!((&result["fixed"], &result["written"]), (&Value::from(1), &Value::Bool(false)));
    assert!(result["diff"].as_str().unwrap().contains(FIXED));
    site.run("check", &["--fix"]);
    let (code, out, _) = site.run("check", &["--diff"]);
    assert_eq!((code, out.as_str()), (0, ""));
}

#[test]
fn a_record_carries_the_edits_of_its_fix() {
    let site = Site::new(
        "zone ward { net ::ffff:10.1.0.0/120 }\nzone lab { net ::ffff:10.2.0.1-::ffff:10.2.0.9 }\n",
    );
    let (_, document) = site.json(&[]);
    assert_eq!(codes(&document), ["C0203", "C0203"]);
    let fix = &document["diagnostics"][0]["fix"][0];
    let place = ["line", "column", "end_line", "end_column"].map(|key| fix[key].as_u64().unwrap());
    assert_eq!((place, fix["text"].as_str()), ([1, 17, 1, 36], Some("10.1.0.0/24")));
    assert_eq!(document["diagnostics"][1]["fix"], Value::Array(Vec::new()), "a range has two ends");
}

#[test]
fn mistakes_with_one_cure_are_cured_and_comments_stay() {
    let text = "\u{feff}zone ward { net 10.1.0.0/24 } # eins\r
zone servers { net 10.2.0.0/24 }\r
peer pump_srv in servers { host ::ffff:10.2.0.10 } # zwei ü\r
allow data { from ward  to pump_srv  via tcp 3613  log  owner biomed\r
  # drei\r
  log\r
  owner biomed }\r
manage admin { from servers  via tcp 22 }\r
firewall core { target nftables   interface eth0 zone ward   interface eth1 zone servers }";
    let site = Site::new(text);
    let (code, _, err) = site.run("check", &["--fix"]);
    assert_eq!(code, 0, "{err}");
    let fixed =
        text.replace("::ffff:10.2.0.10", "10.2.0.10").replace("\r\n  log\r\n  owner biomed }", "\r\n  }");
    assert_eq!(site.text(), fixed);
}

#[test]
fn where_there_is_a_choice_nothing_is_fixed() {
    let text = "zone ward { net 10.1.0.1/24   owner biomed   owner nursing }
deny a { from ward  to ward  via tcp 23 }
allow b { from ward  to ward  via tcp 80  during day  during night }";
    let site = Site::new(text);
    let (code, _, err) = site.run("check", &["--fix"]);
    assert_eq!(code, 1);
    assert!(err.contains("nothing to fix"), "{err}");
    assert_eq!(site.text(), text);
}

#[test]
fn a_fix_that_would_bring_about_an_error_is_not_made() {
    let text = "zone ward { net 10.1.0.0/24 }\nzone lab { net ::ffff:10.1.0.0/121 }\n";
    let site = Site::new(text);
    for flags in [&["--fix"][..], &["--diff"]] {
        let (code, out, err) = site.run("check", flags);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(
            err.contains("the fixes would bring about C0204: the zones `lab` and `ward` overlap"),
            "{err}"
        );
        assert!(err.contains("nothing was changed"), "{err}");
        assert_eq!(site.text(), text);
    }
    let (code, document) = site.json(&["--fix"]);
    assert_eq!((code, &document["result"]["written"]), (1, &Value::Bool(false)));
    assert_eq!(document["result"]["brought_about"][0]["code"], "C0204");
}

#[test]
fn a_comment_behind_what_goes_stays() {
    let site =
        Site::new(&POLICY.replace("because \"gone\" }  # servers", "because \"gone\" # stays\n  # too\n}"));
    assert_eq!(site.run("check", &["--fix"]).0, 0);
    assert!(site.text().contains("zone servers { net 10.2.0.0/24 # stays\n  # too\n}\n"), "{}", site.text());
}

#[test]
fn what_touches_a_word_does_not_become_one_with_it() {
    let text =
        POLICY.replace("   accepted C0206 because \"gone\"", "   accepted C0206 because \"gone\"owner it");
    let site = Site::new(&text);
    assert_eq!(site.run("check", &["--fix"]).0, 0);
    assert!(
        site.text().contains("zone servers { net 10.2.0.0/24   owner it }  # servers"),
        "{}",
        site.text()
    );
}

#[test]
fn several_codes_of_one_clause_go_one_after_the_other() {
    let site = Site::new(&POLICY.replace("C0206 because", "C0206, C0207, C0305, C0404, because"));
    let (_, _, err) = site.run("check", &["--fix"]);
    assert!(err.contains("fixed 4 findings"), "{err}");
    assert!(site.text().contains(FIXED), "{}", site.text());
}

#[test]
fn read_only_files_and_links_are_left_as_they_are() {
    let site = Site::new(POLICY);
    let file = site.0.path().join("a.cordon");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let (code, _, err) = site.run("check", &["--fix"]);
    assert_eq!((code, site.text().as_str()), (2, POLICY));
    assert!(err.contains("cannot write `a.cordon`: it is read-only; nothing was changed"), "{err}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let target = site.0.path().join("real.txt");
    fs::rename(&file, &target).unwrap();
    std::os::unix::fs::symlink("real.txt", &file).unwrap();
    assert_eq!(site.run("check", &["--fix"]).0, 0);
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains(FIXED));
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn several_files_are_fixed_or_none_is() {
    let site = Site::new(POLICY);
    let other = site.0.path().join("b.cordon");
    let text = "group both { ward, servers   accepted C0206 because \"gone\" }\n";
    fs::write(&other, text).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(site.run("check", &["--fix"]).0, 2);
    assert_eq!((site.text().as_str(), fs::read_to_string(&other).unwrap().as_str()), (POLICY, text));
    fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, err) = site.run("check", &["--fix"]);
    assert!(code == 0 && err.contains("fixed 2 findings in a.cordon, b.cordon"), "{err}");
    assert_eq!(fs::read_to_string(&other).unwrap(), "group both { ward, servers }\n");
}
