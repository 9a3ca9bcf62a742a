//! `cordon test`: assertions and tables of packets, what fails and why, coverage, and results for CI systems.

mod command;
mod example;
mod junit;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{AS_OF, cordon, said};

/// A policy with one of each: an allow, an allow at times, a forbid, a posture, and an assertion that holds.
const POLICY: &str = "
zone ward    { net 10.1.0.0/24, 2001:db8:1::/64 }
zone servers { net 10.2.0.0/24, 2001:db8:2::/64 }
zone office  { net 10.3.0.0/24 }
schedule nights { mon..sun 22:00-06:00   timezone utc }
allow data    { from ward  to servers  via tcp 440-450 }
allow copies  { from servers  to ward  via tcp 22   during nights }
allow ping    { from office  to ward  via icmp }
forbid telnet { from any  to ward  via tcp 23   reason \"Telnet\" }
assert denied no-telnet { from any  to ward  via tcp 23 }
posture closed { isolate ward }
manage admin { from servers  via tcp 22 }
firewall core {
  target nftables
  interface eth0 zone ward   interface eth1 zone servers   interface eth2 zone office
}
";

/// The first row of a table.
const HEADER: &str = "proto,src,dst,dport,verdict\n";

/// A policy with files beside it, by name and content.
fn policy_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("policy.cordon"), POLICY).unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

/// Exit code, standard output and standard error of `cordon test` on a policy.
fn test(policy: &Path, more: &[&str]) -> (i32, String, String) {
    let path = policy.to_string_lossy();
    said(cordon(&[&["test", path.as_ref(), "--as-of", AS_OF], more].concat(), ""))
}

/// The result of `cordon test --format json`.
fn json(policy: &Path, more: &[&str]) -> (i32, Value) {
    let (code, out, err) = test(policy, &[more, &["--format", "json"]].concat());
    assert_eq!(err, "");
    let document: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    (code, document["result"].clone())
}

/// The names of all tests that failed.
fn failed(result: &Value) -> Vec<String> {
    let suites = result["suites"].as_array().unwrap().iter();
    let tests = suites.flat_map(|suite| suite["tests"].as_array().unwrap());
    let failed = tests.filter(|test| !test["failure"].is_null());
    failed.map(|test| test["name"].as_str().unwrap().to_owned()).collect()
}
