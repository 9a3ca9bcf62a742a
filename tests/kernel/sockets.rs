//! The socket lab: in go hosts around a router, the calls that load its firewall, and connections to open; out comes
//! whether each carried its bytes both ways.
//!
//! The hosts are network namespaces with the kernel's whole stack, so replies, neighbour discovery and path MTU
//! discovery are the real ones.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns, unshare};
use serde::{Deserialize, Serialize};

use super::lab::Invocation;
use super::router::{batch, set, wait_for_addresses, wait_for_links};
use super::worker::{self, Job};

/// Hosts around one router, the configuration it loads, and the connections to try.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Network {
    /// The hosts, each on a link of its own.
    pub(crate) hosts: Vec<Host>,
    /// Tool calls, run in order in the router's namespace; the first failure ends the run.
    pub(crate) load: Vec<Invocation>,
    /// Connections, opened one after the other.
    pub(crate) exchanges: Vec<Exchange>,
}

/// A host and the link from the router to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Host {
    /// The router's interface on the link, by the policy's name; it also names the host.
    pub(crate) interface: String,
    /// The router's addresses on the link, with prefix length; the host's default routes lead to them.
    pub(crate) router: Vec<String>,
    /// The host's addresses, with prefix length, at most one a family.
    pub(crate) addresses: Vec<String>,
    /// The largest packet, in bytes, that the router sends to the host, who does not know of it; 1,500 if absent.
    pub(crate) mtu: Option<u16>,
}

/// One connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Exchange {
    /// What runs over IP.
    pub(crate) carrier: Carrier,
    /// The interface of the host that opens it, or [`ROUTER`].
    pub(crate) client: String,
    /// The interface of the host that answers, or [`ROUTER`].
    pub(crate) server: String,
    /// The answering host's address and port.
    pub(crate) address: SocketAddr,
    /// Bytes that the client sends; the server answers with their number.
    pub(crate) bytes: u16,
}

/// The name of the router as the one that opens or answers an exchange.
pub(crate) const ROUTER: &str = "router";

/// What carries an exchange.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Carrier {
    /// A TCP connection.
    Tcp,
    /// One UDP datagram and its answer.
    Udp,
}

/// What came of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The answer came back.
    Carried,
    /// Nothing more came for a second.
    TimedOut,
    /// The network refused; the text is the client's or the server's error.
    Refused(String),
}

/// Number of the router's first interface. The kernel takes up to a second to notice the carrier of a veth end whose
/// peer has the same number, and the hosts count from 1.
const FIRST_INDEX: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs `network` in namespaces of its own, which are gone afterwards: one answer for each exchange.
///
/// # Errors
/// As for [`super::lab::run`].
pub(crate) fn run(network: &Network) -> Result<Vec<Answer>, String> {
    worker::in_namespace(&Job::Sockets(network.clone()))
}

/// Does the work of [`run`], in the router's namespace.
///
/// # Errors
/// As for [`super::lab::run`].
pub(super) fn answers(network: &Network) -> Result<Vec<Answer>, String> {
    skip_address_detection()?;
    set("ipv4", "", "ip_forward", "1")?;
    set("ipv6/conf", "all", "forwarding", "1")?;
    let namespaces =
        network.hosts.iter().zip(FIRST_INDEX..).map(attach).collect::<Result<Vec<File>, String>>()?;
    worker::load(&network.load)?;
    let router =
        File::open("/proc/self/ns/net").map_err(|error| format!("the router's namespace: {error}"))?;
    let namespace = |name: &str| {
        if name == ROUTER {
            return Ok(&router);
        }
        let index = network.hosts.iter().position(|host| host.interface == name);
        index.and_then(|index| namespaces.get(index)).ok_or_else(|| format!("no host on `{name}`"))
    };
    let answer = |exchange: &Exchange| {
        let (client, server) = (namespace(&exchange.client)?, namespace(&exchange.server)?);
        match exchange.carrier {
            Carrier::Tcp => tcp(exchange, client, server),
            Carrier::Udp => udp(exchange, client, server),
        }
    };
    network.exchanges.iter().map(answer).collect()
}

/// Links a new host to the router and returns the host's namespace.
fn attach((host, index): (&Host, u32)) -> Result<File, String> {
    let namespace = on_own_thread(|| {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("a namespace for a host: {error}"))?;
        skip_address_detection()?;
        File::open("/proc/thread-self/ns/net").map_err(|error| format!("a host's namespace: {error}"))
    })?;
    let (name, process, file) = (&host.interface, std::process::id(), namespace.as_raw_fd());
    let mut link = format!(
        "link add name {name} index {index} type veth peer name lab-h netns /proc/{process}/fd/{file}\n"
    );
    link += &host.mtu.map_or_else(String::new, |mtu| format!("link set {name} mtu {mtu}\n"));
    batch(&format!("{link}link set {name} up\n"))?;
    within(&namespace, || {
        batch("link set lo up\nlink set lab-h up\n")?;
        wait_for_links(&["lab-h".to_owned()])?;
        batch(&addresses(&host.addresses, "lab-h"))?;
        wait_for_addresses()
    })?;
    wait_for_links(std::slice::from_ref(name))?;
    batch(&addresses(&host.router, name))?;
    wait_for_addresses()?;
    within(&namespace, || batch(&default_routes(&host.router)?))?;
    Ok(namespace)
}

fn addresses(addresses: &[String], interface: &str) -> String {
    addresses.iter().map(|address| format!("address add {address} dev {interface}\n")).collect()
}

fn default_routes(gateways: &[String]) -> Result<String, String> {
    let route = |address: &String| {
        let (gateway, _) =
            address.split_once('/').ok_or_else(|| format!("`{address}` has no prefix length"))?;
        let rest = if gateway.contains(':') { "::/0" } else { "0.0.0.0/0" };
        Ok(format!("route add {rest} via {gateway} dev lab-h\n"))
    };
    gateways.iter().map(route).collect()
}

/// Neighbours are asked for from link-local addresses, which otherwise take a second or two to become valid.
fn skip_address_detection() -> Result<(), String> {
    ["all", "default"].into_iter().try_for_each(|name| set("ipv6/conf", name, "accept_dad", "0"))
}

/// What `work` returns when done inside `namespace`; sockets that it opens stay there.
fn within<T: Send>(namespace: &File, work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    on_own_thread(|| {
        setns(namespace, CloneFlags::CLONE_NEWNET).map_err(|error| format!("entering a host: {error}"))?;
        work()
    })
}

/// A thread that changes its namespace ends with the work, so no other work runs in the wrong one.
fn on_own_thread<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    let result = thread::scope(|scope| scope.spawn(work).join());
    result.unwrap_or_else(|_panic| Err("a thread of the lab panicked".to_owned()))
}

fn tcp(exchange: &Exchange, client: &File, server: &File) -> Result<Answer, String> {
    let Exchange { address, bytes, .. } = exchange;
    let listener =
        within(server, || TcpListener::bind(address).map_err(|error| format!("{address}: {error}")))?;
    let talked = thread::scope(|scope| {
        let serving = scope.spawn(|| serve(&listener, *bytes));
        let asked = within(client, || Ok(ask(*address, *bytes)));
        let served = serving.join().map_err(|_panic| "the server panicked".to_owned())?;
        Ok::<_, String>(match (asked?, served) {
            // The server hung up because it had waited in vain.
            (Err(asked), Err(served)) if asked.kind() == ErrorKind::UnexpectedEof => Err(served),
            (asked, served) => asked.and(served),
        })
    })?;
    Ok(talked.map_or_else(|error| refusal(&error), |()| Answer::Carried))
}

fn ask(address: SocketAddr, bytes: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&vec![0x5a; bytes.into()])?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer)?;
    (u16::from_be_bytes(answer) == bytes).then_some(()).ok_or_else(|| ErrorKind::InvalidData.into())
}

fn serve(listener: &TcpListener, bytes: u16) -> std::io::Result<()> {
    wait(listener)?;
    let (mut stream, _peer) = listener.accept()?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut received = vec![0; bytes.into()];
    stream.read_exact(&mut received)?;
    stream.write_all(&bytes.to_be_bytes())
}

fn wait(listener: &TcpListener) -> std::io::Result<()> {
    let timeout = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::ZERO);
    match poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], timeout)? {
        0 => Err(ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

fn udp(exchange: &Exchange, client: &File, server: &File) -> Result<Answer, String> {
    let Exchange { address, bytes, .. } = exchange;
    let open = |namespace, own: SocketAddr| {
        within(namespace, || UdpSocket::bind(own).map_err(|error| format!("{own}: {error}")))
    };
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let client = open(client, any.parse().map_err(|error| format!("{any}: {error}"))?)?;
    let server = open(server, *address)?;
    let talk = || {
        client.connect(address)?;
        client.send(&vec![0x5a; (*bytes).into()])?;
        server.set_read_timeout(Some(PATIENCE))?;
        let (length, peer) = server.recv_from(&mut [0; 0x1_0000])?;
        server.send_to(&length.to_be_bytes(), peer)?;
        client.set_read_timeout(Some(PATIENCE))?;
        let mut answer = [0; size_of::<usize>()];
        client.recv(&mut answer)?;
        (usize::from_be_bytes(answer) == usize::from(*bytes))
            .then_some(())
            .ok_or_else(|| ErrorKind::InvalidData.into())
    };
    Ok(talk().map_or_else(|error: std::io::Error| refusal(&error), |()| Answer::Carried))
}

fn refusal(error: &std::io::Error) -> Answer {
    if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) {
        return Answer::TimedOut;
    }
    Answer::Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::require::ready;
    use super::*;

    fn host(interface: &str, number: u8) -> Host {
        Host {
            interface: interface.to_owned(),
            router: vec![format!("10.40.{number}.1/24"), format!("2001:db8:600:{number}::1/64")],
            addresses: vec![format!("10.40.{number}.9/24"), format!("2001:db8:600:{number}::9/64")],
            mtu: None,
        }
    }

    fn exchange(carrier: Carrier, address: &str, bytes: u16) -> Exchange {
        let (client, server) = ("vlan230".to_owned(), "vlan240".to_owned());
        Exchange { carrier, client, server, address: address.parse().unwrap(), bytes }
    }

    /// Answers over each carrier in both families from port 80 of a host behind a router with these rules.
    fn check(rules: &str, carriers: &[Carrier], mtu: Option<u16>, bytes: u16) -> Vec<Answer> {
        let ruleset = format!(
            "table inet lab {{\n chain forward {{\n type filter hook forward priority filter; policy drop;\n{rules}\n }}\n}}\n"
        );
        let hosts = vec![host("vlan230", 1), Host { mtu, ..host("vlan240", 2) }];
        let load = vec![Invocation::new("nft", &["-f", "-"]).input(&ruleset)];
        let exchanges = carriers.iter().flat_map(|&carrier| {
            ["10.40.2.9:80", "[2001:db8:600:2::9]:80"].map(|to| exchange(carrier, to, bytes))
        });
        run(&Network { hosts, load, exchanges: exchanges.collect() }).unwrap()
    }

    const BOTH: &[Carrier] = &[Carrier::Tcp, Carrier::Udp];
    const REPLIES: &str = "ct state established,related accept";

    #[test]
    fn connections_are_carried_with_their_replies() {
        if ready("connections_are_carried_with_their_replies", &["nft"]) {
            let answers = check(&format!("{REPLIES}\n iifname vlan230 th dport 80 accept"), BOTH, None, 1200);
            assert_eq!(answers, vec![Answer::Carried; 4]);
        }
    }

    #[test]
    fn connections_without_replies_time_out() {
        if ready("connections_without_replies_time_out", &["nft"]) {
            assert_eq!(check("iifname vlan230 accept", BOTH, None, 100), vec![Answer::TimedOut; 4]);
        }
    }

    #[test]
    fn only_the_allowed_carrier_and_family_pass() {
        if ready("only_the_allowed_carrier_and_family_pass", &["nft"]) {
            let answers =
                check(&format!("{REPLIES}\n meta nfproto ipv6 tcp dport 80 accept"), BOTH, None, 100);
            assert_eq!(answers, [Answer::TimedOut, Answer::Carried, Answer::TimedOut, Answer::TimedOut]);
        }
    }

    #[test]
    fn a_rejection_is_told_from_silence() {
        if ready("a_rejection_is_told_from_silence", &["nft"]) {
            let answers = check("tcp dport 80 reject with tcp reset", BOTH, None, 100);
            assert!(
                matches!(answers[0], Answer::Refused(_)) && matches!(answers[1], Answer::Refused(_)),
                "{answers:?}"
            );
            assert_eq!(answers[2..], [Answer::TimedOut, Answer::TimedOut]);
        }
    }

    #[test]
    fn large_transfers_find_the_path_mtu() {
        if ready("large_transfers_find_the_path_mtu", &["nft"]) {
            let rules = format!("{REPLIES}\n iifname vlan230 accept");
            let answers = |rules: &str| check(rules, &[Carrier::Tcp], Some(1280), 50_000);
            assert_eq!(answers(&rules), vec![Answer::Carried; 2]);
            let mute = "type filter hook output priority filter; policy accept;\n icmp type 3 drop\n icmpv6 type 2 drop";
            let answers = answers(&format!("{rules}\n }}\n chain output {{\n {mute}"));
            assert_eq!(answers, vec![Answer::TimedOut; 2]);
        }
    }
}
