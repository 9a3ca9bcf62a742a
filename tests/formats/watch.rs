//! `check --watch` on real files, with a bound on every wait.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{GOOD, command, directory, run};

/// How long any one thing may take on a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing has to happen to believe that nothing will: several times the wait for further changes.
const CALM: Duration = Duration::from_millis(800);

/// A command that watches. It is ended with the test, however that ends.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watching {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = command(directory, arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            said.lines().map_while(Result::ok).take_while(|line| sender.send(line.clone()).is_ok()).count()
        });
        Watching { child, lines }
    }

    /// What is said until it waits again.
    fn round(&self) -> String {
        let mut text = String::new();
        loop {
            let line =
                self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nothing more than:\n{text}"));
            if line.starts_with("waiting for changes in ") {
                return text;
            }
            text += &(line + "\n");
        }
    }

    fn assert_calm(&self) {
        let line = self.lines.recv_timeout(CALM);
        assert!(line.is_err(), "{line:?}");
    }
}

#[test]
fn it_checks_again_when_a_file_is_changed_replaced_added_or_removed() {
    let place = directory(&[("site/a.cordon", GOOD)]);
    let watching = Watching::start(place.path(), &["check", "site", "--watch", "--format", "concise"]);
    let policy = place.path().join("site");
    assert!(watching.round().contains("0 errors"));
    watching.assert_calm();

    fs::write(policy.join("a.cordon"), GOOD.to_owned() + "zone x {").unwrap();
    let said = watching.round();
    assert!(said.starts_with("\n--- a.cordon changed\nsite/a.cordon:8:8: error[C0002]"), "{said}");

    // As editors do that write aside first.
    fs::write(policy.join(".a.swp"), GOOD).unwrap();
    fs::rename(policy.join(".a.swp"), policy.join("a.cordon")).unwrap();
    assert!(watching.round().contains("0 errors, 0 warnings"));

    fs::write(policy.join("b.cordon"), "zone y {").unwrap();
    assert!(watching.round().contains("site/b.cordon:1:8: error[C0002]"));
    fs::remove_file(policy.join("b.cordon")).unwrap();
    assert!(watching.round().contains("in 1 file: 0 errors"));
    watching.assert_calm();
}

#[test]
fn what_cordon_writes_into_the_policy_sets_nothing_off() {
    let place = directory(&[("a.cordon", GOOD)]);
    let watching = Watching::start(place.path(), &["check", ".", "--watch"]);
    watching.round();
    for _ in 0..2 {
        assert_eq!(run(place.path(), &["build", "."]).0, 0);
    }
    fs::write(place.path().join(".hidden"), "x").unwrap();
    watching.assert_calm();
    // It still watches.
    fs::write(place.path().join("a.cordon"), "").unwrap();
    assert!(watching.round().contains("0 zones"));
}

#[test]
fn an_interrupt_ends_it_and_so_does_a_policy_that_is_gone() {
    let place = directory(&[("site/a.cordon", GOOD)]);
    let mut watching = Watching::start(place.path(), &["check", "site/a.cordon", "--watch"]);
    watching.round();
    kill(Pid::from_raw(watching.child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(wait(&mut watching).signal(), Some(Signal::SIGINT as i32));
    assert!(watching.lines.recv_timeout(PATIENCE).is_err(), "it says nothing more");

    let mut watching = Watching::start(place.path(), &["check", "site", "--watch"]);
    watching.round();
    fs::remove_dir_all(place.path().join("site")).unwrap();
    assert_eq!(wait(&mut watching).code(), Some(2));
}

fn wait(watching: &mut Watching) -> std::process::ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = watching.child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_cannot_be_watched_is_said() {
    let place = directory(&[("a.cordon", GOOD)]);
    for (arguments, says) in [
        (&["check", ".", "--watch", "--format", "json"][..], "shows text"),
        (&["check", "missing", "--watch"], "cannot watch `missing`"),
    ] {
        let mut watching = Watching::start(place.path(), arguments);
        assert_eq!(wait(&mut watching).code(), Some(2), "{arguments:?}");
        let said: String = watching.lines.iter().collect();
        assert!(said.contains(says), "{said}");
    }
}
