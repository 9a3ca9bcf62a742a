//! Colour, width, progress and quiet, on a terminal and without one.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

use super::{GOOD, command, directory, run};
use crate::support::{AS_OF, hospital};

/// What a command says on a terminal of so many columns, standard output apart.
fn on_terminal(directory: &Path, arguments: &[&str], columns: u16, environment: &[(&str, &str)]) -> String {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(Some(&size), None).unwrap();
    let mut command = command(directory, arguments);
    command.env("TERM", "xterm").envs(environment.iter().copied());
    command.stdout(Stdio::null()).stderr(pty.slave);
    let mut child = command.spawn().unwrap();
    // The command holds the other side of the terminal; without this, reading would never end.
    drop(command);
    let mut said = Vec::new();
    // A terminal whose other side is closed gives an error, which is its end.
    let _ = std::fs::File::from(pty.master).read_to_end(&mut said);
    child.wait().unwrap();
    String::from_utf8(said).unwrap()
}

const BAD: &str = "zone ward { net 10.1.0.0/24 }\nallow x { from ward  to nowhere  via tcp 1 }\n";

#[test]
fn colour_is_decided_by_the_option_then_the_environment_then_the_terminal() {
    let policy = directory(&[("a.cordon", BAD)]);
    let check = |environment: &[(&str, &str)], more: &[&str]| {
        let arguments = [&["check", "."], more].concat();
        let output = command(policy.path(), &arguments).envs(environment.iter().copied()).output().unwrap();
        let terminal = on_terminal(policy.path(), &arguments, 100, environment);
        (String::from_utf8(output.stderr).unwrap().contains('\u{1b}'), terminal.contains("\u{1b}[3"))
    };
    for (environment, more, redirected, terminal) in [
        (&[][..], &[][..], false, true),
        (&[], &["--color", "always"], true, true),
        (&[], &["--color=never"], false, false),
        (&[("NO_COLOR", "1")], &[], false, false),
        (&[("NO_COLOR", "")], &[], false, true),
        (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], &[], false, false),
        (&[("NO_COLOR", "1")], &["--color", "always"], true, true),
        (&[("FORCE_COLOR", "1")], &[], true, true),
        (&[("CLICOLOR_FORCE", "1")], &[], true, true),
        (&[("CLICOLOR", "0")], &[], false, false),
        (&[("TERM", "dumb")], &[], false, false),
    ] {
        assert_eq!(check(environment, more), (redirected, terminal), "{environment:?} {more:?}");
    }
}

#[test]
fn documents_have_no_colour_even_if_it_is_asked_for() {
    let policy = directory(&[("a.cordon", BAD)]);
    for format in ["concise", "json", "sarif", "junit", "github", "gitlab"] {
        let (_, out, err) = run(policy.path(), &["--color", "always", "check", ".", "--format", format]);
        assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{format}:\n{out}{err}");
    }
}

#[test]
fn messages_are_as_wide_as_the_terminal() {
    // Without a firewall, which brings a warning with a long help.
    let policy = directory(&[("a.cordon", "zone ward { net 10.1.0.0/24 }\nzone lab { net 10.2.0.0/24 }\n")]);
    // Excerpts are not wrapped, since they are what stands in the file, and the summary is one line; the rest is.
    let widest = |text: &str| {
        let is_prose = |line: &&str| {
            !line.contains('│') && !line.contains('·') && !line.contains('╭') && !line.contains(" warning")
        };
        text.lines().filter(is_prose).map(|line| line.trim_end().chars().count()).max().unwrap()
    };
    let piped = |columns: Option<&str>| {
        let mut command = command(policy.path(), &["check", "."]);
        columns.map(|columns| command.env("COLUMNS", columns));
        widest(&String::from_utf8(command.output().unwrap().stderr).unwrap())
    };
    let terminal =
        |columns| widest(&on_terminal(policy.path(), &["check", ".", "--color", "never"], columns, &[]));
    let (narrow, usual, wide) = (piped(Some("60")), piped(None), piped(Some("200")));
    assert!(narrow <= 60 && narrow < usual && usual <= 100 && usual < wide, "{narrow} {usual} {wide}");
    assert_eq!((terminal(60), terminal(200)), (narrow, wide));
    for odd in ["0", "-1", "", "many", "99999999999999999999999"] {
        assert_eq!(piped(Some(odd)), usual, "{odd}");
    }
    assert!(piped(Some("1")) <= 40);
}

/// What a command says that waits on a terminal for its policy, until it has said `awaited` or `patience` has passed.
fn kept_waiting(
    arguments: &[&str],
    environment: &[(&str, &str)],
    awaited: &str,
    patience: Duration,
) -> String {
    let pty = openpty(None, None).unwrap();
    let here = tempfile::tempdir().unwrap();
    let mut command = command(here.path(), arguments);
    command.env("TERM", "xterm").envs(environment.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(pty.slave).spawn().unwrap();
    drop(command);
    let (sender, parts) = channel();
    let mut screen = std::fs::File::from(pty.master);
    let reader = std::thread::spawn(move || {
        let mut part = [0; 4_096];
        while let Ok(length @ 1..) = screen.read(&mut part) {
            let _ = sender.send(part[..length].to_vec());
        }
    });
    let (start, mut said) = (Instant::now(), Vec::new());
    while !String::from_utf8_lossy(&said).contains(awaited) {
        let Some(rest) = patience.checked_sub(start.elapsed()) else { break };
        said.extend(parts.recv_timeout(rest).unwrap_or_default());
    }
    child.stdin.take().unwrap().write_all(GOOD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    reader.join().unwrap();
    said.extend(parts.iter().flatten());
    String::from_utf8(said).unwrap()
}

#[test]
fn work_that_lasts_is_shown_on_a_terminal_only() {
    let check = ["check", "-"];
    let summary = "checked 2 zones and 1 rule in 1 file: 0 errors, 0 warnings\r\n";
    let said = kept_waiting(&check, &[], "reading the policy", Duration::from_secs(60));
    assert!(said.contains("reading the policy"), "{said:?}");
    // The line is taken away before anything else is said.
    assert!(said.ends_with(&format!("\r\u{1b}[2K{summary}")), "{said:?}");
    let longer = Duration::from_millis(1_500);
    for (environment, arguments, expected) in [
        (&[("CI", "true")][..], &["check", "-"][..], summary),
        (&[("TERM", "dumb")], &["check", "-"], summary),
        (&[], &["check", "-", "--quiet"], ""),
    ] {
        assert_eq!(kept_waiting(arguments, environment, "reading the policy", longer), expected);
    }
}

#[test]
fn nothing_acts_on_a_terminal_where_there_is_none() {
    let made = tempfile::tempdir().unwrap();
    let made = made.path().join("made").to_string_lossy().into_owned();
    let (code, _, err) = run(&hospital(), &["build", ".", "--out", &made, "--as-of", AS_OF]);
    assert_eq!((code, err.lines().count()), (0, 1), "{err}");
    assert!(err.chars().all(|c| c == '\n' || !c.is_control()), "{err:?}");
}

#[test]
fn quiet_leaves_findings_and_nothing_else() {
    let policy = directory(&[("bad/a.cordon", BAD), ("good/a.cordon", GOOD)]);
    let (code, out, err) = run(policy.path(), &["check", "good", "-q"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    let (code, _, err) = run(policy.path(), &["-q", "check", "bad", "--format", "concise"]);
    assert_eq!((code, err.lines().count()), (1, 1), "{err}");
    assert!(err.starts_with("bad/a.cordon:2:25: error[C0101]"), "{err}");
    assert_eq!(run(policy.path(), &["build", "good", "-q"]).2, "");
}
