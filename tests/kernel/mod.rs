//! The kernel lab: routers in Linux network namespaces that show what a firewall configuration does to real packets.
//!
//! `lab` forwards raw frames through a router and says where each came out; `sockets` opens real connections through
//! one. Both take the tool calls that load a configuration, so they know no firewall dialect. Everything runs in a
//! network namespace of its own, and without root in a user namespace around it.

pub(crate) mod boundary;
mod devices;
mod ending;
mod families;
pub(crate) mod frame;
mod guard;
mod hospital;
mod injection;
mod iptables;
pub(crate) mod lab;
pub(crate) mod martian;
mod observe;
mod posture;
mod product;
mod random;
pub(crate) mod require;
mod router;
mod schedule;
mod selftest;
mod session;
mod shapes;
mod site;
pub(crate) mod sockets;
mod thresholds;
mod wire;
mod worker;
