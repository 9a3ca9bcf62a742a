//! Applies on the router itself: how each ends, and what is refused.

use std::fs;
use std::time::Duration;

use super::site::{Site, policy, text};
use crate::kernel::require::ready_as_root;

const TOOLS: [&str; 5] = ["nft", "iptables-restore", "ipset", "flock", "nsenter"];

/// Runs a test for both targets.
fn for_both(test: &str, check: impl Fn(&Site, &'static str)) {
    if ready_as_root(test, &TOOLS) {
        for target in ["nftables", "iptables"] {
            check(&Site::new(target), target);
        }
    }
}

#[test]
fn an_apply_is_confirmed_or_everything_is_as_before() {
    for_both("an_apply_is_confirmed_or_everything_is_as_before", |site, target| {
        let empty = site.rules();
        let first = site.plan("first", &policy(target, 3613, true), &["--to", "local"]);
        let refused = site.cordon("core", &["apply", &first], "no\n");
        assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
        assert!(text(&refused).contains("the old rules are in force on core: it was not confirmed"));
        assert_eq!(site.rules(), empty);

        let kept = site.cordon("core", &["apply", &first], "yes\n");
        assert_eq!(kept.status.code(), Some(0), "{}", text(&kept));
        let old = site.rules();
        assert_ne!(old, empty);

        let second = site.plan("second", &policy(target, 3614, true), &["--to", "local"]);
        for (arguments, input) in [(vec![], ""), (vec!["--check", "tcp:10.2.0.10:9"], "yes\n")] {
            let output = site.cordon("core", &[&["apply", &second], &arguments[..]].concat(), input);
            assert_eq!(output.status.code(), Some(1), "{}", text(&output));
            assert_eq!(site.rules(), old, "{target} {arguments:?}");
        }
        // Nobody answers, and nobody asks: the device decides.
        let mut child = site
            .command("core", env!("CARGO_BIN_EXE_cordon"), &["apply", &second, "--confirm-within", "5s"])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        site.wait(Duration::from_secs(20), || site.rules() != old);
        child.kill().unwrap();
        child.wait().unwrap();
        site.settle();
        assert_eq!(site.rules(), old);
        assert_eq!(site.decision(), "restore");
        let late = site.cordon("core", &["apply", &second, "--confirm"], "");
        assert_eq!(late.status.code(), Some(1), "{}", text(&late));
        assert!(text(&late).contains("came too late"), "{}", text(&late));
    });
}

#[test]
fn a_second_terminal_confirms_or_takes_back_what_waits() {
    for_both("a_second_terminal_confirms_or_takes_back_what_waits", |site, target| {
        site.put("first", &policy(target, 3613, true));
        let old = site.rules();
        let second = site.plan("second", &policy(target, 3614, true), &["--to", "local"]);
        for (option, code, other) in [("--rollback", 1, "--confirm"), ("--confirm", 0, "--rollback")] {
            let mut child = site
                .command("core", env!("CARGO_BIN_EXE_cordon"), &["apply", &second])
                .stdin(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            site.wait(Duration::from_secs(20), || site.rules() != old);
            let busy = site.plan("busy", &policy(target, 3615, true), &["--to", "local"]);
            let output = site.cordon("core", &["apply", &second, option], "");
            assert_eq!(output.status.code(), Some(code), "{}", text(&output));
            assert_eq!(site.rules() == old, option == "--rollback");
            let again = site.cordon("core", &["apply", &second, other], "");
            assert_eq!(again.status.code(), Some(if code == 0 { 2 } else { 1 }), "{}", text(&again));
            drop(child.stdin.take());
            child.wait().unwrap();
            site.settle();
            assert_eq!(site.rules() == old, option == "--rollback");
            let unknown = site.cordon("core", &["apply", &busy, option], "");
            assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown));
        }
    });
}

#[test]
fn a_device_that_moved_since_the_plan_is_left_alone() {
    for_both("a_device_that_moved_since_the_plan_is_left_alone", |site, target| {
        site.put("first", &policy(target, 3613, true));
        let plan = site.plan("second", &policy(target, 3614, true), &["--to", "local"]);
        match target {
            "nftables" => {
                drop(site.run("core", "nft", &["insert", "rule", "inet", "cordon", "forward", "accept"]))
            }
            _ => {
                drop(site.run("core", "ip6tables", &["-t", "mangle", "-I", "cordon-forward", "-j", "ACCEPT"]))
            }
        }
        let moved = site.rules();
        let output = site.cordon("core", &["apply", &plan, "--yes", "--format", "json"], "");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["result"]["ending"], "not-loaded");
        assert!(document["result"]["said"].as_str().unwrap().contains("plan anew"), "{document}");
        assert_eq!(site.rules(), moved);
        // Packets that are counted, and sets that fill themselves, are no change.
        site.put("anew", &policy(target, 3613, true));
        let plan = site.plan("third", &policy(target, 3614, true), &["--to", "local"]);
        site.udp("ward", "10.1.0.2:0").send_to(b"counted", "10.2.0.10:7000").unwrap();
        assert!(site.connect("ward", "10.2.0.10:9").is_none());
        assert!(site.connect("ward", "10.1.0.1:9").is_none());
        let output = site.cordon("core", &["apply", &plan, "--yes"], "");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    });
}

#[test]
fn what_the_device_refuses_changes_nothing() {
    for_both("what_the_device_refuses_changes_nothing", |site, target| {
        site.put("first", &policy(target, 3613, true));
        let old = site.rules();
        let plan = site.plan("second", &policy(target, 3614, true), &["--to", "local"]);
        let (from, to) = match target {
            "nftables" => ("goto denied", "goto nowhere"),
            _ => ("-g cordon-related", "-g cordon-nowhere"),
        };
        let whole = fs::read_to_string(&plan).unwrap();
        assert!(whole.contains(from));
        let broken = site.write("broken.plan", &whole.replace(from, to));
        // The state in the plan is left as it was, since the digest of it stands there.
        let mut broken_plan: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&broken).unwrap()).unwrap();
        let good: serde_json::Value = serde_json::from_str(&whole).unwrap();
        broken_plan["state"] = good["state"].clone();
        site.write("broken.plan", &broken_plan.to_string());
        let output = site.cordon("core", &["apply", &broken, "--yes"], "");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains("the device refuses the new rules"), "{}", text(&output));
        site.settle();
        assert_eq!(site.rules(), old);
    });
}

#[test]
fn a_plan_that_was_changed_by_hand_is_no_plan() {
    if !ready_as_root("a_plan_that_was_changed_by_hand_is_no_plan", &TOOLS) {
        return;
    }
    let site = Site::new("nftables");
    let plan = site.plan("first", &policy("nftables", 3613, true), &["--to", "local"]);
    let whole = fs::read_to_string(&plan).unwrap();
    for (from, to) in [
        ("\"version\": 1", "\"version\": 2"),
        ("\"state\": \"\"", "\"state\": \"table inet cordon\\n\""),
        ("\"name\": \"ruleset.nft\"", "\"name\": \"../../etc/passwd\""),
        ("\"target\": \"nftables\"", "\"target\": \"nftables; reboot\""),
        ("\"to\": \"local\"", "\"to\": \"ssh://-oProxyCommand=reboot\""),
        ("/device\"", "/$(reboot)\""),
        ("\"sudo\": false,", ""),
        ("\"sudo\": false", "\"sudo\": false, \"more\": 1"),
        ("\n}", ""),
    ] {
        assert!(whole.contains(from), "{from}");
        let changed = site.write("changed.plan", &whole.replacen(from, to, 1));
        let output = site.cordon("core", &["apply", &changed, "--yes"], "");
        assert_eq!(output.status.code(), Some(2), "{from}: {}", text(&output));
        assert!(text(&output).contains("make it again"), "{}", text(&output));
    }
    assert_eq!(site.rules()[0], "");
}

#[test]
fn a_directory_that_others_may_write_is_not_used() {
    if !ready_as_root("a_directory_that_others_may_write_is_not_used", &TOOLS) {
        return;
    }
    let site = Site::new("nftables");
    let plan = site.plan("first", &policy("nftables", 3613, true), &["--to", "local"]);
    let device = site.device_directory();
    fs::create_dir(&device).unwrap();
    site.run("core", "chmod", &["1777", &device]);
    let output = site.cordon("core", &["apply", &plan, "--yes"], "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("does not belong to root alone"), "{}", text(&output));
    assert_eq!(site.rules()[0], "");
}

#[test]
fn a_boot_loads_what_was_confirmed_last_and_closes_what_cannot_be_loaded() {
    for_both("a_boot_loads_what_was_confirmed_last_and_closes_what_cannot_be_loaded", |site, target| {
        site.put("first", &policy(target, 3613, true));
        let old = site.rules();
        let second = site.plan("second", &policy(target, 3614, true), &["--to", "local"]);
        let mut child = site
            .command("core", env!("CARGO_BIN_EXE_cordon"), &["apply", &second])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        site.wait(Duration::from_secs(20), || site.rules() != old);
        power_cut(site, target);
        child.wait().unwrap();
        let boot = site.device_directory() + "/boot.sh";
        site.run("core", "sh", &[&boot]);
        assert_eq!(site.rules(), old, "what was not confirmed is not loaded");

        site.put("third", &policy(target, 3614, true));
        let new = site.rules();
        power_cut(site, target);
        site.run("core", "sh", &[&boot]);
        assert_eq!(site.rules(), new);

        power_cut(site, target);
        let file = if target == "nftables" { "ruleset.nft" } else { "rules.v4" };
        let device = site.device_directory();
        let name = fs::read_to_string(format!("{device}/pending")).unwrap();
        fs::write(format!("{device}/{}/new/{file}", name.trim()), "nonsense\n").unwrap();
        assert!(!site.command("core", "sh", &[&boot]).output().unwrap().status.success());
        let listener = site.listen("servers", "10.2.0.10:3614");
        assert!(site.connect("ward", "10.2.0.10:3614").is_none(), "everything is closed");
        drop(listener);
    });
}

/// Everything that is not on a disk is lost.
pub(super) fn power_cut(site: &Site, target: &str) {
    site.kill_all();
    if target == "nftables" {
        site.run("core", "nft", &["flush", "ruleset"]);
        return;
    }
    for tool in ["iptables", "ip6tables"] {
        for arguments in [&["-F"][..], &["-X"], &["-P", "FORWARD", "ACCEPT"], &["-P", "INPUT", "ACCEPT"]] {
            site.run("core", tool, &[&["-t", "mangle"], arguments].concat());
        }
    }
    site.wait(Duration::from_secs(5), || {
        site.command("core", "ipset", &["destroy"]).status().unwrap().success()
    });
}

#[test]
fn a_power_cut_between_the_two_families_leaves_each_old_or_new() {
    let test = "a_power_cut_between_the_two_families_leaves_each_old_or_new";
    if !ready_as_root(test, &TOOLS) {
        return;
    }
    let site = Site::new("iptables");
    site.put("first", &policy("iptables", 3613, true));
    let old = site.rules();
    let plan = site.plan("second", &policy("iptables", 3614, true), &["--to", "local"]);
    // IPv6 is loaded first; the loader of IPv4 waits.
    let (tools, mark) = (site.path("tools"), site.path("between"));
    fs::create_dir(&tools).unwrap();
    let wrapper = format!("{tools}/iptables-restore");
    fs::write(&wrapper, format!("#!/bin/sh\n: >{mark}\nexec sleep 60\n")).unwrap();
    site.run("core", "chmod", &["755", &wrapper]);
    let path = format!("{tools}:{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let mut child = site
        .command("core", env!("CARGO_BIN_EXE_cordon"), &["apply", &plan, "--yes"])
        .env("PATH", path)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    site.wait(Duration::from_secs(20), || fs::exists(&mark).unwrap());
    site.kill_all();
    child.wait().unwrap();
    let [four, six] = site.rules();
    assert_eq!(four, old[0], "IPv4 has its old rules");
    assert_ne!(six, old[1], "IPv6 has its new rules");
    power_cut(&site, "iptables");
    site.run("core", "sh", &[&(site.device_directory() + "/boot.sh")]);
    assert_eq!(site.rules(), old);
    // The next apply is as good as the first.
    site.put("third", &policy("iptables", 3614, true));
    assert_eq!(site.rules()[1], six);
}
