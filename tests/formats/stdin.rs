//! A policy that comes from standard input.

use super::GOOD;
use crate::support::run;

#[test]
fn it_is_checked_asked_and_built_as_a_file_is() {
    assert_eq!(run(&["check", "-"], GOOD).2, "checked 2 zones and 1 rule in 1 file: 0 errors, 0 warnings\n");
    let (code, out, _) = run(&["explain", "-", "tcp", "10.1.0.1", "10.2.0.10", "3613"], GOOD);
    assert!(code == 0 && out.starts_with("allow") && out.contains("<stdin>:5:7"), "{out}");
    let table = super::directory(&[("p.csv", "proto,src,dst,sport,dport\ntcp,10.1.0.1,10.2.0.10,,3613\n")]);
    let packets = table.path().join("p.csv");
    let (code, out, _) = run(&["query", "-", "--packets", packets.to_str().unwrap()], GOOD);
    assert!(code == 0 && out.ends_with(",allow,data\n"), "{out}");
    let made = table.path().join("made");
    assert_eq!(run(&["build", "-", "--out", made.to_str().unwrap()], GOOD).0, 0);
    assert_eq!(run(&["verify", "-", "--against", made.to_str().unwrap()], GOOD).0, 0);
}

#[test]
fn it_is_tested_as_a_file_is() {
    let asserted = GOOD.to_owned() + "assert denied telnet { from ward  to servers  via tcp 23 }\n";
    let (code, out, err) = run(&["test", "-"], &asserted);
    assert!(code == 0 && out.starts_with("<stdin>  1 passed\n"), "{out}{err}");
    // What lies in a directory `tests` where the command runs belongs to no policy from standard input.
    let place =
        super::directory(&[("p.csv", "proto,src,dst,dport,verdict\ntcp,10.1.0.1,10.2.0.10,3613,deny\n")]);
    let packets = place.path().join("p.csv");
    let (code, out, _) = run(&["test", "-", "--tests", packets.to_str().unwrap()], &asserted);
    assert!(code == 1 && out.ends_with("\n1 passed, 1 failed\n"), "{out}");
}

#[test]
fn messages_name_it_as_they_are_told() {
    let bad = "\u{feff}zone x {\r\n";
    for (more, name) in [
        (&[][..], "<stdin>"),
        (&["--stdin-filename", "site/a.cordon"], "site/a.cordon"),
        (&["--stdin-filename", "a\u{1b}[2J\u{202e}.cordon"], "a?[2J?.cordon"),
    ] {
        let (code, _, err) = run(&[&["check", "-", "--format", "concise"], more].concat(), bad);
        assert_eq!(code, 1);
        assert!(err.starts_with(&format!("{name}:1:8: error[C0002]: ")), "{err}");
    }
}

#[test]
fn what_needs_a_directory_is_refused() {
    let (code, _, err) = run(&["check", "-"], "include \"more.cordon\"\ninventory pumps { }\n");
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("`more.cordon` cannot be included") && err.contains("`pumps` has no table"),
        "{err}"
    );
    for (arguments, says) in [
        (&["build", "-"][..], "`--out`"),
        (&["report", "-"], "`--out`"),
        (&["query", "-", "--packets", "-"], "not both"),
        (&["check", "-", "--watch"], "cannot be watched"),
        (&["check", "-", "--stdin-filename", ""], "a value is required"),
    ] {
        let (code, out, err) = run(arguments, GOOD);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(says), "{err}");
    }
}
