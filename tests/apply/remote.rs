//! Applies over ssh, between namespaces.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::site::{Site, has_no_apply, policy, text};
use crate::kernel::require::ready_as_root;

const TOOLS: [&str; 6] = ["nft", "conntrack", "ssh", "sshd", "ssh-keygen", "flock"];

const TO: &str = "ssh://root@10.3.0.1:2222";

/// A router with a server for ssh.
struct Remote {
    site: Site,
    server: Child,
    config: String,
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Remote {
    fn new() -> Self {
        let site = Site::new("nftables");
        for key in ["host", "user"] {
            site.run("", "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &site.path(key)]);
        }
        let server = format!(
            "Port 2222\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nPidFile none\n",
            site.path("host"),
            site.path("user.pub")
        );
        let server = site.write("sshd_config", &server);
        let known = format!("[10.3.0.1]:2222 {}", fs::read_to_string(site.path("host.pub")).unwrap());
        let client = format!(
            "IdentityFile {}\nIdentitiesOnly yes\nUserKnownHostsFile {}\nBatchMode yes\nConnectTimeout 2\n",
            site.path("user"),
            site.write("known", &known)
        );
        let config = site.write("ssh_config", &client);
        // sshd wants to be called by its whole path.
        let program = ["/usr/sbin/sshd", "/usr/bin/sshd", "/sbin/sshd"]
            .into_iter()
            .find(|path| fs::exists(path).unwrap());
        let server = site
            .command("core", program.unwrap(), &["-D", "-q", "-f", &server])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let remote = Remote { site, server, config };
        remote.site.wait(Duration::from_secs(10), || remote.site.connect("", "10.3.0.1:2222").is_some());
        remote
    }

    fn plan(&self, name: &str, policy: &str) -> String {
        self.site.plan(name, policy, &["--to", TO, "--ssh-config", &self.config])
    }

    fn apply(&self, plan: &str, arguments: &[&str], input: &str) -> std::process::Output {
        self.site.cordon("", &[&["apply", plan, "--ssh-config", &self.config], arguments].concat(), input)
    }

    /// Waits until the timers have ended; the server stays.
    fn wait_for_old(&self, old: &[String; 2], most: Duration) {
        self.site.wait(most, || self.site.rules() == *old);
    }
}

fn managed(port: u16) -> String {
    policy("nftables", port, true).replace("service ssh    { tcp 22 }", "service ssh    { tcp 2222 }")
}

#[test]
fn an_apply_over_ssh_is_confirmed_over_a_new_connection() {
    if !ready_as_root("an_apply_over_ssh_is_confirmed_over_a_new_connection", &TOOLS) {
        return;
    }
    let remote = Remote::new();
    let site = &remote.site;
    let listener = site.listen("servers", "10.2.0.10:3613");
    let plan = remote.plan("first", &managed(3613));
    let output = remote.apply(&plan, &["--check", "tcp:10.2.0.10:3613"], "yes\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let old = site.rules();
    assert!(old[0].contains("table inet cordon"));

    let plan = remote.plan("second", &managed(3614));
    let output = remote.apply(&plan, &["--check", "tcp:10.2.0.10:3613", "--yes"], "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("10.2.0.10:3613 does not answer"), "{}", text(&output));
    assert_eq!(site.rules(), old);
    let output = remote.apply(&plan, &[], "no\n");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert_eq!(site.rules(), old);
    drop(listener);
}

#[test]
fn rules_that_cut_off_the_operator_are_taken_back_by_the_device() {
    if !ready_as_root("rules_that_cut_off_the_operator_are_taken_back_by_the_device", &TOOLS) {
        return;
    }
    let remote = Remote::new();
    let plan = remote.plan("first", &managed(3613));
    assert!(remote.apply(&plan, &["--yes"], "").status.success());
    let old = remote.site.rules();
    let plan = remote.plan("second", &policy("nftables", 3614, false));
    let output = remote.apply(&plan, &["--yes", "--confirm-within", "5s"], "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("the old rules are in force on core"), "{}", text(&output));
    assert_eq!(remote.site.rules(), old);
}

#[test]
fn a_device_goes_back_without_a_connection() {
    if !ready_as_root("a_device_goes_back_without_a_connection", &TOOLS) {
        return;
    }
    let remote = Remote::new();
    let site = &remote.site;
    let plan = remote.plan("first", &managed(3613));
    assert!(remote.apply(&plan, &["--yes"], "").status.success());
    let old = site.rules();
    let plan = remote.plan("second", &managed(3614));
    let mut child = site
        .command(
            "",
            env!("CARGO_BIN_EXE_cordon"),
            &["apply", &plan, "--ssh-config", &remote.config, "--confirm-within", "5s"],
        )
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    site.wait(Duration::from_secs(20), || site.rules() != old);
    site.run("", "ip", &["link", "set", "near", "down"]);
    let cut = Instant::now();
    remote.wait_for_old(&old, Duration::from_secs(8));
    assert!(cut.elapsed() > Duration::from_secs(2), "it waits for a confirmation first");
    assert_eq!(site.decision(), "restore");
    // Nobody can confirm what has gone back.
    child.kill().unwrap();
    child.wait().unwrap();
    site.run("", "ip", &["link", "set", "near", "up"]);
    site.run("", "ip", &["route", "replace", "default", "via", "10.3.0.1"]);
    let output = remote.apply(&plan, &["--confirm"], "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert_eq!(site.rules(), old);
}

#[test]
fn sessions_that_lose_access_are_listed_and_cut_and_no_others() {
    if !ready_as_root("sessions_that_lose_access_are_listed_and_cut_and_no_others", &TOOLS) {
        return;
    }
    let remote = Remote::new();
    let site = &remote.site;
    let both = managed(3613).replace("{ tcp 3613 }", "{ tcp 3613, 3614 }");
    assert!(remote.apply(&remote.plan("first", &both), &["--yes"], "").status.success());
    let listeners = [3613, 3614].map(|port| site.listen("servers", &format!("10.2.0.10:{port}")));
    let sessions = [3613, 3614].map(|port| site.connect("ward", &format!("10.2.0.10:{port}")).unwrap());
    let lost = sessions[0].local_addr().unwrap().port();
    let plan = remote.plan("second", &managed(3614));
    let document: serde_json::Value = serde_json::from_str(&fs::read_to_string(&plan).unwrap()).unwrap();
    let listed = document["overview"]["sessions"]["lost"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["ports"], serde_json::json!([lost, 3613]));
    let output = remote.apply(&plan, &["--yes", "--cut-sessions"], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("1 session ended"), "{}", text(&output));
    let left = site.run("core", "conntrack", &["-L", "-p", "tcp"]);
    assert!(!left.contains("dport=3613 ") && left.contains("dport=3614 "), "{left}");
    drop((listeners, sessions));
}

#[test]
fn a_device_that_cannot_be_reached_is_said_with_the_reason() {
    if !ready_as_root("a_device_that_cannot_be_reached_is_said_with_the_reason", &TOOLS) {
        return;
    }
    let mut remote = Remote::new();
    let plan = remote.plan("first", &managed(3613));
    remote.server.kill().unwrap();
    remote.server.wait().unwrap();
    let site = &remote.site;
    let file = site.path("first.cordon");
    let arguments = ["plan", &file, "--device", "core", "--to", TO, "--ssh-config", &remote.config];
    let output = site.cordon("", &arguments, "");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("Connection refused"), "{}", text(&output));
    for option in ["--confirm", "--rollback"] {
        let output = remote.apply(&plan, &[option], "");
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
    assert!(has_no_apply(site.device_directory().as_ref()));
    assert_eq!(site.rules()[0], "");
}
