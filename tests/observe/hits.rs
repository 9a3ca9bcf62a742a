//! `hits`: each format, what is not measured, two times, and files that cannot be used.

use super::{FILES, answer, directory, run, sample};

/// The state and packets of each statement.
fn states(arguments: &[&str]) -> Vec<(String, String, u64)> {
    let result = answer("hits", arguments);
    let statements = result["statements"].as_array().unwrap().iter();
    let word = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap().to_owned();
    statements.map(|one| (word(one, "id"), word(one, "state"), one["packets"].as_u64().unwrap())).collect()
}

/// The state of one statement.
fn state(arguments: &[&str], id: &str) -> String {
    states(arguments).into_iter().find(|(own, ..)| own == id).unwrap().1
}

/// Files with counters, one for each of some enforcement points, with one text replaced in one of them.
fn changed(names: &[&str], file: &str, from: &str, to: &str) -> (tempfile::TempDir, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for name in names {
        let text = sample(&format!("{name}.txt"));
        assert!(*name != file || text.contains(from), "{file} has no {from}");
        let text = if *name == file { text.replace(from, to) } else { text };
        let path = place.path().join(format!("{name}.txt"));
        std::fs::write(&path, text).unwrap();
        paths.push(path.to_string_lossy().into_owned());
    }
    (place, paths)
}

fn from(paths: &[String]) -> Vec<&str> {
    ["--from"].into_iter().chain(paths.iter().map(String::as_str)).collect()
}

const REMOTE: &str = "remote-support-by-the-vendor-of-the-pumps";

#[test]
fn every_platform_counts_by_statement() {
    let (_place, paths) = changed(&FILES, "", "", "");
    let expected = [
        ("admin", "used", 5),
        ("callback", "unused", 0),
        ("data", "used", 1207),
        ("no-telnet", "used", 2),
        (REMOTE, "unused", 0),
        ("updates", "used", 1803),
        ("viewer", "used", 9),
    ];
    let expected = expected.map(|(id, state, packets)| (id.to_owned(), state.to_owned(), packets));
    assert_eq!(states(&from(&paths)), expected);
    let table = run("hits", &[&from(&paths)[..], &["--format", "csv"]].concat(), b"").1;
    for row in [
        "data,allow,ward.cordon:14:7,biomed,used,dist,12,,",
        "viewer,allow,ward.cordon:17:7,nursing,used,gate,9,540,",
    ] {
        assert!(table.lines().any(|line| line == row), "{table}");
    }
}

#[test]
fn a_use_is_seen_on_each_platform_alone() {
    for (file, text, with, id) in [
        (
            "core",
            "packets 0 bytes 0 comment \"callback\"",
            "packets 4 bytes 9 comment \"callback\"",
            "callback",
        ),
        ("dist", "10.1.0.16 0.0.0.15 eq 3614\n", "10.1.0.16 0.0.0.15 eq 3614 (4 matches)\n", "callback"),
        ("edge", "Evaluations: 7         Packets: 0 ", "Evaluations: 7         Packets: 4 ", REMOTE),
        ("gate", "packets 0 bytes 0 comment \"admin\"", "packets 4 bytes 9 comment \"admin\"", "admin"),
    ] {
        let (_place, paths) = changed(&[file], file, text, with);
        let found = states(&from(&paths)).into_iter().find(|(own, ..)| own == id).unwrap();
        assert_eq!(found, (id.to_owned(), "used".to_owned(), 4), "{file}");
    }
}

#[test]
fn nothing_is_unused_that_was_not_measured() {
    let all = |names: &[&str]| changed(names, "", "", "");
    // Pumps are attached to a switch, and servers to the core; one of them has to prove it.
    let (_place, paths) = all(&["core"]);
    assert_eq!(state(&from(&paths), "callback"), "unused");
    let (_place, paths) = all(&["dist", "edge", "gate"]);
    assert_eq!(state(&from(&paths), "callback"), "not-measured");
    assert_eq!(state(&from(&paths), REMOTE), "unused");
    let text = run("hits", &from(&paths), b"").1;
    assert!(text.contains("the counters of core were not given"), "{text}");
    // A device that does not know the statement, or shows but a part of its counters.
    let (_place, paths) = changed(&["core"], "core", "comment \"callback\"", "comment \"other\"");
    assert_eq!(state(&from(&paths), "callback"), "not-measured");
    let text = run("hits", &from(&paths), b"").1;
    assert!(text.contains("a statement `other` is not of this policy as it is now: 0 packets"), "{text}");
    let (_place, paths) = changed(
        &["gate"],
        "gate",
        "[9:540] -A cordon-pair/eth1/eth0 -m",
        "[0:0] -A cordon-pair/eth1/eth0 -m",
    );
    let sets = sample("gate.txt").split("COMMIT\n").nth(1).unwrap().to_owned();
    let rules = sample("gate.txt").replace(&sets, "");
    std::fs::write(&paths[0], rules).unwrap();
    assert_eq!(state(&from(&paths), "viewer"), "not-measured");
    std::fs::write(&paths[0], sets.replace("packets 9", "packets 0")).unwrap();
    assert_eq!(state(&from(&paths), "viewer"), "unused");
}

#[test]
fn a_list_that_somebody_changed_counts_for_nothing() {
    let entry = "    60 permit tcp 10.1.0.16 0.0.0.15 host 10.2.0.10 eq 3613 (12 matches)\n";
    let (_place, paths) =
        changed(&["dist"], "dist", entry, &format!("    55 permit udp any any (9 matches)\n{entry}"));
    assert_eq!(state(&from(&paths), "data"), "not-measured");
    let text = run("hits", &from(&paths), b"").1;
    assert!(text.contains("CORDON-Vlan10-IN-4-df208178, which was changed by hand"), "{text}");
}

#[test]
fn an_earlier_time_is_taken_away_and_a_new_beginning_is_said() {
    let (_before, then) = changed(&["core"], "", "", "");
    let (_after, now) = changed(&["core"], "core", "packets 1207 ", "packets 1300 ");
    let both = |now: &[String], then: &[String]| -> Vec<String> {
        [&["--from".to_owned()], now, &["--since".to_owned()], then].concat()
    };
    let arguments = both(&now, &then);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let found = states(&arguments);
    assert!(found.contains(&("data".to_owned(), "used".to_owned(), 93)), "{found:?}");
    assert_eq!(state(&arguments, "updates"), "unused");
    // The other way round a counter went down.
    let arguments = both(&then, &now);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(state(&arguments, "callback"), "not-measured");
    assert_eq!(state(&arguments, "updates"), "used");
    assert!(run("hits", &arguments, b"").1.contains("began to count anew since the earlier counts"));
    // A counter that was not there before has not counted all the time.
    let (_before, then) = changed(&["core"], "core", "comment \"callback\"", "comment \"old\"");
    let text = sample("core.txt")
        .replace("10.2.0.10 . 10.1.0.16/28 . tcp . 3614", "10.2.0.10 . 10.1.0.16/29 . tcp . 3614");
    std::fs::write(&then[0], text).unwrap();
    let arguments = both(&now, &then);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(state(&arguments, "callback"), "not-measured");
}

#[test]
fn what_cannot_be_used_is_refused_with_the_way_out() {
    let place = directory(&[
        ("empty", ""),
        ("noise", "hello\n\u{202e}"),
        ("half.json", "{\"nftables\": ["),
        ("core.txt", &sample("core.txt")),
        ("twice.txt", &sample("core.txt")),
        ("stateless.txt", "table inet cordon {\n}\n"),
    ]);
    let path = |name: &str| place.path().join(name).to_string_lossy().into_owned();
    let [core, twice, gate] = [path("core.txt"), format!("core={}", path("twice.txt")), path("core.txt")];
    let cases: [(&[&str], &str); 10] = [
        (&["--from", &path("missing")], "No such file"),
        (&["--from", &path("empty")], "no list of counters that cordon knows"),
        (&["--from", &path("noise")], "no list of counters that cordon knows"),
        (&["--from", &path("half.json")], "EOF while parsing"),
        (&["--from", &path("stateless.txt")], "shows no counters"),
        (&["--from", &core, &twice], "another file has counters of ruleset.nft of `core` too"),
        (&["--from", &core, "--device", "gate"], "`gate` has the target iptables"),
        (
            &["--from", &core, "--device", "nobody"],
            "no enforcement point `nobody`; it has core, dist, edge, gate",
        ),
        (&["--from", &gate, "--since", &path("empty")], "no list of counters that cordon knows"),
        (&[], "--from"),
    ];
    for (arguments, expected) in cases {
        let (code, out, err) = run("hits", arguments, b"");
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
}

#[test]
fn line_ends_and_marks_of_another_system_change_nothing() {
    let (_place, paths) = changed(&FILES, "", "", "");
    let expected = states(&from(&paths));
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, format!("\u{feff}{}", text.trim_end().replace('\n', "\r\n"))).unwrap();
    }
    assert_eq!(states(&from(&paths)), expected);
}

#[test]
fn only_unused_access_can_be_asked_for() {
    let (_place, paths) = changed(&FILES, "", "", "");
    let unused: Vec<&str> = [&from(&paths)[..], &["--unused"]].concat();
    let ids: Vec<String> = states(&unused).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, ["callback", REMOTE]);
    assert_eq!(run("hits", &[&unused[..], &["--exit-code"]].concat(), b"").0, 1);
}
