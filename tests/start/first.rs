//! The first ten minutes of a new user: the section of README.md of this name is run, command by command, and says what
//! they say. Only the installation is stood in for, since it compiles the whole project: it gives the binary under test.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::ci::write_program;
use crate::support::root;

/// A command of the page, and what the page shows of its output.
struct Shown {
    command: String,
    output: Vec<String>,
}

/// What the shell did: the exit code of a command, and what it printed.
struct Done {
    code: i32,
    output: Vec<String>,
}

/// The commands of a section of a page, in order.
fn commands(page: &str, heading: &str) -> Vec<Shown> {
    let section = page.split(&format!("## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut shown: Vec<Shown> = Vec::new();
    let mut lines = section.lines().peekable();
    while let Some(line) = lines.next() {
        match line.strip_prefix("    ") {
            Some(code) => match code.strip_prefix("$ ") {
                Some(command) => shown.push(Shown { command: command.to_owned(), output: Vec::new() }),
                None => shown.last_mut().unwrap().output.push(code.to_owned()),
            },
            // An empty line within a block is part of the output; behind one it is not.
            None if line.is_empty() && lines.peek().is_some_and(|next| next.starts_with("    ")) => {
                shown.iter_mut().last().into_iter().for_each(|last| last.output.push(String::new()));
            }
            None => {}
        }
    }
    for shown in &mut shown {
        while shown.output.last().is_some_and(String::is_empty) {
            shown.output.pop();
        }
    }
    shown
}

/// Runs all commands in one shell, as somebody types them one after the other; no command sees the home or the network of
/// the machine.
fn run(shown: &[Shown], place: &Path) -> Vec<Done> {
    const MARK: &str = "-- exit code ";
    let typed = |shown: &Shown| format!("{}\ncode=$?; echo \"{MARK}$code\"; (exit $code)\n", shown.command);
    let script: String = shown.iter().map(typed).collect();
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", &format!("exec 2>&1\n{script}")])
        .current_dir(place.join("checkout"))
        .env_clear()
        .env("PATH", format!("{}:{}", place.join("bin").display(), std::env::var("PATH").unwrap()))
        .env("HOME", place)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut done = Vec::new();
    let mut printed = Vec::new();
    for line in text.lines() {
        match line.strip_prefix(MARK) {
            Some(code) => {
                done.push(Done { code: code.parse().unwrap(), output: std::mem::take(&mut printed) });
            }
            None => printed.push(line.to_owned()),
        }
    }
    done
}

/// True if the output is the one that is shown, in which a line of three dots stands for any lines.
fn is_shown(shown: &[String], output: &[String]) -> bool {
    match shown.split_first() {
        None => output.is_empty(),
        Some((dots, rest)) if dots == "..." => {
            (1..=output.len()).any(|skipped| is_shown(rest, &output[skipped..]))
        }
        Some((line, rest)) => {
            output.split_first().is_some_and(|(first, behind)| line == first && is_shown(rest, behind))
        }
    }
}

/// A directory with a checkout, a git that knows its user, and a `cargo` that installs the binary under test.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let checkout = place.path().join("checkout");
    fs::create_dir(&checkout).unwrap();
    fs::copy(root().join("Cargo.toml"), checkout.join("Cargo.toml")).unwrap();
    fs::write(place.path().join(".gitconfig"), "[user]\nname = a\nemail = a@example.org\n").unwrap();
    let install = format!(
        "#!/bin/bash\nset -eu\n[ \"$*\" = \"install --locked --path .\" ]\ngrep -q '^name = \"cordon\"' Cargo.toml\nln -s {} {}\n",
        env!("CARGO_BIN_EXE_cordon"),
        place.path().join("bin/cordon").display()
    );
    write_program(&place.path().join("bin"), "cargo", &install);
    place
}

#[test]
fn the_first_ten_minutes_are_as_shown_and_less_than_one_behind_the_installation() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let shown = commands(&page, "The first ten minutes");
    let place = place();
    let start = Instant::now();
    let done = run(&shown, place.path());
    let taken = start.elapsed();
    assert_eq!(done.len(), shown.len());
    for (at, (Shown { command, output }, done)) in shown.iter().zip(&done).enumerate() {
        assert!(is_shown(output, &done.output), "{command}\nnow says:\n{}", done.output.join("\n"));
        // A command that is not fine is followed by one that shows its exit code.
        let is_asked = shown.get(at + 1).is_some_and(|next| next.command == "echo $?");
        assert_eq!(done.code != 0, is_asked, "{command}: exit code {}", done.code);
    }
    assert!(taken < Duration::from_secs(60), "{taken:?}");
    for command in ["init", "check", "test", "fmt --check", "build", "diff main"] {
        let command = format!("cordon {command}");
        assert!(shown.iter().any(|shown| shown.command.contains(&command)), "{command} is not shown");
    }
    assert!(done.iter().any(|done| done.code == 1), "no red change is shown");
    assert!(place.path().join("clinic/build/core/ruleset.nft").is_file());
}

#[test]
fn an_output_that_is_not_shown_is_told_from_one_that_is() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (shown, output, is) in [
        ("a\nb", "a\nb", true),
        ("a", "a\nb", false),
        ("a\nb", "a", false),
        ("a\n...", "a\nb\nc", true),
        ("a\n...", "a", false),
        ("...\nc", "a\nb\nc", true),
        ("...\nc", "a\nb", false),
        ("", "a", false),
    ] {
        assert_eq!(is_shown(&lines(shown), &lines(output)), is, "{shown:?} {output:?}");
    }
    let page = "## First\n\n    $ a\n    b\n\n    c\n\ntext\n\n    $ d\n\n## Next\n\n    $ e\n";
    let found = commands(page, "First");
    let found: Vec<_> = found.iter().map(|shown| (shown.command.as_str(), shown.output.join("|"))).collect();
    assert_eq!(found, [("a", "b||c".to_owned()), ("d", String::new())]);
}
