//! The command: exit codes, forms of the answer, and what is said of captures that cannot be read.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::POLICY;
use crate::support::{cordon, said};

const FLOWS: &str = "proto,src,dst,dport,count,first\n\
    tcp,10.1.0.17,10.2.0.10,3613,5,2026-10-05T10:00:00Z\n\
    tcp,10.1.0.17,10.2.0.10,445,2,2026-10-05T10:00:00Z\n\
    tcp,10.1.0.17,10.2.0.10,8080,3,2026-10-05T10:00:00Z\n\
    tcp,10.1.0.18,10.2.0.77,8080,1,2026-10-06T10:00:00Z\n\
    tcp,10.3.0.18,10.1.0.17,139,1,2026-10-06T10:00:00Z\n\
    tcp,10.1.0.18,10.1.0.19,80,4,\n\
    tcp,192.0.2.1,10.1.0.19,80,1,\n";

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let all: [(&str, &[u8]); 9] = [
        ("policy.cordon", POLICY.as_bytes()),
        ("flows.csv", FLOWS.as_bytes()),
        ("fine.csv", b"proto,src,dst,dport\ntcp,10.1.0.17,10.2.0.10,3613\n"),
        ("some.csv", b"proto,src,dst,dport\ntcp,10.1.0.17,10.2.0.10,3613\ntcp,10.1.0.17,10.2.0,1\n"),
        ("bad.csv", b"proto,src,dst,dport\ntcp,10.1.0.17,10.2.0,1\n"),
        ("packed.gz", b"\x1f\x8b\x08\x00"),
        ("empty", b""),
        ("header.csv", b"proto,src,dst,dport\n"),
        ("bad.cordon", b"zone x {"),
    ];
    all.iter().for_each(|(name, bytes)| fs::write(place.path().join(name), bytes).unwrap());
    place
}

/// Exit code, standard output and standard error.
fn run(place: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let named = |word: &&str| {
        let path = place.join(word);
        if path.exists() && !word.is_empty() {
            path.to_string_lossy().into_owned()
        } else {
            (*word).to_owned()
        }
    };
    let words: Vec<String> = ["simulate"].iter().chain(arguments).map(named).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--as-of", "2026-11-01"]).collect();
    said(cordon(&words, input))
}

#[test]
fn exit_codes_and_what_is_said() {
    let place = place();
    let cases: [(&[&str], i32, &str); 14] = [
        (&["policy.cordon", "--flows", "flows.csv"], 0, "(csv): 7 rows"),
        (&["policy.cordon", "--flows", "flows.csv", "--exit-code"], 1, ""),
        (&["policy.cordon", "--flows", "fine.csv", "--exit-code"], 0, ""),
        (&["policy.cordon", "--flows", "header.csv"], 0, "0 rows"),
        (
            &["policy.cordon", "--flows", "some.csv"],
            0,
            "1 of 2 rows cannot be read and are left out\n  line 3: ",
        ),
        (&["policy.cordon", "--flows", "bad.csv"], 2, "none of its 1 row can be read, the first in line 2: "),
        (&["policy.cordon", "--flows", "fine.csv", "packed.gz"], 2, "unpack it first, as in `zcat FILE |"),
        (&["policy.cordon", "--flows", "empty"], 2, "it is empty"),
        (&["policy.cordon", "--flows", "missing"], 2, "cannot read the flows in `missing`"),
        (&["policy.cordon", "--flows", "fine.csv", "--flow-format", "zeek"], 2, "no line `#fields`"),
        (
            &["policy.cordon", "--flows", "fine.csv", "--suggest", "--format", "csv"],
            2,
            "`--suggest` gives a policy",
        ),
        (&["policy.cordon", "--flows", "fine.csv", "--suggest", "--posture", "x"], 2, "cannot be used with"),
        (&["policy.cordon", "--flows", "fine.csv", "--posture", "x"], 2, "has no posture `x`"),
        (&["bad.cordon", "--flows", "fine.csv"], 1, "C0002"),
    ];
    for (arguments, code, said) in cases {
        let (found, out, err) = run(place.path(), arguments, "");
        assert_eq!(found, code, "{arguments:?}\n{out}{err}");
        assert!(err.contains(said), "{arguments:?}\n{err}");
        assert!(code == 0 || arguments.contains(&"--exit-code") || out.is_empty(), "{arguments:?}\n{out}");
    }
    assert_eq!(run(place.path(), &["-", "--flows", "-"], "").0, 2);
    let (code, out, _) = run(place.path(), &["policy.cordon", "--flows", "-"], FLOWS);
    assert_eq!((code, out), (0, run(place.path(), &["policy.cordon", "--flows", "flows.csv"], "").1));
    let (code, out, _) = run(place.path(), &["-", "--flows", "flows.csv", "--format", "json"], POLICY);
    assert_eq!((code, out.is_empty()), (0, false));
    assert_eq!(run(place.path(), &["policy.cordon", "--flows", "."], "").0, 2);
}

#[test]
fn all_forms_say_the_same() {
    let place = place();
    let (_, text, _) = run(place.path(), &["policy.cordon", "--flows", "flows.csv"], "");
    for line in [
        "17 flows from 2026-10-05T10:00:00Z to 2026-10-06T10:00:00Z",
        "             5  would be allowed",
        "             7  would be blocked",
        "             4  stay within one zone, where no firewall sees them",
        "             1  have an address in no zone",
        "  pump in ward -> pump_srv in core, tcp 8080\n    3 flows, at 2026-10-05T10:00:00Z\n    no rule allows it\n",
        "    `smb` forbids it (",
        "allows that no flow used (2):\n  care, ping",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let (_, json, _) = run(place.path(), &["policy.cordon", "--flows", "flows.csv", "--format", "json"], "");
    let json: Value = serde_json::from_str(&json).unwrap();
    let result = &json["result"];
    assert_eq!(json["command"], "simulate");
    assert_eq!((&result["flows"], &result["blocked"]["rows"]), (&17.into(), &4.into()));
    assert_eq!(result["rows"][0]["flows"], 3);
    assert_eq!(result["captures"][0]["form"], "csv");
    let (_, csv, _) = run(place.path(), &["policy.cordon", "--flows", "flows.csv", "--format", "csv"], "");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), result["rows"].as_array().unwrap().len());
    assert_eq!((&rows[0][0], &rows[0][7], &rows[0][5]), ("deny", "3", "tcp 8080"));
}

#[test]
fn a_suggestion_is_a_policy_that_is_fine() {
    let place = place();
    let required = POLICY.to_owned() + "require owner, reason, until on allow\nrequire owner on peer\n";
    let required = required.replace("via drugs }", "via drugs owner a reason b until 2027-01-01 }");
    let required = required.replace("echo-request }", "echo-request owner a reason b until 2027-01-01 }");
    let required = required.replace("during office }", "during office owner a reason b until 2027-01-01 }");
    let required = required.replace("2001:db8:2::10 }", "2001:db8:2::10 owner a }");
    fs::create_dir(place.path().join("policy")).unwrap();
    fs::write(place.path().join("policy/a.cordon"), required).unwrap();
    let (code, out, err) = run(place.path(), &["policy", "--flows", "flows.csv", "--suggest"], "");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("1 statement would allow 4 of 7 flows that would be blocked"), "{err}");
    assert!(out.contains("peer seen-core in core { host 10.2.0.77   owner \"to be filled in\" }"), "{out}");
    assert!(
        out.contains("until 2027-01-30") && out.contains("reason \"seen 4 times from 2026-10-05T10:00:00Z"),
        "{out}"
    );
    assert!(
        out.contains(
            "# Blocked too, and not suggested:\n#   10.3.0.18 in lab -> pump, tcp 139, seen once: `lab-smb`"
        ),
        "{out}"
    );
    assert!(out.contains("#   pump -> pump_srv, tcp 445, seen 2 times: `smb` forbids it"), "{out}");
    fs::write(place.path().join("policy/b.cordon"), out).unwrap();
    let (_, text, _) = run(place.path(), &["policy", "--flows", "flows.csv"], "");
    assert!(text.contains("             3  would be blocked"), "{text}");
}

#[test]
fn a_suggestion_that_does_not_compile_is_said_to_be_none() {
    let place = place();
    let other = POLICY.replace("firewall fw { target nftables", "switch fw { target cisco-ios");
    let other =
        other.replace("face a", "face Vlan1").replace("face b", "face Vlan2").replace("face c", "face Vlan3");
    fs::write(place.path().join("policy.cordon"), other).unwrap();
    let flows = "proto,src,dst,dport\nsctp,10.1.0.17,10.2.0.10,36412\n";
    let (code, out, err) = run(place.path(), &["policy.cordon", "--flows", "-", "--suggest"], flows);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("via sctp 36412") && err.contains("× "), "{out}{err}");
    assert!(err.ends_with("has errors, so they are not to be taken as they are\n"), "{err}");
}
