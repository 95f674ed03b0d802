//! Worker threads: plain threads that wait on hosts, each with one job at a time. A panic in a job is that host's failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use super::job::{HostResult, Job, Message};
use super::mailbox::Mailbox;
use super::outcome::ItemEnd;
use super::task_executor::{self, Shared};
use crate::event::Status;
use crate::value::Map;

/// Enough for templates inside templates; untouched pages cost nothing.
const STACK: usize = 4 * 1024 * 1024;

/// The pool.
pub struct Workers {
    jobs: Mailbox<Box<Job>>,
    /// What workers tell.
    pub messages: Mailbox<Message>,
    threads: Vec<thread::JoinHandle<()>>,
    shared: Arc<Shared>,
    most: usize,
}

impl Workers {
    /// A pool of at most `forks` threads, started as jobs come.
    pub fn new(shared: Arc<Shared>, forks: usize) -> Self {
        Self { jobs: Mailbox::default(), messages: Mailbox::default(), threads: Vec::new(), shared, most: forks.max(1) }
    }

    /// Gives a job to the next free thread.
    pub fn send(&mut self, job: Job, running: usize) {
        if self.threads.len() < self.most && running >= self.threads.len() {
            self.start();
        }
        self.jobs.send(Box::new(job));
    }

    fn start(&mut self) {
        let (jobs, out, shared) = (self.jobs.clone(), self.messages.clone(), Arc::clone(&self.shared));
        let started = thread::Builder::new().name("worker".to_owned()).stack_size(STACK).spawn(move || {
            while let Some(job) = jobs.receive(None) {
                let result = catch_unwind(AssertUnwindSafe(|| task_executor::run(&shared, &job, &out)));
                let result = result.unwrap_or_else(|panic| broken(&job, &*panic));
                out.send(Message::Done(Box::new(result)));
            }
        });
        if let Ok(thread) = started {
            self.threads.push(thread);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs.close();
        // A worker that waits for an answer gets none.
        self.messages.close();
        for thread in self.threads.drain(..) {
            // A worker never panics: its jobs are caught.
            let _ = thread.join();
        }
    }
}

fn broken(job: &Job, panic: &(dyn std::any::Any + Send)) -> HostResult {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    let message = format!("driftless has a bug: the task panicked: {}", text.unwrap_or_default());
    HostResult {
        host: job.host,
        result: Arc::new(ItemEnd::failed(message, Vec::new()).result),
        status: Status::Failed,
        ignored: false,
        is_loop: false,
        delegated_to: None,
        no_log: false,
        effects: Vec::new(),
        facts: Vec::new(),
        notify: Vec::new(),
        registered: Map::new(),
        includes: Vec::new(),
        diagnostics: Vec::new(),
        warnings: Vec::new(),
        deprecations: Vec::new(),
        failed_task: None,
    }
}
