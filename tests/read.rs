//! The readers: what they make of configs, of cordon's own output, and of what they cannot understand.

mod cisco_ios;
mod iptables;
mod nftables;
mod pfsense;
