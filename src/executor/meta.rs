//! `meta`: what a playbook tells the executor itself.

use std::sync::Arc;

use super::Stop;
use super::batch::Batch;
use super::conditions::{Verdict, evaluate};
use super::play_iterator::FrameKind;
use crate::event::Event;
use crate::playbook::{Meta, Task};
use crate::source::{Diagnostic, Diagnostics, Spanned};

impl Batch<'_, '_> {
    pub(super) fn meta(&mut self, task: &Arc<Task>, meta: &Spanned<Meta>, group: &[usize]) -> Result<(), Stop> {
        if let Meta::Unknown(name) = &meta.value {
            let diagnostic = meta.error(format!("invalid meta action requested: {name}"));
            let names = [
                "clear_facts",
                "clear_host_errors",
                "end_batch",
                "end_host",
                "end_play",
                "end_role",
                "flush_handlers",
                "noop",
                "refresh_inventory",
                "reset_connection",
            ];
            return Err(Stop::Error(Box::new(match crate::playbook::did_you_mean(name, names) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint(format!("known are {}", names.map(|name| format!("`{name}`")).join(", "))),
            })));
        }
        if !task.implicit {
            let stack = self.stack(group[0], task);
            let templar = self.templar(&stack, task);
            let info = self.info(task, &templar);
            self.executor.tell(Event::TaskStart(info));
        }
        let group = self.chosen(task, group)?;
        if group.is_empty() {
            return Ok(());
        }
        match &meta.value {
            Meta::Noop | Meta::Unknown(_) => {}
            Meta::FlushHandlers => self.flush(&group),
            Meta::RoleComplete(id) => {
                for index in &group {
                    self.hosts[*index].completed.insert(id.clone());
                }
            }
            Meta::EndRole => group.iter().for_each(|index| self.hosts[*index].moves().end_role()),
            Meta::EndHost => group.iter().for_each(|index| self.hosts[*index].moves().end()),
            Meta::EndBatch | Meta::EndPlay => {
                for host in self.hosts.iter_mut().filter(|host| !host.failed && !host.unreachable) {
                    host.moves().end();
                }
                self.ends_play |= meta.value == Meta::EndPlay;
            }
            Meta::ClearFacts => {
                for index in &group {
                    let id = self.hosts[*index].id;
                    self.change_world().clear_facts(id);
                }
            }
            Meta::ClearHostErrors => self.clear_errors(),
            Meta::RefreshInventory => self.refresh()?,
            Meta::ResetConnection => self.reset(&group, task),
        }
        Ok(())
    }

    /// The hosts for which the task's conditions hold.
    fn chosen(&mut self, task: &Arc<Task>, group: &[usize]) -> Result<Vec<usize>, Stop> {
        if task.keywords.when.is_empty() {
            return Ok(group.to_vec());
        }
        let mut chosen = Vec::new();
        for index in group {
            let stack = self.stack(*index, task);
            let templar = self.templar(&stack, task);
            match evaluate("when", &task.keywords.when, &templar) {
                Ok(Verdict::Holds) => chosen.push(*index),
                Ok(Verdict::Not(_)) => {}
                Err(error) => {
                    let diagnostic = Diagnostic { message: error.message, ..error.diagnostic };
                    return Err(Stop::Error(Box::new(diagnostic)));
                }
            }
        }
        Ok(chosen)
    }

    fn flush(&mut self, group: &[usize]) {
        let block = self.handlers.block();
        for index in group {
            if !self.hosts[*index].notified.is_empty() {
                self.hosts[*index].moves().push(Arc::clone(&block), 0, FrameKind::Handlers);
            }
        }
    }

    fn clear_errors(&mut self) {
        for host in &mut self.hosts {
            if host.unreachable || host.failed {
                host.unreachable = false;
                host.failed = false;
                host.moves().clear_failure();
            }
        }
        self.executor.failed.clear();
        self.executor.unreachable.clear();
    }

    fn refresh(&mut self) -> Result<(), Stop> {
        let mut diagnostics = Diagnostics::new();
        let inventory = (self.executor.world.reload)(&mut diagnostics);
        self.executor.report(diagnostics)?;
        // Hosts are known by their place: those of before keep it, new ones come after.
        let mut merged = crate::inventory::Inventory::clone(self.executor.vars.inventory());
        for id in inventory.host_ids() {
            let found = inventory.host(id);
            let host = merged.add_host(found.name());
            for (key, value) in found.vars().iter() {
                merged.set_host_variable(host, &key.to_json_key(), value.clone());
            }
            for group in inventory.group_names(id) {
                let group = merged.add_group(&group);
                merged.add_host_to_group(host, group);
            }
        }
        merged.settle();
        self.executor.vars = self.executor.vars.with_inventory(Arc::new(merged), &mut Diagnostics::new());
        self.change_world();
        Ok(())
    }

    /// Idle connections to these hosts are closed; the next task opens new ones.
    fn reset(&mut self, group: &[usize], task: &Arc<Task>) {
        for index in group {
            let stack = self.stack(*index, task);
            let templar = self.templar(&stack, task);
            let reader = super::keywords::Reader { keywords: &task.keywords, templar: &templar };
            let name = Arc::clone(&self.hosts[*index].name);
            let dir = super::absolute(&self.play.dir);
            if let Ok(route) = super::target::route(&name, &reader, &templar, &self.executor.shared.defaults, &dir) {
                self.executor.shared.leases.reset(&route.key);
            }
        }
    }
}
