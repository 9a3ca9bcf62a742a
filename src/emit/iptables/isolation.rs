//! Isolation: what a guard cuts off when it trips, for a time, and what stays.
//!
//! Whether something is cut off is an entry of `recent`, which is one for all packets, since no bit of an address is looked
//! at (`recent_mt`, net/netfilter/xt_recent.c).

use super::super::linux::spared;
use super::address::{Family, Side};
use super::guard::isolated;
use super::view::{Body, Builder, Chain, Speaker};
use crate::ir::{Guard, RuleIndex, Subject};
use crate::set::PacketSet;

/// The chain that drops what is cut off.
const APART: &str = "-g cordon-apart";

/// What goes back to where the chain was entered from: it stays.
const STAYS: &str = "-j RETURN";

impl Builder<'_, '_> {
    /// The chains that cut off what a guard watches, and what leads to them.
    pub(super) fn isolation(
        &mut self,
        guard: &Guard,
        seconds: u32,
        except: &[RuleIndex],
        family: Family,
    ) -> Result<Vec<String>, &'static str> {
        let (id, Subject::Sources(subject)) = (&guard.id, &guard.subject) else { return Ok(Vec::new()) };
        let [entrance, cut, answers] =
            ["isolation", "isolated", "answers"].map(|role| format!("{role}/{id}"));
        let cut_chain = self.names.chain(&cut)?;
        let mut rules = Vec::new();
        for side in [Side::Source, Side::Destination] {
            if let Some(options) = self.addresses(side, &family.ranges(subject), family)? {
                rules.push(format!("{options} -g {cut_chain}").trim_start().to_owned());
            }
        }
        let entrance = self.put(&entrance, format!("{id}: from and to what is cut off"), rules)?;
        let (forth, back) = self.stays(except, family, &cut, &answers)?;
        let mut rules = Vec::new();
        if !except.is_empty() {
            let mut known = back;
            known.push(APART.to_owned());
            let answers =
                self.put(&answers, format!("{id}: what answers in connections that stay"), known)?;
            rules.push(format!("-m conntrack --ctstate RELATED {STAYS}"));
            rules.extend(forth);
            rules.push(format!("-m conntrack --ctstate ESTABLISHED -g {answers}"));
        }
        rules.push(APART.to_owned());
        self.put(&cut, format!("{id}: what stays, and what does not"), rules)?;
        let list = isolated(guard, family);
        Ok(vec![format!("-m recent --rcheck --seconds {seconds} {list} -j {entrance}")])
    }

    /// The rules for what stays, one way and the other.
    fn stays(
        &mut self,
        except: &[RuleIndex],
        family: Family,
        cut: &str,
        answers: &str,
    ) -> Result<(Vec<String>, Vec<String>), &'static str> {
        let policy = self.policy();
        let (mut forth, mut back) = (Body::default(), Body::default());
        for one in spared(policy, except) {
            let mut say = |packets: &PacketSet, body: &mut Body| {
                self.say(packets, family, Speaker::Rule(&policy[one.rule]), STAYS, None, body)
            };
            say(&one.forth, &mut forth)?;
            say(&one.back, &mut back)?;
        }
        Ok((self.rules(cut, family, forth)?, self.rules(answers, family, back)?))
    }

    fn put(&mut self, full: &str, about: String, rules: Vec<String>) -> Result<String, &'static str> {
        let name = self.names.chain(full)?;
        self.shared.insert(name.clone(), Chain { name: name.clone(), about, rules });
        Ok(name)
    }
}
