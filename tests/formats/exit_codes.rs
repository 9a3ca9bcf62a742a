//! The exit codes of all commands: 0 if all is well, 1 if there are findings, 2 if the usage is wrong or nothing can be read.

use std::collections::BTreeSet;
use std::fs;

use super::{GOOD, directory, run};
use crate::support::root;

/// A config of a pfSense with the two interfaces of the policy.
const CONFIG: &str = "<?xml version=\"1.0\"?>
<pfsense>
\t<interfaces>
\t\t<lan><if>em0</if><enable></enable></lan>
\t\t<opt1><if>em1</if><enable></enable></opt1>
\t</interfaces>
\t<aliases></aliases>
\t<filter></filter>
</pfsense>
";

/// What the firewall of the policy counts: nothing.
const COUNTERS: &str = "table inet cordon {
\tmap pair/eth0/eth1/v4/ports {
\t\telements = { 10.1.0.0/24 . 10.2.0.10 . tcp . 3613 counter packets 0 bytes 0 comment \"data\" : accept }
\t}
}
";

/// A line by which the firewall denied what the policy allows.
const DENIED: &str = "Nov 28 07:35:03 core kernel: cordon deny (default): IN=eth0 OUT=eth1 SRC=10.1.0.1 DST=10.2.0.10 LEN=60 \
    PROTO=TCP SPT=40000 DPT=3613 SYN\n";

/// A command with what follows it for exit codes 0, 1 and 2. What lies in the directory is made in the test; a command that
/// finds nothing wrong with anything, or that is nothing but help, has no 1.
const COMMANDS: [(&str, &str, Option<&str>, &str); 28] = [
    ("check", "good", Some("bad"), "missing"),
    ("build", "good --out made/again", Some("bad"), "missing"),
    ("verify", "good --against made/build", Some("good --against made/other"), "good --against missing"),
    (
        "splice",
        "sense --device core --into config.xml --out new.xml",
        Some("bad --device core --into config.xml"),
        "good --device core --into missing",
    ),
    ("report", "good --out made/report", Some("bad"), "missing"),
    ("query", "good --packets packets.csv", Some("bad --packets packets.csv"), "good --packets missing"),
    (
        "explain",
        "good tcp 10.1.0.1 10.2.0.10 3613",
        Some("bad tcp 10.1.0.1 10.2.0.10 1"),
        "good tcp 10.1.0.1 nowhere 1",
    ),
    ("who-can-reach", "pump_srv good", Some("pump_srv bad"), "nobody good"),
    ("what-can", "ward reach good", Some("ward reach bad"), "ward reach missing"),
    ("inventory", "devices", Some("bad"), "good"),
    ("hits", "good --from core.txt", Some("good --from core.txt --exit-code"), "good --from packets.csv"),
    ("logs", "good --from deny.log", Some("good --from deny.log --exit-code"), "good --from missing"),
    ("diff", "good good --exit-code", Some("good other --exit-code"), "good bad"),
    ("simulate", "good --flows packets.csv", Some("bad --flows packets.csv"), "good --flows missing"),
    ("test", "asserted", Some("asserted --tests wrong.csv"), "good"),
    ("fmt", "other", Some("loose --check"), "bad"),
    ("rename", "pump_srv server good --diff", Some("pump_srv server bad"), "nobody server good"),
    (
        "add",
        "10.2.0.11 to pump_srv good --diff",
        Some("10.2.0.11 to pump_srv bad"),
        "10.2.0.11 to nobody good",
    ),
    (
        "remove",
        "10.2.0.11 from pump_srv two --diff",
        Some("10.2.0.11 from pump_srv bad"),
        "x from pump_srv good",
    ),
    (
        "extract",
        "good --packet tcp 10.1.0.1 10.2.0.10 3613",
        Some("bad --packet tcp 10.1.0.1 10.2.0.10 3613"),
        "good --code C0101",
    ),
    // What these two do on a device is in tests/apply.
    ("plan", "--help", Some("bad --device core --to local"), "good --device core --to nowhere"),
    ("apply", "--help", None, "missing.plan"),
    ("rule", "C0305", None, "C9999"),
    ("init", "made/clinic", None, "good"),
    ("completions", "bash", None, "nonsense"),
    ("man", "made/man", None, "packets.csv/man"),
    ("targets", "", None, "--format nonsense"),
    ("help", "check", None, "nonsense"),
];

#[test]
fn each_command_has_each_exit_code() {
    let other = GOOD.replace("tcp 3613", "tcp 3614");
    let sense = GOOD
        .replace("target nftables   interface eth0", "target pfsense   interface lan")
        .replace("eth1", "opt1");
    let devices = GOOD.to_owned() + "inventory pumps { file \"devices.csv\"   mapping \"devices.yaml\" }\n";
    let asserted = GOOD.to_owned() + "assert allowed data-arrives { from ward  to pump_srv  via tcp 3613 }\n";
    let place = directory(&[
        ("good/a.cordon", GOOD),
        ("other/a.cordon", &other),
        ("sense/a.cordon", &sense),
        ("devices/a.cordon", &devices),
        ("devices/devices.csv", "name,ip\npump,10.1.0.5\n"),
        ("devices/devices.yaml", "version: 1\ncolumns: { name: [name], address: [ip] }\n"),
        ("bad/a.cordon", "zone x {"),
        ("asserted/a.cordon", &asserted),
        ("loose/a.cordon", &GOOD.replace(" {", "  {")),
        ("two/a.cordon", &GOOD.replace("10.2.0.10", "10.2.0.10, 10.2.0.11")),
        ("wrong.csv", "proto,src,dst,dport,verdict\ntcp,10.1.0.1,10.2.0.10,3613,deny\n"),
        ("packets.csv", "proto,src,dst,sport,dport\n"),
    ]);
    fs::write(place.path().join("config.xml"), CONFIG).unwrap();
    fs::write(place.path().join("core.txt"), COUNTERS).unwrap();
    fs::write(place.path().join("deny.log"), DENIED).unwrap();
    for (policy, to) in [("good", "made/build"), ("other", "made/other")] {
        assert_eq!(run(place.path(), &["build", policy, "--out", to]).0, 0);
    }
    for (command, fine, findings, failure) in COMMANDS {
        for (arguments, expected) in [(Some(fine), 0), (findings, 1), (Some(failure), 2)] {
            let Some(arguments) = arguments else { continue };
            let words: Vec<&str> = [command].into_iter().chain(arguments.split_whitespace()).collect();
            let (code, _, err) = run(place.path(), &words);
            assert_eq!(code, expected, "cordon {command} {arguments}\n{err}");
        }
        let (code, out, err) = run(place.path(), &[command, "--no-such-option"]);
        assert_eq!((code, out.as_str()), (2, ""), "cordon {command}");
        assert!(err.starts_with("error: "), "{err}");
    }
}

#[test]
fn the_table_has_all_commands() {
    let (code, help, _) = run(root(), &["--help"]);
    assert_eq!(code, 0);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let listed = commands.lines().take_while(|line| !line.is_empty());
    // What a command does is wrapped onto lines of its own, further to the right.
    let listed: BTreeSet<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let tested: BTreeSet<&str> = COMMANDS.iter().map(|(command, ..)| *command).collect();
    assert_eq!(listed, tested);
}
