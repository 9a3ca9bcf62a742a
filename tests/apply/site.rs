//! A router with a host on each side, each in a network namespace, that all go away with the process that made them.
//!
//! `ward` (10.1.0.2) - `core` - `servers` (10.2.0.10), and the operator (10.3.0.2), whose namespace is the outer one. What is
//! written to `/run` stays inside too.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};

const SET_UP: &str = "
set -e
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/sshd
ip link set lo up
for name in core ward servers; do
    ip netns add $name
    ip -n $name link set lo up
done
link() {
    ip link add $2 netns core type veth peer name near netns $1
    ip -n core addr add $3.1/24 dev $2
    ip -n $1 addr add $3.$4/24 dev near
    ip -n core addr add $5::1/64 dev $2 nodad
    ip -n $1 addr add $5::$4/64 dev near nodad
    ip -n core link set $2 up
    ip -n $1 link set near up
}
link ward eth0 10.1.0 2 2001:db8:1
link servers eth1 10.2.0 10 2001:db8:2
ip link add eth2 netns core type veth peer name near
ip -n core addr add 10.3.0.1/24 dev eth2
ip addr add 10.3.0.2/24 dev near
ip -n core link set eth2 up
ip link set near up
ip route add default via 10.3.0.1
ip -n ward route add default via 10.1.0.1
ip -n servers route add default via 10.2.0.1
ip netns exec core sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
ip netns exec core sh -c 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct || :'
echo ready
read -r end
";

/// The policy of the router: the ward reaches a server over UDP and one port of TCP, and the operator the router and servers.
pub(super) fn policy(target: &str, port: u16, manage: bool) -> String {
    let manage = if manage { "manage { from admin to core via ssh }\n" } else { "" };
    format!(
        "policy \"Ward\"
zone ward    {{ net 10.1.0.0/24, 2001:db8:1::/64 }}
zone servers {{ net 10.2.0.0/24, 2001:db8:2::/64 }}
zone admin   {{ net 10.3.0.0/24 }}
peer pump_srv in servers {{ host 10.2.0.10, 2001:db8:2::10 }}
service data   {{ tcp {port} }}
service stream {{ udp 7000 }}
service ssh    {{ tcp 22 }}
allow data-arrives {{ from ward, admin to pump_srv via data   reason \"the pumps report\" }}
allow streaming    {{ from ward to pump_srv via stream   reason \"a steady stream\" }}
{manage}firewall core {{ target {target}   interface eth0 zone ward   interface eth1 zone servers   interface eth2 zone admin }}
"
    )
}

pub(super) struct Site {
    holder: Child,
    directory: tempfile::TempDir,
    target: &'static str,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill_all();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Site {
    pub(super) fn new(target: &'static str) -> Self {
        let mut holder = Command::new("unshare")
            .args(["-n", "-m", "--propagation", "private", "sh", "-c", SET_UP])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .env("PATH", path())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Site { holder, directory: tempfile::tempdir().unwrap(), target }
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Where the device keeps its files.
    pub(super) fn device_directory(&self) -> String {
        self.path("device")
    }

    pub(super) fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A command in a namespace; that of the operator has no name.
    pub(super) fn command(&self, namespace: &str, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args([
            &format!("--mount=/proc/{}/ns/mnt", self.holder.id()),
            &format!("--net={}", self.net(namespace)),
        ]);
        command.arg(program).args(arguments).env("PATH", path());
        command
    }

    fn net(&self, namespace: &str) -> String {
        match namespace {
            "" => format!("/proc/{}/ns/net", self.holder.id()),
            name => format!("/proc/{}/root/run/netns/{name}", self.holder.id()),
        }
    }

    /// Standard output of a tool in a namespace, which must succeed.
    pub(super) fn run(&self, namespace: &str, program: &str, arguments: &[&str]) -> String {
        let output = self.command(namespace, program, arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn cordon(&self, namespace: &str, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(namespace, env!("CARGO_BIN_EXE_cordon"), arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that does not ask closes its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Plans a policy for the router; gives the file.
    pub(super) fn plan(&self, name: &str, policy: &str, to: &[&str]) -> String {
        let (file, out) = (self.write(&format!("{name}.cordon"), policy), self.path(&format!("{name}.plan")));
        let directory = self.device_directory();
        let arguments =
            ["plan", &file, "--allow", "C0507", "--device", "core", "--directory", &directory, "--out", &out];
        let namespace = if to.contains(&"local") { "core" } else { "" };
        let output = self.cordon(namespace, &[&arguments[..], to].concat(), "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        out
    }

    /// Plans and applies on the router itself.
    pub(super) fn put(&self, name: &str, policy: &str) {
        let plan = self.plan(name, policy, &["--to", "local"]);
        let output = self.cordon("core", &["apply", &plan, "--yes"], "");
        assert!(output.status.success(), "{}", text(&output));
        self.settle();
    }

    /// What the router filters by, one text a family, in which the counters and generations of sets make no difference.
    pub(super) fn rules(&self) -> [String; 2] {
        if self.target == "nftables" {
            let listed = self.run("core", "nft", &["-s", "list", "ruleset"]);
            return [listed.clone(), listed];
        }
        // Rules and sets are listed one after the other. Where the rules are the same before and behind the sets, they held
        // on to the sets that they look up all the while.
        let listed = || {
            ["iptables-save", "ip6tables-save"].map(|tool| {
                let listed = self.run("core", tool, &["-t", "mangle"]);
                let kept = listed.lines().filter(|line| !line.starts_with('#'));
                kept.map(|line| line.split(" [").next().unwrap().to_owned()).collect::<Vec<String>>()
            })
        };
        let (mut rules, mut sets) = (listed(), self.run("core", "ipset", &["save"]));
        loop {
            let again = listed();
            if again == rules {
                break;
            }
            (rules, sets) = (again, self.run("core", "ipset", &["save"]));
        }
        rules.map(|mut lines| {
            let listed = lines.join("\n");
            // With the sets of the generation that the rules look up.
            let generations = (1..10).filter(|n| listed.contains(&format!("--match-set cordon{n}.")));
            for generation in generations.collect::<Vec<u32>>() {
                let own = format!(" cordon{generation}.");
                let added = sets.lines().filter(|line| line.starts_with("add") && line.contains(&own));
                let counted = |line: &str| line.split(" packets ").next().unwrap_or_default().to_owned();
                lines.extend(added.map(counted));
                lines.iter_mut().for_each(|line| *line = line.replace(&own, " cordonN."));
            }
            lines.sort();
            lines.dedup();
            lines.join("\n")
        })
    }

    /// The processes of the router.
    pub(super) fn processes(&self) -> Vec<i32> {
        let namespace = fs::metadata(self.net("core")).map(|data| inode(&data)).ok();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            let own = fs::metadata(entry.path().join("ns/net")).map(|data| inode(&data)).ok();
            if own.is_some() && own == namespace && !is_of_this_test(id) {
                found.push(id);
            }
        }
        found
    }

    /// Kills all processes of the router.
    pub(super) fn kill_all(&self) {
        loop {
            let all = self.processes();
            if all.is_empty() {
                return;
            }
            all.into_iter().for_each(kill);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the router has decided everything, which is when no process of it is left.
    pub(super) fn settle(&self) {
        self.wait(Duration::from_secs(40), || self.processes().is_empty());
    }

    #[track_caller]
    pub(super) fn wait(&self, most: Duration, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < most, "it did not come to that within {most:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The last apply that the router knows.
    pub(super) fn last_apply(&self) -> String {
        fs::read_to_string(self.device_directory() + "/pending").unwrap_or_default()
    }

    /// How the last apply was decided: `confirmed`, `restore`, `refused`, or nothing.
    pub(super) fn decision(&self) -> String {
        let device = PathBuf::from(self.device_directory());
        let decided = fs::read_link(device.join(self.last_apply().trim()).join("decision"));
        decided.map(|link| link.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// Runs something in a namespace, on a thread of its own.
    pub(super) fn inside<T: Send>(&self, namespace: &str, work: impl FnOnce() -> T + Send) -> T {
        let file = fs::File::open(self.net(namespace)).unwrap();
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(file, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }

    pub(super) fn listen(&self, namespace: &str, address: &str) -> TcpListener {
        self.inside(namespace, || TcpListener::bind(address).unwrap())
    }

    pub(super) fn connect(&self, namespace: &str, address: &str) -> Option<TcpStream> {
        let address = address.parse().unwrap();
        self.inside(namespace, || TcpStream::connect_timeout(&address, Duration::from_millis(700)).ok())
    }

    pub(super) fn udp(&self, namespace: &str, address: &str) -> UdpSocket {
        self.inside(namespace, || UdpSocket::bind(address).unwrap())
    }
}

/// Kills one process, if it is still there.
pub(super) fn kill(id: i32) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
}

/// A thread that has entered a namespace shows up as this process only where it is the first one.
fn is_of_this_test(id: i32) -> bool {
    u32::try_from(id) == Ok(std::process::id())
}

fn inode(data: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (data.dev(), data.ino())
}

fn path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

pub(super) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// True if a folder has no entry that starts with `apply.`.
pub(super) fn has_no_apply(device: &Path) -> bool {
    let entries = fs::read_dir(device).into_iter().flatten().flatten();
    !entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("apply."))
}
