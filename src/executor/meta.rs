//! `meta`: what a playbook tells the executor itself.

use std::sync::Arc;

use super::Stop;
use super::batch::Batch;
use super::conditions::{Verdict, evaluate};
use super::play_iterator::FrameKind;
use crate::event::{Event, Status, TaskResult};
use crate::playbook::{Meta, Task};
use crate::source::{Diagnostic, Diagnostics, Spanned, absolute};
use crate::value::Map;

impl Batch<'_, '_> {
    pub(super) fn meta(&mut self, task: &Arc<Task>, meta: &Spanned<Meta>, group: &[usize]) -> Result<(), Stop> {
        if let Some(mistake) = Meta::mistake(meta) {
            return Err(Stop::Error(Box::new(mistake)));
        }
        let name = meta.value.name();
        if !meta.value.is_conditional() && !task.keywords.when.is_empty() {
            self.executor.tell(Event::Warning(format!("{name} task does not support when conditional")));
        }
        let one_by_one = meta.value.is_of_hosts();
        let asked = if one_by_one { group } else { &group[..1] };
        for index in asked {
            let host = Arc::clone(&self.hosts[*index].name);
            if !task.implicit && self.goes_in_step() {
                let stack = self.stack(*index, task);
                let templar = self.templar(&stack, task);
                let info = self.info(task, &templar);
                self.executor.tell(Event::TaskStart(info));
            }
            if meta.value.is_conditional() && !self.holds(task, *index)? {
                self.tell_left_out(task, &meta.value, *index);
                continue;
            }
            match &meta.value {
                Meta::Noop | Meta::Unknown(_) => {}
                Meta::FlushHandlers => self.flush(*index),
                Meta::RoleComplete(id) => {
                    if self.hosts[*index].begun.contains(id) {
                        self.hosts[*index].completed.insert(id.clone());
                    }
                }
                Meta::EndRole => self.hosts[*index].moves().end_role(),
                Meta::EndHost => {
                    self.hosts[*index].moves().end();
                    self.leave_out(self.hosts[*index].id);
                }
                Meta::EndBatch | Meta::EndPlay => {
                    for host in self.hosts.iter_mut().filter(|host| !host.failed && !host.unreachable) {
                        host.moves().end();
                    }
                    self.ends_play |= meta.value == Meta::EndPlay;
                }
                Meta::ClearFacts => {
                    for index in 0..self.hosts.len() {
                        let id = self.hosts[index].id;
                        self.change_world().clear_facts(id);
                        self.executor.write_fact_cache(id);
                    }
                }
                Meta::ClearHostErrors => self.clear_errors(),
                Meta::RefreshInventory => self.refresh()?,
                Meta::ResetConnection => self.reset(*index, task),
            }
            if let Some(text) = meta.value.said(&host).filter(|_| !task.implicit) {
                self.executor.tell(Event::Meta(text));
            }
        }
        Ok(())
    }

    /// Whether the task's conditions hold for a host.
    fn holds(&mut self, task: &Arc<Task>, index: usize) -> Result<bool, Stop> {
        if task.keywords.when.is_empty() {
            return Ok(true);
        }
        let stack = self.stack(index, task);
        let templar = self.templar(&stack, task);
        match evaluate("when", &task.keywords.when, &templar) {
            Ok(verdict) => Ok(matches!(verdict, Verdict::Holds)),
            Err(error) => Err(Stop::Error(Box::new(Diagnostic { message: error.text, ..error.diagnostic }))),
        }
    }

    /// Its conditions do not hold: shown as skipped, not counted.
    fn tell_left_out(&mut self, task: &Arc<Task>, meta: &Meta, index: usize) {
        let host = Arc::clone(&self.hosts[index].name);
        let role = task.role().map_or("", |role| role.name.as_str());
        let name = meta.name();
        let reason = format!("{name} conditional evaluated to False, {}", meta.left_out(&host, role));
        let message = match meta {
            Meta::EndHost => reason.replacen("False", "false", 1),
            _ => name.to_owned(),
        };
        if task.implicit {
            return;
        }
        self.executor.tell(Event::Meta(reason.clone()));
        let stack = self.stack(index, task);
        let templar = self.templar(&stack, task);
        let info = self.info(task, &templar);
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("msg", message);
        result.insert("skip_reason", reason);
        result.insert("skipped", true);
        let event = TaskResult {
            host,
            delegated_to: None,
            task: info,
            status: Status::Skipped,
            ignored: false,
            result: Arc::new(result),
            is_loop: false,
        };
        self.executor.tell(Event::Result(Box::new(event)));
    }

    fn flush(&mut self, index: usize) {
        self.wake_handlers(index);
        let block = self.handlers.block();
        if !self.hosts[index].notified.is_empty() {
            self.hosts[index].moves().push(block, 0, FrameKind::Handlers);
        }
    }

    fn clear_errors(&mut self) {
        for host in &mut self.hosts {
            host.unreachable = false;
            host.failed = false;
            host.moves().clear_failure();
        }
        self.executor.failed.clear();
        self.executor.unreachable.clear();
    }

    fn refresh(&mut self) -> Result<(), Stop> {
        let mut diagnostics = Diagnostics::new();
        let inventory = (self.executor.world.reload)(&mut diagnostics);
        self.executor.report(diagnostics)?;
        // Hosts are known by their place: those of before keep it, new ones come after; what tasks added stays.
        let mut merged = crate::inventory::Inventory::clone(self.executor.vars.inventory());
        for id in merged.host_ids().filter(|id| !merged.host(*id).is_implicit()).collect::<Vec<_>>() {
            if inventory.host_named(merged.host(id).name()).is_some() {
                merged.reset_host(id);
            } else {
                merged.forget_host(id);
            }
        }
        for id in inventory.host_ids().filter(|id| !inventory.host(*id).is_implicit()) {
            let found = inventory.host(id);
            let host = merged.add_host(found.name());
            for (key, value) in found.vars().iter() {
                merged.set_host_variable(host, &key.to_json_key(), value.clone());
            }
            for group in found.direct_groups() {
                let group = merged.add_group(inventory.group(*group).name());
                merged.add_host_to_group(host, group);
            }
        }
        for change in &self.executor.inventory_changes {
            change.apply(&mut merged);
        }
        merged.settle();
        self.executor.vars = self.executor.vars.with_inventory(Arc::new(merged), &mut Diagnostics::new());
        self.change_world();
        Ok(())
    }

    /// Idle connections to this host are closed; the next task opens a new one.
    fn reset(&mut self, index: usize, task: &Arc<Task>) {
        let stack = self.stack(index, task).reached(self.reach(task));
        let templar = self.templar(&stack, task);
        let reader = super::keywords::Reader { keywords: &task.keywords, templar: &templar };
        let name = Arc::clone(&self.hosts[index].name);
        let dir = absolute(&self.play.dir);
        if let Ok(route) = super::target::route(&name, &reader, &templar, &self.executor.shared.defaults, &dir) {
            self.executor.shared.leases.reset(&route.key);
        }
    }
}
