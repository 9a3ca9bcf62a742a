//! Configs as the kernel lists them after it loaded them: a second reading of a text, by those who define what it means.

use std::io::Write;
use std::process::{Command, Stdio};

/// What is to be loaded in a network namespace of its own: `None` if it is refused.
fn run(script: &str, input: &str) -> Option<String> {
    let option = if nix::unistd::geteuid().is_root() { "-n" } else { "-rn" };
    let mut child = Command::new("unshare")
        .args([option, "sh", "-euc", script])
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// A ruleset of nftables as the kernel lists it.
pub(super) fn nftables(ruleset: &str) -> Option<String> {
    run("nft -f - && nft -s list ruleset", ruleset)
}

/// Rules for both families with their sets, as the kernel lists them.
pub(super) fn iptables(v4: &str, v6: &str, sets: &str) -> Option<[String; 3]> {
    const MARK: &str = "#### next ####\n";
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let [v4, v6, sets] = [path("v4", v4), path("v6", v6), path("sets", sets)];
    let mark = MARK.trim_end();
    let script = format!(
        "ipset restore <{sets}; iptables-restore <{v4}; ip6tables-restore <{v6}; \
         iptables-save -t mangle; echo '{mark}'; ip6tables-save -t mangle; echo '{mark}'; ipset save"
    );
    let listing = run(&script, "")?;
    let parts: Vec<&str> = listing.split(MARK).collect();
    let [v4, v6, sets] = parts[..] else { panic!("{listing}") };
    Some([v4, v6, sets].map(str::to_owned))
}
