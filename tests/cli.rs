//! The command as a user meets it: exit codes, what goes to which stream, and what happens to files.

use std::fs;
use std::path::Path;

use crate::support::{AS_OF, cordon_on_full_disk, directory, hospital, root, run, succeed};

/// A policy that builds.
const GOOD: &str = "
policy \"small\"
zone ward { net 10.1.0.0/24 }
zone servers { net 10.2.0.0/24 }
peer pump_srv in servers { host 10.2.0.10 }
allow data { from ward  to pump_srv  via tcp 3613   owner biomed   reason \"drug library\"   ticket CHG-1 }
manage admin { from servers  via tcp 22 }
firewall core { target nftables   interface eth0 zone ward   interface eth1 zone servers }
";

fn path(directory: &tempfile::TempDir) -> String {
    directory.path().to_string_lossy().into_owned()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_good_policy_is_fine_and_says_so_on_standard_error() {
    let policy = directory(&[("a.cordon", GOOD)]);
    let (code, out, err) = run(&["check", &path(&policy)], "");
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(err, "checked 2 zones and 1 rule in 1 file: 0 errors, 0 warnings\n");
}

#[test]
fn an_error_exits_with_1_and_writes_nothing() {
    let policy = directory(&[("a.cordon", GOOD), ("b.cordon", "allow { from wadr to servers via tcp 1 }")]);
    let (code, out, err) = run(&["build", &path(&policy)], "");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("did you mean `ward`?") && err.contains("b.cordon:1:14"), "{err}");
    assert!(err.ends_with("nothing was written: 1 error, 0 warnings\n"), "{err}");
    assert_eq!(names(policy.path()), ["a.cordon", "b.cordon"]);
}

#[test]
fn an_error_leaves_the_last_good_output_as_it_was() {
    let policy = directory(&[("a.cordon", GOOD)]);
    succeed(&["build", &path(&policy), "--as-of", AS_OF], "");
    let ruleset = policy.path().join("build/core/ruleset.nft");
    let before = fs::read_to_string(&ruleset).unwrap();
    fs::write(policy.path().join("b.cordon"), "zone").unwrap();
    assert_eq!(run(&["build", &path(&policy)], "").0, 1);
    assert_eq!(fs::read_to_string(&ruleset).unwrap(), before);
}

#[test]
fn a_disk_that_is_full_leaves_the_last_good_output_as_it_was() {
    let policy = directory(&[("a.cordon", GOOD)]);
    succeed(&["build", &path(&policy), "--as-of", AS_OF], "");
    let read = |name: &str| fs::read_to_string(policy.path().join("build").join(name)).unwrap();
    let before = ["core/ruleset.nft", "manifest.json"].map(read);
    let more: String = (1..2_000)
        .map(|port| format!("allow more{port} {{ from ward  to pump_srv  via tcp {} }}\n", 2 * port))
        .collect();
    fs::write(policy.path().join("b.cordon"), more).unwrap();
    let output = cordon_on_full_disk(32, &["build", &path(&policy), "--as-of", AS_OF]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot write"), "{said}");
    assert_eq!(["core/ruleset.nft", "manifest.json"].map(read), before);
    assert_eq!(names(policy.path()), ["a.cordon", "b.cordon", "build"], "nothing is left over");
    succeed(&["build", &path(&policy), "--as-of", AS_OF], "");
    assert_ne!(read("core/ruleset.nft"), before[0]);
}

#[test]
fn warnings_are_findings_only_when_asked_for() {
    let policy = directory(&[("a.cordon", GOOD), ("b.cordon", "service idle { tcp 1 }")]);
    let (code, _, err) = run(&["check", &path(&policy)], "");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("1 warning"), "{err}");
    assert_eq!(run(&["check", &path(&policy), "--deny-warnings"], "").0, 1);
    assert_eq!(run(&["build", &path(&policy), "--deny-warnings"], "").0, 1);
    assert!(!policy.path().join("build").exists());
}

#[test]
fn wrong_usage_and_unreadable_input_exit_with_2() {
    let policy = directory(&[("a.cordon", GOOD)]);
    let empty = directory(&[("readme.txt", "")]);
    let latin = directory(&[("a.cordon", GOOD)]);
    fs::write(latin.path().join("b.cordon"), b"# f\xfcr").unwrap();
    for (arguments, says) in [
        (vec!["frobnicate"], "frobnicate"),
        (vec!["check", "/nonexistent"], "cannot read `/nonexistent`"),
        (vec!["check", &path(&empty)], "there is no policy"),
        (vec!["check", &path(&latin)], "cannot read `b.cordon`: it is not UTF-8 from byte 3 on"),
        (vec!["check", &path(&policy), "--as-of", "yesterday"], "yesterday"),
        (vec!["query", &path(&policy), "--packets", "/nonexistent"], "cannot read `/nonexistent`"),
        (vec!["explain", &path(&policy), "tcp", "10.1.0.1", "nowhere", "1"], "`nowhere` is not an address"),
        (vec!["explain", &path(&policy), "tcp", "10.1.0.1", "10.2.0.1"], "tcp needs a destination port"),
        (vec!["explain", &path(&policy), "tcp", "10.1.0.1", "2001:db8::1", "1"], "of different families"),
    ] {
        let (code, out, err) = run(&arguments, "");
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
}

#[test]
fn json_holds_the_findings_and_the_result_on_standard_output() {
    let policy = directory(&[("a.cordon", GOOD), ("b.cordon", "service idle { tcp 1 }")]);
    let (code, out, err) = run(&["build", &path(&policy), "--format", "json"], "");
    assert_eq!((code, err.as_str()), (0, ""));
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["warnings"], 1);
    assert_eq!(document["diagnostics"][0]["labels"][0]["file"], "b.cordon");
    assert_eq!(document["result"]["files"], serde_json::json!(["core/ruleset.nft", "manifest.json"]));
}

#[test]
fn the_manifest_tells_inputs_outputs_and_where_each_rule_stands() {
    let policy = directory(&[("a.cordon", GOOD)]);
    succeed(&["build", &path(&policy), "--as-of", AS_OF], "");
    let text = fs::read_to_string(policy.path().join("build/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["as_of"], AS_OF);
    let rule = serde_json::json!({
        "effect": "allow", "file": "a.cordon", "line": 6,
        "owner": "biomed", "reason": "drug library", "ticket": "CHG-1"
    });
    assert_eq!(manifest["rules"]["data"], rule);
    assert_eq!(manifest["rules"]["admin"]["effect"], "manage");
    for (list, base) in [("inputs", policy.path().to_path_buf()), ("outputs", policy.path().join("build"))] {
        for file in manifest[list].as_array().unwrap() {
            let content = fs::read(base.join(file["path"].as_str().unwrap())).unwrap();
            assert_eq!(file["sha256"], sha256(&content), "{file}");
        }
    }
}

/// The digest, by another program than the one that is tested.
fn sha256(content: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    let output = std::process::Command::new("sha256sum").arg(file.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn a_directory_with_files_that_cordon_did_not_write_is_not_replaced() {
    let policy = directory(&[("a.cordon", GOOD)]);
    let mine = directory(&[("notes.txt", "keep me")]);
    let (code, _, err) = run(&["build", &path(&policy), "--out", &path(&mine)], "");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("`notes.txt`, which cordon did not write"), "{err}");
    succeed(&["build", &path(&policy)], "");
    fs::write(policy.path().join("build/core/local.nft"), "by hand").unwrap();
    let (code, _, err) = run(&["build", &path(&policy)], "");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("`core/local.nft`"), "{err}");
    assert_eq!(fs::read_to_string(policy.path().join("build/core/local.nft")).unwrap(), "by hand");
    assert_eq!(names(policy.path()), ["a.cordon", "build"], "nothing is left over");
}

#[test]
fn a_device_that_is_gone_from_the_policy_is_gone_from_the_output() {
    let two =
        GOOD.to_owned() + "firewall old { target nftables  interface a zone ward  interface b zone servers }";
    let policy = directory(&[("a.cordon", &two)]);
    succeed(&["build", &path(&policy)], "");
    assert_eq!(names(&policy.path().join("build")), ["core", "manifest.json", "old"]);
    fs::write(policy.path().join("a.cordon"), GOOD).unwrap();
    succeed(&["build", &path(&policy)], "");
    assert_eq!(names(&policy.path().join("build")), ["core", "manifest.json"]);
}

#[test]
fn one_device_that_fails_keeps_all_others_from_being_written() {
    let two = GOOD.to_owned()
        + "firewall aaa { target pfsense  interface eth0 zone ward  interface lan zone servers }";
    let policy = directory(&[("a.cordon", &two)]);
    let (code, _, err) = run(&["build", &path(&policy)], "");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("C0710"), "{err}");
    assert_eq!(names(policy.path()), ["a.cordon"]);
}

#[test]
fn files_that_are_included_belong_to_the_policy_once() {
    let main = "include \"more/rules.cordon\"\ninclude \"more\"\n";
    let policy =
        directory(&[("main.cordon", main), ("more/rules.cordon", GOOD), ("other/unused.cordon", "zone")]);
    let (code, _, err) = run(&["check", &path(&policy)], "");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("2 zones and 1 rule in 2 files"), "{err}");
}

#[test]
fn a_single_file_is_a_policy_with_what_it_includes() {
    let policy = directory(&[
        ("main.cordon", "include \"rules.cordon\""),
        ("rules.cordon", GOOD),
        ("x.cordon", "zone"),
    ]);
    let file = policy.path().join("main.cordon").to_string_lossy().into_owned();
    assert_eq!(run(&["check", &file], "").0, 0);
}

#[test]
fn a_link_that_leads_out_of_the_policy_is_refused() {
    let outside = directory(&[("secret.cordon", GOOD)]);
    let policy = directory(&[("a.cordon", "include \"out/secret.cordon\"")]);
    std::os::unix::fs::symlink(outside.path(), policy.path().join("out")).unwrap();
    let (code, _, err) = run(&["check", &path(&policy)], "");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("leads out of the policy's directory"), "{err}");
    std::os::unix::fs::symlink(outside.path().join("secret.cordon"), policy.path().join("b.cordon")).unwrap();
    let (code, _, err) = run(&["check", &path(&policy)], "");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("cannot read `b.cordon`"), "{err}");
}

#[test]
fn query_passes_columns_through_and_appends_verdict_and_rule() {
    let policy = directory(&[("a.cordon", GOOD)]);
    let table = "n,proto,src,dst,sport,dport,note\n\
                 1,tcp,10.1.0.5,10.2.0.10,40000,3613,\"a, b\"\n\
                 2,TCP,10.1.0.5,10.2.0.10,,3614,\n\
                 3,udp,10.1.0.5,10.1.0.6,1,2,local\n\
                 4,icmp,10.1.0.5,10.2.0.10,,,ping\n\
                 5,47,192.0.2.1,10.2.0.10,,,nowhere\n";
    let (code, out, _) = run(&["query", &path(&policy), "--packets", "-"], table);
    assert_eq!(code, 0);
    assert_eq!(
        out,
        "n,proto,src,dst,sport,dport,note,verdict,rule\n\
         1,tcp,10.1.0.5,10.2.0.10,40000,3613,\"a, b\",allow,data\n\
         2,TCP,10.1.0.5,10.2.0.10,,3614,,deny,\n\
         3,udp,10.1.0.5,10.1.0.6,1,2,local,local,\n\
         4,icmp,10.1.0.5,10.2.0.10,,,ping,deny,\n\
         5,47,192.0.2.1,10.2.0.10,,,nowhere,deny,\n"
    );
}

#[test]
fn a_table_with_a_bad_row_is_refused_as_a_whole() {
    let policy = directory(&[("a.cordon", GOOD)]);
    for (table, says) in [
        (
            "proto,src,dst,sport,dport\ntcp,10.1.0.5,10.2.0.10,1,2\ntcp,10.1.0.5,10.2.0.10,1,70000\n",
            "line 3: `70000` is not a port",
        ),
        ("proto,src,dst,dport\n", "no column `sport`"),
        ("proto,src,dst,sport,dport\ntcp,10.1.0.5\n", "record 1"),
        ("proto,src,dst,sport,dport\ntcp,10.1.0.5,2001:db8::1,1,2\n", "line 2: 10.1.0.5 and 2001:db8::1"),
    ] {
        let (code, out, err) = run(&["query", &path(&policy), "--packets", "-"], table);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(says), "{err}");
    }
}

#[test]
fn explain_names_the_statement_that_decides_and_its_line() {
    let example = hospital().to_string_lossy().into_owned();
    let ask = |packet: &[&str]| {
        let arguments = [&["explain", example.as_str()], packet, &["--as-of", AS_OF]].concat();
        succeed(&arguments, "")
    };
    insta::with_settings!({snapshot_path => root().join("tests/snapshots")}, {
        insta::assert_snapshot!("explain_allowed", ask(&["tcp", "10.40.40.10", "10.40.65.10", "104"]));
        insta::assert_snapshot!("explain_denied", ask(&["tcp", "10.40.40.10", "10.40.65.10", "105"]));
        insta::assert_snapshot!("explain_forbidden", ask(&["tcp", "10.40.64.10", "10.40.16.9", "23"]));
        insta::assert_snapshot!("explain_local", ask(&["udp", "10.40.37.4", "10.40.37.5", "3702"]));
        insta::assert_snapshot!("explain_ping", ask(&["icmpv6", "2001:db8:600:410::14", "2001:db8:600:999::7"]));
        insta::assert_snapshot!("explain_far", ask(&["udp", "198.51.100.7", "10.40.16.9", "9"]));
    });
}

#[test]
fn what_expired_is_decided_by_the_date_that_is_given() {
    let table = "proto,src,dst,sport,dport\ntcp,10.40.84.5,10.40.40.10,40000,22\n";
    let example = hospital().to_string_lossy().into_owned();
    let on = |date: &str| succeed(&["query", &example, "--as-of", date, "--packets", "-"], table);
    assert!(on("2026-12-31").ends_with(",allow,vendor-session\n"));
    assert!(on("2027-01-01").ends_with(",deny,\n"));
}
