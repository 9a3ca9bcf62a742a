//! Recorded flows against policies: what is read of each form of capture, and what is said of it.

mod captures;
mod command;
mod page;
mod random;
mod replies;
mod scenario;
mod times;

use cordon::flows::{Capture, Flow, Form, Unreadable, read};
use cordon::ir::Policy;
use cordon::simulate::{Placeholders, Report, Simulation, Suggestion};
use cordon::source::Sources;

/// Two zones, a class and a peer, with a schedule by the clock of a place.
const POLICY: &str = "
zone ward { net 10.1.0.0/24, 2001:db8:1::/64 }
zone core { net 10.2.0.0/24, 2001:db8:2::/64 }
zone lab { net 10.3.0.0/24 }
class pump in ward { hosts 10.1.0.16/28 }
peer pump_srv in core { host 10.2.0.10, 2001:db8:2::10 }
service drugs { tcp 3613 }
schedule office { mon..fri 08:00-18:00   timezone \"Europe/Berlin\" }
allow data { from ward  to pump_srv  via drugs }
allow ping { from ward  to core  via icmp echo-request, icmpv6 echo-request }
allow care { from core  to ward  via tcp 22   during office }
forbid smb { from any  to any  via tcp 445 }
assert denied lab-smb { from lab  to ward  via tcp 139 }
firewall fw { target nftables   interface a zone ward   interface b zone core   interface c zone lab }
manage { from core  via tcp 22 }
";

/// Reads a capture.
fn captured(text: &[u8], form: Option<Form>) -> Result<(Capture, Vec<Flow>), Unreadable> {
    let mut flows = Vec::new();
    let capture = read(text, form, &mut |flow| flows.push(*flow))?;
    Ok((capture, flows))
}

/// What comes of a replay, with a suggestion.
fn simulated(policy: &Policy, flows: &[Flow]) -> (Report, Suggestion) {
    let mut simulation = Simulation::new(policy, None, true);
    flows.iter().for_each(|flow| simulation.take(flow));
    let (report, suggestion) = simulation.finish(&sources(), &Placeholders::default());
    (report, suggestion.unwrap())
}

/// A text as long as the policies of these tests, for places.
fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.add("policy.cordon".to_owned(), " ".repeat(1 << 16)).unwrap();
    sources
}

/// What comes of a capture against [`POLICY`].
fn replayed(text: &str) -> (Report, Suggestion) {
    let policy = crate::random::read(POLICY).unwrap_or_else(|problem| panic!("{problem}")).policy;
    let (capture, flows) = captured(text.as_bytes(), None).unwrap();
    assert_eq!(capture.bad, 0, "{capture:?}");
    simulated(&policy, &flows)
}
