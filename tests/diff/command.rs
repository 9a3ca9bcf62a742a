//! The command against a repository of git, and its forms.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const POLICY: &str = "
policy \"small\"
zone ward { net 10.1.0.0/24 }
zone servers { net 10.2.0.0/24   phi store }
peer pump_srv in servers { host 10.2.0.10 }
allow data { from ward  to pump_srv  via tcp 3613   owner biomed   reason \"drug library\" }
manage admin { from servers  via tcp 22 }
firewall core { target nftables   interface eth0 zone ward   interface eth1 zone servers }
";

fn git(directory: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
    let output =
        Command::new("git").arg("-C").arg(directory).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with a policy in `policy/`, on `main`, and a branch `feature` that opens another port.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("policy")).unwrap();
    fs::write(root.join("policy/a.cordon"), POLICY).unwrap();
    git(root, &["init", "-q"]);
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "One"]);
    git(root, &["checkout", "-q", "-b", "feature"]);
    fs::write(root.join("policy/a.cordon"), POLICY.replace("tcp 3613", "tcp 3613, 443")).unwrap();
    git(root, &["commit", "-q", "-a", "-m", "Two"]);
    git(root, &["checkout", "-q", "main"]);
    directory
}

fn diff(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordon"));
    let Output { status, stdout, stderr } =
        command.current_dir(directory).arg("diff").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

const NONE: &str = "no change in access: the same connections are open at the same times\n";

#[test]
fn the_last_commit_and_the_working_tree_are_compared_and_the_repository_is_left_alone() {
    let repository = repository();
    let policy = repository.path().join("policy");
    assert_eq!(diff(&policy, &["--exit-code"]), (0, NONE.to_owned(), String::new()));
    fs::write(policy.join("a.cordon"), POLICY.replace("tcp 3613", "tcp 3614")).unwrap();
    let index = fs::read(repository.path().join(".git/index")).unwrap();
    let (code, out, err) = diff(&policy, &["--exit-code"]);
    assert_eq!((code, err.as_str()), (1, ""));
    for expected in [
        "access changes: 1 opened (1 to look at first), 1 closed\n",
        "  ! to a store of PHI: pump_srv\n  + from    zone ward\n    to      pump_srv in servers\n    over    tcp 3614\n",
        "  - from    zone ward\n    to      pump_srv in servers\n    over    tcp 3613\n",
        "why     statement changed: via: data (new a.cordon:6:7)\n            owner biomed, reason drug library\n",
        "  core: ",
    ] {
        assert!(out.contains(expected), "{expected}\n{out}");
    }
    assert_eq!(diff(&policy, &[]).0, 0, "without --exit-code it was asked and answered");
    assert_eq!(fs::read(repository.path().join(".git/index")).unwrap(), index);
}

#[test]
fn revisions_and_ranges_are_compared_as_git_takes_them() {
    let repository = repository();
    let root = repository.path();
    for arguments in [
        &["main..feature", "--policy", "policy"][..],
        &["main", "feature", "--policy", "policy"],
        &["..feature", "--policy", "policy/a.cordon"],
        &["main...feature", "--policy", "policy"],
    ] {
        let (code, out, err) = diff(root, &[arguments, &["--exit-code"]].concat());
        assert_eq!(code, 1, "{err}");
        assert!(
            out.contains("1 opened (1 to look at first), 0 closed\n") && out.contains("over    tcp 443\n"),
            "{out}"
        );
    }
    let (code, out, _) = diff(root, &["feature..main", "--policy", "policy"]);
    assert!(code == 0 && out.contains("0 opened, 1 closed"), "{out}");
    let (code, out, _) = diff(root, &["feature", "--policy", "policy"]);
    assert!(code == 0 && out.contains("0 opened, 1 closed"), "{out}");
}

#[test]
fn what_cannot_be_compared_exits_with_2_and_says_why() {
    let repository = repository();
    let policy = repository.path().join("policy");
    let (code, out, err) = diff(&policy, &["mian"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("cordon: `mian` is not a revision of the repository: name a revision"), "{err}");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.cordon"), POLICY).unwrap();
    let (code, _, err) = diff(outside.path(), &[]);
    assert!(code == 2 && err.contains("`.` is not in a git repository"), "{err}");
    fs::create_dir(repository.path().join("new")).unwrap();
    fs::write(repository.path().join("new/a.cordon"), POLICY).unwrap();
    let (code, _, err) = diff(repository.path(), &["--policy", "new"]);
    assert!(code == 2 && err.contains("the policy's directory `new/` is not in `HEAD`"), "{err}");
    let (code, _, err) = diff(&policy, &["--output=x"]);
    assert_eq!(code, 2, "{err}");
    fs::write(policy.join("a.cordon"), POLICY.replace("from ward", "from wadr")).unwrap();
    let (code, out, err) = diff(&policy, &["--exit-code"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("did you mean `ward`?"), "{err}");
    assert!(
        err.ends_with("cordon: the new policy (working tree): 1 error, so nothing is compared\n"),
        "{err}"
    );
}

#[test]
fn directories_are_compared_in_every_form() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(old.path().join("a.cordon"), POLICY).unwrap();
    let hostile = POLICY.replace("tcp 3613", "tcp 443").replace("drug library", "<b> | @all [x](y) `z` # h");
    fs::write(new.path().join("a.cordon"), hostile).unwrap();
    let (old, new) = (old.path().to_str().unwrap(), new.path().to_str().unwrap());
    let at = Path::new(old);
    let (code, out, err) = diff(at, &[old, new, "--format", "markdown", "--text"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("### Access changes: 1 opened (1 to look at first), 1 closed\n"), "{out}");
    assert!(out.contains("reason &lt;b&gt; \\| \\@all \\[x\\](y) \\`z\\` # h |\n"), "{out}");
    assert!(out.contains("\n    --- old/core/ruleset.nft\n    +++ new/core/ruleset.nft\n"), "{out}");
    let (code, out, _) = diff(at, &[old, new, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert_eq!(json["command"], "diff");
    let row = &json["result"]["access"]["opened"][0];
    assert_eq!((&row["to"][0]["members"][0], &row["ports"]), (&"pump_srv".into(), &"tcp 443".into()));
    assert_eq!(json["result"]["devices"][0]["device"], "core");
    let (_, out, _) = diff(at, &[old, new, "--text"]);
    assert!(out.contains("\n--- old/core/ruleset.nft\n+++ new/core/ruleset.nft\n@@ "), "{out}");
}
