//! The command `verify`, and the proof of a build: what is equal, what has drifted, and what cannot be read.

mod ending;
mod hostile;

use std::fs;
use std::path::Path;

use crate::support::{AS_OF, cordon, root, said, succeed};

fn verify(policy: &Path, against: &Path, further: &[&str]) -> (i32, String, String) {
    let (policy, against) = (policy.to_str().unwrap(), against.to_str().unwrap());
    let arguments = [&["verify", policy, "--as-of", AS_OF, "--against", against], further].concat();
    said(cordon(&arguments, ""))
}

fn hospital() -> std::path::PathBuf {
    root().join("examples/general-hospital")
}

/// A file of the example's output, with something in it replaced.
fn drifted(name: &str, from: &str, to: &str) -> tempfile::NamedTempFile {
    let text = fs::read_to_string(hospital().join("build").join(name)).unwrap();
    assert!(text.contains(from), "{name} holds no `{from}`");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text.replacen(from, to, 1)).unwrap();
    file
}

#[test]
fn the_output_of_the_example_is_proved_for_each_device() {
    let (code, said, _) = verify(&hospital(), &hospital().join("build"), &[]);
    assert_eq!(code, 0, "{said}");
    for device in ["border", "core", "dist1", "dist2", "dist3", "records", "wifi"] {
        assert!(said.contains(&format!("{device}: proved equal, in ")), "{said}");
    }
}

#[test]
fn drift_is_said_as_access_with_a_packet_a_line_and_a_statement() {
    let opened = drifted("core/ruleset.nft", "tcp . 3613", "tcp . 3612-3613");
    let (code, said, _) = verify(&hospital(), opened.path(), &["--device", "core"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("core: 1 difference\n  opened: IPv4 from `bond1` to `vlan300`, state new"),
        "{said}"
    );
    assert!(
        said.contains("10.40.64.10:3612 (pump_wifi to pump_srv), line ") || said.contains(":3612 ("),
        "{said}"
    );
    assert!(said.contains("(pumps); the policy: no statement"), "{said}");
    let closed = drifted("dist1/acl.cfg", "host 10.40.64.10 eq 3613", "host 10.40.64.11 eq 3613");
    let (code, said, _) = verify(&hospital(), closed.path(), &["--device", "dist1"]);
    assert_eq!(code, 1);
    assert!(said.contains("closed: IPv4 from `Vlan210`") && said.contains("the policy: `pumps`"), "{said}");
}

#[test]
fn a_dump_may_come_through_a_pipe() {
    let hospital = hospital();
    let dump = fs::read_to_string(hospital.join("build/core/ruleset.nft")).unwrap();
    let policy = hospital.to_str().unwrap();
    let arguments = ["verify", policy, "--as-of", AS_OF, "--against", "/dev/stdin", "--device", "core"];
    let output = cordon(&arguments, &dump);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("core: proved equal"), "{said}");
}

#[test]
fn the_same_is_told_to_programs() {
    let opened = drifted("core/ruleset.nft", "tcp . 3613", "tcp . 3612-3613");
    let (code, said, _) = verify(&hospital(), opened.path(), &["--device", "core", "--format", "json"]);
    assert_eq!(code, 1);
    let document: serde_json::Value = serde_json::from_str(&said).unwrap();
    let device = &document["result"][0];
    assert_eq!((device["device"].as_str(), device["verdict"].as_str()), (Some("core"), Some("different")));
    let difference = &device["differences"][0];
    assert_eq!(difference["kind"], "opened");
    assert_eq!((&difference["arrives"], &difference["leaves"]), (&"bond1".into(), &"vlan300".into()));
    let witness = &difference["witnesses"][0];
    assert_eq!(witness["label"], "pumps");
    assert!(witness["packet"].as_str().unwrap().ends_with(":3612") && witness.get("statement").is_none());
}

#[test]
fn what_cannot_be_read_is_no_proof() {
    let unknown = drifted("core/ruleset.nft", "iifname vmap @arrivals", "numgen random mod 2 vmap @arrivals");
    let (code, said, problem) = verify(&hospital(), unknown.path(), &["--device", "core"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains(&format!("core: unreadable\n  {}:", unknown.path().display())), "{said}");
    assert!(problem.contains("nothing is known of it"), "{problem}");
    let empty = tempfile::tempdir().unwrap();
    let (code, _, problem) = verify(&hospital(), empty.path(), &[]);
    assert_eq!(code, 2);
    assert!(problem.contains("there is no folder"), "{problem}");
    let (code, _, problem) = verify(&hospital(), unknown.path(), &[]);
    assert_eq!(code, 2);
    assert!(problem.contains("name it with `--device`"), "{problem}");
    let (code, _, problem) = verify(&hospital(), unknown.path(), &["--device", "nowhere"]);
    assert_eq!(code, 2);
    assert!(problem.contains("no enforcement point `nowhere`"), "{problem}");
    let (code, _, problem) = verify(&hospital(), unknown.path(), &["--device", "records"]);
    assert_eq!(code, 2);
    assert!(problem.contains("iptables has three"), "{problem}");
}

#[test]
fn a_target_without_a_reader_is_not_called_equal() {
    let example = root().join("examples/custom-target");
    let (code, said, problem) = verify(&example, &example.join("build"), &[]);
    assert_eq!(code, 2);
    assert!(said.contains("edge: not proved, since there is no reader for `routeros`"), "{said}");
    assert!(problem.contains("nothing was proved"), "{problem}");
}

#[test]
fn an_empty_file_is_an_open_firewall_and_no_equal_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (code, said, _) = verify(&hospital(), file.path(), &["--device", "core"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("opened: IPv4 from ") && !said.contains("closed"), "{said}");
}

/// A policy with a template of its own for nftables, in which something is replaced.
fn with_template(from: &str, to: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let policy = "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }\n\
                  allow web { from a  to b  via tcp 443 }\nmanage admin { from b  via tcp 22 }\n\
                  firewall edge { target nftables   interface eth0 zone a   interface eth1 zone b }\n";
    fs::write(directory.path().join("a.cordon"), policy).unwrap();
    let folder = directory.path().join("targets/nftables");
    fs::create_dir_all(&folder).unwrap();
    let template = fs::read_to_string(root().join("targets/nftables/ruleset.nft.j2")).unwrap();
    assert!(template.contains(from));
    let view = "{# view: nftables 4 #}\n";
    fs::write(folder.join("ruleset.nft.j2"), view.to_owned() + &template.replace(from, to)).unwrap();
    directory
}

#[test]
fn a_build_that_does_not_mean_its_policy_writes_nothing_but_a_report() {
    let directory = with_template("counter drop", "counter accept");
    let path = directory.path().to_str().unwrap();
    let build = ["build", path, "--as-of", AS_OF];
    let refused = cordon(&build, "");
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("does not mean what the policy says") && said.contains("opened: IPv4"), "{said}");
    assert!(!directory.path().join("build").exists());
    let report = fs::read_to_string(directory.path().join("build.proof-failed.txt")).unwrap();
    assert!(report.contains("edge: ") && report.contains("opened: IPv4"), "{report}");
    for format in ["json", "sarif", "junit", "github", "gitlab"] {
        let refused = cordon(&[&build[..], &["--format", format]].concat(), "");
        let document = String::from_utf8(refused.stdout).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{document}");
        assert!(document.contains("C0999") && document.contains("does not mean what"), "{document}");
    }
    let forced = cordon(&[&build[..], &["--no-verify"]].concat(), "");
    assert_eq!(forced.status.code(), Some(0));
    assert!(directory.path().join("build/edge/ruleset.nft").exists());
}

#[test]
fn a_build_says_how_much_was_proved() {
    let directory = with_template("Changes by hand", "Changes by anybody");
    let output = cordon(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("proved for 1 enforcement point"), "{said}");
}

/// Builds a policy, which proves it.
fn build(policy: &str) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.cordon"), policy).unwrap();
    let output = cordon(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

const TWO_ZONES: &str = "zone a { net 10.1.0.0/24, 2001:db8:1::/64 }\nzone b { net 10.2.0.0/24, 2001:db8:2::/64 }\n\
                         manage m { from a  via tcp 22 }\n";
const SWITCH: &str = "switch edge { target cisco-ios   interface Vlan1 zone a   interface Vlan2 zone b }\n";
const PFSENSE: &str = "firewall edge { target pfsense   interface lan zone a   interface opt1 zone b }\n";

#[test]
fn errors_about_scheduled_connections_are_owed_while_the_schedule_holds() {
    let rules =
        "schedule t { mon 00:00-12:00  timezone utc }\nallow r { from a  to b  via tcp 80  during t }\n";
    let (code, said) = build(&format!("{TWO_ZONES}{rules}{SWITCH}"));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn replies_to_what_may_be_left_out_are_not_owed() {
    let rule = "allow r { from a  to b  via tcp 80, dccp 53  unsupported leave-out }\n";
    let (code, said) = build(&format!("{TWO_ZONES}{rule}{SWITCH}"));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_one_rule_leaves_out_stays_with_the_rule_that_also_allows_it() {
    let rules = "allow r { from a  to b  via icmpv6  log  unsupported leave-out }\nallow s { from a  to b  via any }\n\
                 forbid f { from a  to b  via icmpv6 echo-request }\n";
    let (code, said) = build(&format!("{TWO_ZONES}{rules}{PFSENSE}"));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_link_local_host_cannot_log_in_where_the_rest_of_the_world_may() {
    let policy = "zone a { net 10.1.2.0/25, 2001:db8:8::/48 }\nzone b { rest }\n\
                  allow r { from a  to b  via tcp 80 }\nmanage m { from b  via tcp 22 }\n";
    let (code, said) = build(&format!("{policy}{SWITCH}"));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_a_config_says_does_not_act_on_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let (policy, dump) = (directory.path().join("policy.cordon"), directory.path().join("dump.nft"));
    let site = "firewall core { target nftables   interface eth0 zone a   interface eth1 zone b }\n";
    fs::write(&policy, format!("{TWO_ZONES}{site}")).unwrap();
    for rule in
        ["ip saddr 10.1.0.1 accept comment \"a\u{1b}[2Jb\"", "a\u{1b}[2Jb", "iifname \"a\u{1b}[2Jb\" accept"]
    {
        let chain = "chain forward { type filter hook forward priority 0; policy drop;";
        fs::write(&dump, format!("table inet t {{\n{chain}\n{rule}\n}}\n}}\n")).unwrap();
        let (code, said, errors) = verify(&policy, &dump, &["--device", "core"]);
        assert_ne!(code, 0);
        assert!(!format!("{said}{errors}").contains('\u{1b}'), "{said:?}{errors:?}");
    }
}

const UPLINK: &str = "zone c { net 10.3.0.0/24 }\nallow r { from a  to b  via tcp 80 }\nallow s { from a  to c  via tcp 80 }\n\
    switch edge { target cisco-ios   interface Vlan1 zone a   interface Vlan2 zone b   uplink Te1/1/1 to core }\n\
    firewall core { target nftables   interface eth0 zone c   interface eth1 to edge }\n";

#[test]
fn a_rule_between_two_zones_of_a_switch_with_an_uplink_is_proved() {
    let (code, said) = build(&format!("{TWO_ZONES}{UPLINK}"));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_switch_that_carries_what_two_firewalls_filter_is_proved() {
    let (code, said) = build(&format!(
        "{TWO_ZONES}{}",
        UPLINK.replace("interface Vlan1 zone a", "uplink Te1/1/2 to far")
            + "firewall far { target nftables   interface eth0 zone a   interface eth1 to edge }\n"
    ));
    assert_eq!(code, Some(0), "{said}");
}

/// A policy of one switch, with more in the statement of the switch.
fn switch(further: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "policy \"s\" zone a {{ net 10.1.0.0/24, 2001:db8:1::/64 }} zone b {{ net 10.2.0.0/24, 2001:db8:2::/64 }}\n\
         allow syslog {{ from a  to b  via udp 514 }}  manage {{ from b  via tcp 22 }}\n\
         switch s {{ target cisco-ios {further}  interface Vlan1 zone a  interface Vlan2 zone b }}\n"
    );
    fs::write(directory.path().join("policy.cordon"), text).unwrap();
    directory
}

#[test]
fn hazard_14_later_fragments_are_denied_before_all_else_where_a_switch_says_so() {
    let (strict, plain) = (switch("fragments deny"), switch(""));
    succeed(&["build", strict.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let list = strict.path().join("build/s/acl.cfg");
    let text = fs::read_to_string(&list).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let heads = lines.windows(3).filter(|lines| lines[0].contains("access-list"));
    let (logins, others): (Vec<&[&str]>, Vec<&[&str]>) = heads.partition(|lines| lines[0].contains("VTY"));
    assert_eq!((logins.len(), others.len()), (2, 8), "{text}");
    for head in others {
        let every = if head[0].starts_with("ipv6") { "ipv6" } else { "ip" };
        assert_eq!(head[1..], [" remark later fragments", &format!(" deny {every} any any fragments")]);
    }
    // Who asks for nothing may have it, and behind a line that permits the denial comes too late.
    assert_eq!(verify(plain.path(), &list, &["--device", "s"]).0, 0);
    let (denial, end) = (" deny ip any any fragments\n", " deny ip any any\n");
    let moved = text.replace(denial, "").replace(end, &format!("{denial}{end}"));
    fs::write(&list, moved).unwrap();
    let (code, said, _) = verify(strict.path(), &list, &["--device", "s"]);
    assert!(code == 1 && said.contains("opened: IPv4 from `Vlan1`"), "{said}");
    assert!(said.contains("state later fragment"), "{said}");
}

#[test]
fn other_storm_control_than_the_policy_has_is_a_difference() {
    let policy = switch(
        "ports Gi1/0/1-2 zone a  storm-control broadcast 100/second, multicast 2000/second then limit \
         ports Gi1/0/3 zone b  storm-control broadcast 50/second then limit  ports Gi1/0/4 zone b ",
    );
    succeed(&["build", policy.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let list = policy.path().join("build/s/acl.cfg");
    let text = fs::read_to_string(&list).unwrap();
    let (second, third, fourth) = ("1/0/2\n", "1/0/3\n", "1/0/4\n");
    let behind = |port: &str, line: &str| text.replace(port, &format!("{port} {line}\n"));
    let trap = " storm-control action trap\n";
    let without_trap = text.replacen(trap, "", 1);
    let stopped = text.replacen(" storm-control broadcast level pps 100\n", "", 1);
    for (changed, expected) in [
        (text.replacen("pps 100\n", "pps 1000\n", 1), "broadcast level pps 1000, line "),
        (text.replacen("pps 2000\n", "pps 2k 1k\n", 1), "the policy: `multicast 2000/second`"),
        (text.replacen("level pps 50\n", "level 50.00\n", 1), "storm-control broadcast level 50.00"),
        (stopped, "`GigabitEthernet1/0/1` has no storm-control broadcast"),
        (without_trap, "`GigabitEthernet1/0/1` has no storm-control action trap"),
        (text.replacen("no storm-control action shutdown", "storm-control action shutdown", 1), "is shut by"),
        (
            text.replacen("no storm-control unicast level", "storm-control unicast level 5.00", 1),
            "for unicast",
        ),
        (behind(fourth, "storm-control unknown-unicast level pps 9"), "`GigabitEthernet1/0/4` has"),
        (text.replace(third, "1/0/30\n"), "`GigabitEthernet1/0/3` has no storm-control broadcast"),
        (text.replace(second, "1/0/20\n"), "s: 3 differences"),
    ] {
        assert_ne!(changed, text, "{expected}");
        fs::write(&list, changed).unwrap();
        let (code, said, _) = verify(policy.path(), &list, &["--device", "s"]);
        let found = said.contains("  storms: `Gigabit") && said.contains(expected);
        assert!(code == 1 && found, "{expected}\n{said}");
    }
    // What a switch shows of the same, and what it has on ports of which the policy says nothing.
    let shown = text.replace("pps 2000\n", "pps 2k\n").replace("\n no storm-control", "\n! no storm-control");
    let other = "interface GigabitEthernet1/0/9\n storm-control unicast level 1.00\n";
    fs::write(&list, shown.replacen("line vty", &format!("{other}line vty"), 1)).unwrap();
    let (code, said, _) = verify(policy.path(), &list, &["--device", "s"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn later_fragments_of_what_nothing_allows_do_not_pass_a_switch() {
    let plain = switch("");
    succeed(&["build", plain.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let list = plain.path().join("build/s/acl.cfg");
    let text = fs::read_to_string(&list).unwrap();
    let opened = text.replace(" deny ip any any\n", " permit tcp any any fragments\n deny ip any any\n");
    fs::write(&list, opened).unwrap();
    let (code, said, _) = verify(plain.path(), &list, &["--device", "s"]);
    assert!(
        code == 1 && said.contains("opened: IPv4 from `Vlan1` to `Vlan2`, state later fragment"),
        "{said}"
    );
}

/// Guards of each kind that drops, on one firewall.
fn guarded(target: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "policy \"g\"\nzone a {{ net 10.1.0.0/24 }}\nzone b {{ net 10.2.0.0/24 }}\n\
         class c in a {{ hosts 10.1.0.16/28 }}\n\
         allow r {{ from a  to b  via tcp 80 }}\nallow s {{ from b  to a  via udp 514  log }}\n\
         guard c {{ new-connections 5/second per source  then limit }}\n\
         guard a {{ new-connections 20/second burst 60 per source  then quarantine 10 minutes }}\n\
         guard s {{ new-connections 30/minute  then limit }}\nguard a {{ new-connections 50/second  then alert }}\n\
         manage {{ from b  via tcp 22 }}\n\
         firewall f {{ target {target}  interface a0 zone a  interface b0 zone b }}\n"
    );
    fs::write(directory.path().join("policy.cordon"), text).unwrap();
    succeed(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    directory
}

#[test]
fn a_guard_with_another_rate_or_without_its_rules_is_a_difference() {
    let nftables = [
        ("rate over 5/second", "rate over 50/second"),
        ("rate over 20/second burst 60", "rate over 20/second burst 6"),
        ("limit rate over 30/minute burst 30 packets", "limit rate over 30/second burst 30 packets"),
        ("        jump guards\n", ""),
        ("        ip saddr @quarantined/v4 goto quarantined\n", ""),
        ("            10.1.0.16/28,\n", "            10.1.0.16/29,\n"),
        (": goto guarded/s,", ": goto log/s,"),
        ("counter drop\n    }\n\n    chain guard/c-limit", "counter\n    }\n\n    chain guard/c-limit"),
    ];
    let iptables = [
        ("--hashlimit-above 5/second", "--hashlimit-above 50/second"),
        ("--hashlimit-burst 60", "--hashlimit-burst 6"),
        ("-A cordon-from/a0 -j cordon-guards\n", ""),
        ("-A cordon-from/a0 -m set --match-set cordon0.4q src -g cordon-away\n", ""),
        ("-s 10.1.0.16/28 -j cordon-guard/c-limit", "-s 10.1.0.16/29 -j cordon-guard/c-limit"),
        ("-A cordon-rule/s -j cordon-guard/s-limit\n", ""),
        (
            "--hashlimit-mode srcip --hashlimit-name",
            "--hashlimit-mode srcip --hashlimit-srcmask 8 --hashlimit-name",
        ),
        ("-A cordon-trip/c-limit -j DROP\n", ""),
    ];
    let file = [("nftables", "ruleset.nft", &nftables[..]), ("iptables", "rules.v4", &iptables[..])];
    for (target, name, changes) in file {
        let policy = guarded(target);
        let built = policy.path().join("build/f");
        assert_eq!(verify(policy.path(), &built, &["--device", "f"]).0, 0);
        let text = fs::read_to_string(built.join(name)).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{target}: no {from}");
            fs::write(built.join(name), text.replacen(from, to, 1)).unwrap();
            let (code, said, _) = verify(policy.path(), &built, &["--device", "f"]);
            assert!(code == 1 && said.contains("state too many"), "{target}, {from}: {said}");
        }
    }
}

#[test]
fn a_session_time_without_one_of_its_parts_is_a_difference() {
    let policy = tempfile::tempdir().unwrap();
    let text = "zone a { net 10.1.0.0/24, 2001:db8:1::/64 }\nzone b { net 10.2.0.0/24, 2001:db8:2::/64 }\n\
                allow r { from a  to b  via tcp 22 }\nallow back { from b  to a  via tcp 22-80 }\n\
                guard r { session-time 90 minutes  then limit }\nguard r { session-time 1 hour  then alert }\n\
                manage { from b  via tcp 22 }\n\
                firewall f { target nftables  interface a0 zone a  interface b0 zone b }\n";
    fs::write(policy.path().join("policy.cordon"), text).unwrap();
    succeed(&["build", policy.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let built = policy.path().join("build/f");
    assert_eq!(verify(policy.path(), &built, &["--device", "f"]).0, 0);
    let text = fs::read_to_string(built.join("ruleset.nft")).unwrap();
    let changes = [
        // What notes a beginning, for how long, and what happens where it cannot be noted.
        ("        jump guard/r.session-time-limit\n", ""),
        ("ct id timeout 1h30m", "ct id timeout 1h31m"),
        ("        goto tripped/r.session-time-limit\n    }\n\n    chain aged", "    }\n\n    chain aged"),
        // What is too old, in both directions, and not in the wrong one.
        ("        ct state established jump session/r.session-time-limit\n", ""),
        ("ct id @sessions/r.session-time-limit return", "ct id @sessions/r.session-time-alert return"),
        (
            "        ct direction original ip saddr . ip daddr . meta l4proto . th dport vmap @session/r.session-time-limit/v4/ports\n",
            "",
        ),
        (
            "ct direction reply ip6 saddr . ip6 daddr . meta l4proto . th sport . th dport vmap @reply/r.session-time-limit",
            "ip6 saddr . ip6 daddr . meta l4proto . th sport . th dport vmap @reply/r.session-time-limit",
        ),
        // What it ends in.
        ("reject with tcp reset", "accept"),
        // What was open before the load.
        ("        meta mark & 0x00000000 == @loaded/r.session-time-limit return\n", ""),
    ];
    for (from, to) in changes {
        assert!(text.contains(from), "no {from}");
        fs::write(built.join("ruleset.nft"), text.replacen(from, to, 1)).unwrap();
        let (code, said, _) = verify(policy.path(), &built, &["--device", "f"]);
        assert!(code == 1 && said.contains("state too many"), "{from}: {code} {said}");
    }
}

#[test]
fn a_guard_of_a_rule_of_pfsense_is_a_limit_of_the_rule() {
    let directory = tempfile::tempdir().unwrap();
    let rules = "allow r { from a  to b  via tcp 80 }\n\
                 guard r { new-connections 20/minute burst 7 per source  then quarantine 2 hours }\n";
    fs::write(directory.path().join("a.cordon"), format!("{TWO_ZONES}{rules}{PFSENSE}")).unwrap();
    succeed(&["build", directory.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let built = directory.path().join("build/edge");
    let filter = built.join("filter.xml");
    let text = fs::read_to_string(&filter).unwrap();
    // Seven come in within 21 seconds, beside the seven of the burst.
    let limit =
        "\t\t<max-src-conn-rate>14</max-src-conn-rate>\n\t\t<max-src-conn-rates>21</max-src-conn-rates>\n";
    assert_eq!(text.matches(limit).count(), 2, "{text}");
    for to in ["", &limit.replace("14", "15"), &limit.replace("21", "60"), &limit.replace("21", "210")] {
        fs::write(&filter, text.replacen(limit, to, 1)).unwrap();
        let (code, said, _) = verify(directory.path(), &built, &["--device", "edge"]);
        assert!(code == 1 && said.contains("state too many"), "{said}");
    }
}

#[test]
fn each_firewall_keeps_the_guards_that_it_can_and_is_asked_for_no_others() {
    // The first firewall can keep all; of the second nothing is asked that counts both families together, and of the third
    // nothing that counts more than TCP.
    let policy = "zone lab { net 10.1.0.0/24, 2001:db8:1::/64 }\nzone srv { net 10.3.0.0/24, 2001:db8:3::/64 }\n\
                  zone world { rest }\nallow results { from lab  to srv  via tcp 2575 }\n\
                  allow web { from lab  to world  via tcp 443, udp 443 }\n\
                  guard lab { new-connections 20/second  then limit }\n\
                  guard results { new-connections 5/second  then limit }\n\
                  guard results { new-connections 3/second per source  then alert }\n\
                  guard web { new-connections 5/second per source  then quarantine 3 hours }\n\
                  manage { from srv  via tcp 22 }\n\
                  firewall core { target nftables  interface lab0 zone lab  interface own0 to own  interface edge0 to edge }\n\
                  firewall own { target iptables  interface eth0 to core  interface eth1 zone srv }\n\
                  firewall edge { target pfsense  interface lan to core  interface wan zone world }\n";
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.cordon"), policy).unwrap();
    let path = directory.path().to_str().unwrap();
    succeed(&["build", path, "--as-of", AS_OF], "");
    let read = |file: &str| fs::read_to_string(directory.path().join("build").join(file)).unwrap();
    let (core, own, edge) = (read("core/ruleset.nft"), read("own/rules.v4"), read("edge/filter.xml"));
    for guard in ["lab-limit", "results-limit", "results-alert", "web-quarantine"] {
        assert!(core.contains(&format!("chain guard/{guard} {{")), "core lacks {guard}");
    }
    assert!(own.contains(":cordon-guard/results-alert "), "{own}");
    assert!(!own.contains("lab-limit") && !own.contains("results-limit"), "{own}");
    assert!(!edge.contains("max-src-conn-rate"), "{edge}");
}
