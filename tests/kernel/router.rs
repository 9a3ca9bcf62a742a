//! The router of the frame lab: its interfaces, routes and kernel settings, and its table of connections.
//!
//! Each interface is one end of a veth pair whose far end stands for the network behind it. All prefixes are routed
//! through one next hop an interface and family, so that thousands of destinations need two neighbours each, and no
//! neighbour is ever asked for: the interfaces have ARP off.

use std::fmt::Write;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::lab::{Interface, Invocation};
use super::worker::call;

/// One end of a link that no firewall looks at, and the other.
pub(super) const SENTINEL: (&str, &str) = ("lab-s0", "lab-s1");

/// The name of the far end of the interface at `index`.
pub(super) fn far_end(index: usize) -> String {
    format!("lab-h{index}")
}

/// Builds the router in the current namespace.
///
/// # Errors
/// What `ip` said, or the setting that could not be written.
pub(super) fn set_up(interfaces: &[Interface]) -> Result<(), String> {
    for name in ["all", "default"] {
        set("ipv4/conf", name, "rp_filter", "0")?;
        set("ipv4/conf", name, "send_redirects", "0")?;
        set("ipv6/conf", name, "accept_dad", "0")?;
    }
    // A frame must be handled on the processor that sent it, or the barrier in `wire` proves nothing.
    let steering = PathBuf::from("/proc/sys/net/core/rps_default_mask");
    if steering.exists() {
        fs::write(&steering, "0").map_err(|error| format!("{}: {error}", steering.display()))?;
    }
    batch(&links(interfaces))?;
    let mut ends: Vec<String> = (0..interfaces.len()).map(far_end).collect();
    ends.extend([SENTINEL.0.to_owned(), SENTINEL.1.to_owned()]);
    for name in &ends {
        set("ipv6/conf", name, "disable_ipv6", "1")?;
    }
    ends.extend(interfaces.iter().map(|interface| interface.name.clone()));
    bring_up(interfaces, &ends)?;
    batch(&addresses_and_routes(interfaces))?;
    wait_for_addresses()?;
    set("ipv4", "", "ip_forward", "1")?;
    set("ipv6/conf", "all", "forwarding", "1")
}

/// Forgets all connections of the current namespace, of both families: `IPCTNL_MSG_CT_DELETE` that names none.
///
/// # Errors
/// The kernel refused.
pub(super) fn flush_connections() -> Result<(), String> {
    const NLMSG_ERROR: u16 = 2;
    let failed = |error| format!("connections cannot be flushed: {error}");
    let netlink =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::empty(), SockProtocol::NetlinkNetFilter)
            .map_err(failed)?;
    let (subsystem, delete, request_acknowledged) = (1_u16 << 8, 2_u16, 0x05_u16);
    let request = [
        &20_u32.to_ne_bytes()[..],
        &(subsystem | delete).to_ne_bytes(),
        &request_acknowledged.to_ne_bytes(),
        &[0; 12],
    ];
    send(netlink.as_raw_fd(), &request.concat(), MsgFlags::empty()).map_err(failed)?;
    let mut answer = [0; 256];
    recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty()).map_err(failed)?;
    let kind = answer.get(4..6).map(<[u8]>::to_vec);
    let error = answer.get(16..20).map(<[u8]>::to_vec);
    if kind == Some(NLMSG_ERROR.to_ne_bytes().to_vec()) && error == Some(vec![0; 4]) {
        return Ok(());
    }
    Err(format!("connections cannot be flushed: the kernel answered {kind:?} {error:?}"))
}

/// Runs lines of `ip -batch`.
///
/// # Errors
/// What `ip` said.
pub(super) fn batch(lines: &str) -> Result<(), String> {
    call(&Invocation::new("ip", &["-batch", "-"]).input(lines)).map(|_output| ())
}

/// Writes a setting of the current namespace, `/proc/sys/net/GROUP/NAME/KEY`.
///
/// # Errors
/// It cannot be written.
pub(super) fn set(group: &str, name: &str, key: &str, value: &str) -> Result<(), String> {
    let path = PathBuf::from("/proc/sys/net").join(group).join(name).join(key);
    fs::write(&path, value).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns once every one of these interfaces is fit to send. Until then the kernel, which learns of a carrier later
/// and elsewhere, accepts frames and drops them. What follows must change an interface or a route, and so wait for the
/// lock under which that is done.
///
/// # Errors
/// One of them does not come up.
pub(super) fn wait_for_links(names: &[String]) -> Result<(), String> {
    wait_until_none(|| {
        let links = call(&Invocation::new("ip", &["-o", "link"]))?;
        let is_up = |name: &&String| {
            let named = |line: &&str| line.split([':', '@']).nth(1).is_some_and(|word| word.trim() == *name);
            links.lines().find(named).is_some_and(|line| line.contains(" state UP "))
        };
        let down = names.iter().find(|name| !is_up(name));
        Ok(down.map(|name| format!("`{name}` does not come up:\n{links}")))
    })
}

/// Returns once every IPv6 address of the current namespace is in use, which the kernel sees to after it has accepted
/// the address: each then has its route in the local table.
///
/// # Errors
/// One of them has none.
pub(super) fn wait_for_addresses() -> Result<(), String> {
    wait_until_none(|| {
        let addresses = call(&Invocation::new("ip", &["-6", "-o", "address"]))?;
        let routes = call(&Invocation::new("ip", &["-6", "route", "show", "table", "local"]))?;
        let in_use = routes.lines().filter(|line| line.starts_with("local ")).count();
        let waiting = in_use < addresses.lines().count();
        Ok(waiting.then(|| format!("an address is not in use:\n{addresses}{routes}")))
    })
}

fn wait_until_none(problem: impl Fn() -> Result<Option<String>, String>) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match problem()? {
            None => return Ok(()),
            Some(problem) if Instant::now() > deadline => return Err(problem),
            Some(_) => sleep(Duration::from_millis(2)),
        }
    }
}

fn bring_up(interfaces: &[Interface], ends: &[String]) -> Result<(), String> {
    let mut lines = "link set lo up\n".to_owned();
    for Interface { name, .. } in interfaces {
        push(&mut lines, format_args!("link set {name} arp off"));
    }
    for name in ends {
        push(&mut lines, format_args!("link set {name} up"));
    }
    batch(&lines)?;
    wait_for_links(ends)
}

fn links(interfaces: &[Interface]) -> String {
    let mut lines = format!("link add name {} type veth peer name {}\n", SENTINEL.0, SENTINEL.1);
    for (index, Interface { name, .. }) in interfaces.iter().enumerate() {
        push(&mut lines, format_args!("link add name {name} type veth peer name {}", far_end(index)));
    }
    lines
}

fn addresses_and_routes(interfaces: &[Interface]) -> String {
    let mut lines = String::new();
    for interface in interfaces {
        let name = &interface.name;
        for address in &interface.addresses {
            push(&mut lines, format_args!("address add {address} dev {name} noprefixroute"));
        }
        let rest: &[&str] = if interface.default_route { &["0.0.0.0/0", "::/0"] } else { &[] };
        for prefix in interface.prefixes.iter().map(String::as_str).chain(rest.iter().copied()) {
            let next_hop = if prefix.contains(':') { "fe80::1" } else { "169.254.0.1" };
            push(&mut lines, format_args!("route add {prefix} via {next_hop} dev {name} onlink"));
        }
    }
    lines
}

fn push(lines: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _infallible = writeln!(lines, "{line}");
}
