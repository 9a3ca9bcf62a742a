//! Inventories: those of the example, exports as tools make them, and what changed between two.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{AS_OF, cordon, hospital, root, said, scenario, succeed};

/// The example program that makes inventories, which is built with the tests.
fn generate(arguments: &[&str], out: &Path) {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/inventory");
    let run = Command::new(&program).args(arguments).arg("--out").arg(out).output();
    let run = run
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo build --examples` makes it", program.display()));
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// What `cordon inventory` says of a policy, as JSON.
fn picture(policy: &Path, arguments: &[&str]) -> Value {
    let policy = policy.to_string_lossy();
    let all = [&["inventory", &policy, "--as-of", AS_OF, "--format", "json"], arguments].concat();
    let document: Value = serde_json::from_str(&succeed(&all, "")).unwrap();
    document["result"].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A policy with one inventory, whose table is as given.
fn policy(format: &str, table: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "zone clinic {{ net 10.1.0.0/24   owner biomed }}\nzone core {{ net 10.2.0.0/24   owner it }}\n\
         inventory devices {{ file \"devices\" {format} }}\n\
         class scanner in clinic {{ members from inventory where type == \"CT\" }}\n\
         class strange in clinic {{ members unclassified }}\n\
         allow images {{ from scanner  to core  via tcp 104 }}\n\
         allow known  {{ from strange  to core  via tcp 443 }}\n\
         firewall fw {{ target nftables  interface eth0 zone clinic  interface eth1 zone core }}\n\
         manage {{ from core  to fw  via tcp 22 }}\n"
    );
    fs::write(directory.path().join("policy.cordon"), text).unwrap();
    fs::write(directory.path().join("devices"), table).unwrap();
    directory
}

/// The verdict on a packet to port 104 or 443 of a server.
fn verdict(policy: &Path, src: &str, port: u16) -> String {
    let packets = format!("proto,src,dst,sport,dport\ntcp,{src},10.2.0.1,40000,{port}\n");
    let said = succeed(&["query", &policy.to_string_lossy(), "--packets", "-", "--as-of", AS_OF], &packets);
    said.lines().nth(1).unwrap().split(',').find(|cell| ["allow", "deny"].contains(cell)).unwrap().to_owned()
}

#[test]
fn the_example_has_as_many_devices_of_each_class_as_the_table_says() {
    let picture = picture(&hospital(), &[]);
    let classes: BTreeMap<String, &Value> =
        picture["classes"].as_array().unwrap().iter().map(|class| (text(&class["class"]), class)).collect();
    let mut reader = csv::Reader::from_path(scenario("classes.csv")).unwrap();
    let mut all = 0;
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let (class, count) = (classes[&row["class"]], row["count"].parse::<u64>().unwrap());
        assert_eq!(class["devices"], count, "{}", row["class"]);
        assert_eq!(class["zone"], row["zone"], "{}", row["class"]);
        let is_high = row["risk"] == "high" || row["risk"] == "critical";
        assert_eq!(class["high_risk"], if is_high { count } else { 0 }, "{}", row["class"]);
        let ends = row["eol"].parse::<u64>().unwrap_or(9_999);
        assert_eq!(class["past_support"], if ends < 2_026 { count } else { 0 }, "{}", row["class"]);
        all += count;
    }
    assert_eq!(all, 6_496);
    assert_eq!(picture["devices"], all + 8, "and eight strangers");
    assert_eq!(classes.len(), 22, "and a class for strangers");
    let why: BTreeSet<String> =
        picture["attention"].as_array().unwrap().iter().map(|attention| text(&attention["why"])).collect();
    assert!(
        why.iter().all(|why| why.starts_with("past the end") || why.starts_with("only in a class of")),
        "{why:?}"
    );
}

#[test]
fn the_inventory_of_the_example_is_what_the_generator_makes() {
    let made = tempfile::tempdir().unwrap();
    generate(&[], made.path());
    for file in ["medical.csv", "it.csv"] {
        let (committed, made) = (hospital().join("inventory").join(file), made.path().join(file));
        assert!(fs::read(committed).unwrap() == fs::read(made).unwrap(), "{file} differs");
    }
}

#[test]
fn each_kind_of_flaw_in_a_generated_inventory_is_found() {
    let made = tempfile::tempdir().unwrap();
    generate(&["--devices", "2000", "--flaws", "12"], made.path());
    let picture = picture(made.path(), &[]);
    assert_eq!((&picture["devices"], &picture["inventories"]["it"]), (&2_000.into(), &783.into()));
    let counts: BTreeMap<String, usize> = picture["attention"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(&one["why"]), one["devices"].as_array().unwrap().len()))
        .filter(|(why, _)| !why.starts_with("past the end"))
        .collect();
    let expected = [("in no class", 2), ("with an address that another device has too", 3)];
    for (why, number) in expected {
        assert_eq!(counts.get(why), Some(&number), "{why}: {counts:?}");
    }
    let (code, _, said) = checked(made.path());
    assert_eq!(code, 0);
    for found in ["C1007", "C1010", "C1011", "C1013", "C1017"] {
        assert!(said.contains(found), "{found} is not among what is said:\n{said}");
    }
}

fn checked(policy: &Path) -> (i32, String, String) {
    said(cordon(&["check", &policy.to_string_lossy(), "--as-of", AS_OF], ""))
}

#[test]
fn only_devices_for_which_the_condition_holds_get_the_access_of_their_class() {
    let table =
        "name,address,type\nct-1,10.1.0.7,CT\ncam-1,10.1.0.8,Camera\nct-2,10.1.0.9 / (Last Known IP),CT\n";
    let policy = policy("", table);
    let verdicts = |src| [104, 443].map(|port| verdict(policy.path(), src, port));
    assert_eq!(verdicts("10.1.0.7"), ["allow", "deny"]);
    for unclassified in ["10.1.0.8", "10.1.0.9", "10.1.0.200"] {
        assert_eq!(verdicts(unclassified), ["deny", "allow"], "{unclassified}");
    }
    assert_eq!(verdicts("10.3.0.1"), ["deny", "deny"]);
}

#[test]
fn the_order_of_rows_does_not_change_a_build() {
    let rows =
        ["ct-1,10.1.0.7,CT\n", "ct-2,10.1.0.90,CT\n", "cam-1,10.1.0.8,Camera\n", "ct-3,10.1.0.33,CT\n"];
    let build = |rows: &[&str]| {
        let policy = policy("", &format!("name,address,type\n{}", rows.concat()));
        succeed(&["build", &policy.path().to_string_lossy(), "--as-of", AS_OF], "");
        fs::read_to_string(policy.path().join("build/fw/ruleset.nft")).unwrap()
    };
    let mut turned = rows;
    turned.reverse();
    assert_eq!(build(&rows), build(&turned));
}

#[test]
fn what_changed_since_an_earlier_export_is_said_by_device() {
    let now =
        "name,address,type,os\nct-1,10.1.0.7,CT,Linux\nct-2,10.1.0.90,CT,Linux\ncam-1,10.1.0.8,CT,Linux\n";
    let then = "name,address,type,os\nct-1,10.1.0.7,CT,Windows 7\ncam-1,10.1.0.8,Camera,Linux\nct-0,10.1.0.6,CT,Linux\n";
    let policy = policy("", now);
    let old = policy.path().join("old.csv");
    fs::write(&old, then).unwrap();
    let changes = picture(policy.path(), &["--since", &old.to_string_lossy()]);
    let names = |list: &str| {
        changes[list].as_array().unwrap().iter().map(|one| text(&one["name"])).collect::<Vec<_>>()
    };
    assert_eq!(
        (names("came"), names("went"), names("changed")),
        (vec!["ct-2".into()], vec!["ct-0".into()], vec!["cam-1".into(), "ct-1".into()])
    );
    assert_eq!(changes["changed"][0]["what"]["class"], serde_json::json!(["strange", "scanner"]));
    assert_eq!(changes["changed"][1]["what"], serde_json::json!({ "os": ["Windows 7", "Linux"] }));
    let same = picture(policy.path(), &["--since", &policy.path().join("devices").to_string_lossy()]);
    assert_eq!(same["same"], 3);
    let said = cordon(
        &["inventory", &policy.path().to_string_lossy(), "--as-of", AS_OF, "--since", "nowhere.csv"],
        "",
    );
    assert_eq!(said.status.code(), Some(2));
    let example = hospital().to_string_lossy().into_owned();
    let several = cordon(&["inventory", &example, "--as-of", AS_OF, "--since", &old.to_string_lossy()], "");
    assert!(
        String::from_utf8(several.stderr)
            .unwrap()
            .contains("the policy has several inventories (it, medical)")
    );
}

#[test]
fn real_scans_of_nmap_are_read() {
    let folder = root().join("../shared/corpus/inventory/nmap");
    let scans: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(scans.len(), 6);
    let mut devices = 0;
    for scan in scans {
        let policy = policy("format nmap", &fs::read_to_string(&scan).unwrap());
        let (code, _, said) = checked(policy.path());
        assert!(code == 0 && !said.contains("C1007"), "{}:\n{said}", scan.display());
        devices += picture(policy.path(), &[])["devices"].as_u64().unwrap();
    }
    assert_eq!(devices, 9);
}

#[test]
fn the_headers_that_tools_export_are_understood() {
    let header = |file| fs::read_to_string(root().join("../shared/corpus/inventory").join(file)).unwrap();
    let xdome = header("xdome_header.csv");
    let columns: Vec<&str> = xdome.trim().split(',').collect();
    let values = BTreeMap::from([
        ("device_name", "ct-1"),
        ("device_ip_list", "10.1.0.7"),
        ("device_mac_list", "00:07:4d:c1:06:20"),
        ("device_type", "CT"),
        ("device_manufacturer", "GE"),
        ("device_model", "Revolution"),
        ("device_risk_score", "Very Low"),
        ("device_os_eol_date", "2020-01-14T00:00:00.000Z"),
        ("device_handles_pii", "Yes"),
        ("device_retired", "false"),
    ]);
    let row: Vec<&str> =
        columns.iter().map(|column| values.get(column).copied().unwrap_or_default()).collect();
    let device = policy("format xdome", &format!("{}\n{}\n", xdome.trim(), row.join(",")));
    let picture = picture(device.path(), &[]);
    assert_eq!(
        (&picture["classes"][0]["class"], &picture["classes"][0]["devices"]),
        (&"scanner".into(), &1.into())
    );
    assert_eq!(
        (&picture["classes"][0]["past_support"], &picture["classes"][0]["high_risk"]),
        (&1.into(), &0.into())
    );
    // NetBox takes no addresses with devices, so the header of its import form is no inventory, and that is said.
    let netbox = policy("format netbox", &header("netbox_device_import_header.csv"));
    let (code, _, said) = checked(netbox.path());
    assert!(code == 1 && said.contains("C1006") && said.contains("`device_type`"), "{said}");
}

/// `cargo test --release half_a_million -- --ignored --nocapture`
#[test]
#[ignore = "it is timed, which takes an optimised build"]
#[expect(clippy::print_stderr, reason = "a measurement is there to be read")]
fn half_a_million_devices_are_read_and_classified_in_three_seconds() {
    let made = tempfile::tempdir().unwrap();
    generate(&["--devices", "500000"], made.path());
    let start = std::time::Instant::now();
    let (code, _, said) = checked(made.path());
    let taken = start.elapsed().as_secs_f64();
    assert_eq!(code, 0, "{said}");
    eprintln!("500,000 devices: {taken:.2} s");
    assert!(taken < 3.0, "{taken} s");
}
