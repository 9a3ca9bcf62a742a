//! `cordon plan` and `cordon apply` on routers in network namespaces: that a device always has the old rules or the new ones,
//! whoever is killed and whatever is cut, and goes back by itself unless it is confirmed.

mod kill;
mod local;
mod remote;
mod site;
mod stream;
