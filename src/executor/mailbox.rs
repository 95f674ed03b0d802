//! A queue between threads. Who finds it empty sleeps at once: with as many workers as hosts, spinning first costs more than it saves.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A queue of letters that any thread may put in and take out, in order.
pub struct Mailbox<T>(Arc<Inner<T>>);

struct Inner<T> {
    letters: Mutex<Letters<T>>,
    arrived: Condvar,
}

struct Letters<T> {
    waiting: VecDeque<T>,
    /// How many threads sleep: a letter wakes one only if there is one.
    sleepers: usize,
    is_closed: bool,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        let letters = Letters { waiting: VecDeque::new(), sleepers: 0, is_closed: false };
        Self(Arc::new(Inner { letters: Mutex::new(letters), arrived: Condvar::new() }))
    }
}

impl<T> Mailbox<T> {
    /// Puts a letter in; one that comes after the close is dropped.
    pub fn send(&self, letter: T) {
        let mut letters = self.lock();
        if letters.is_closed {
            return;
        }
        letters.waiting.push_back(letter);
        let sleeps = letters.sleepers > 0;
        drop(letters);
        if sleeps {
            self.0.arrived.notify_one();
        }
    }

    /// The next letter, waited for until `longest` has passed. `None` then, and once the mailbox is closed.
    pub fn receive(&self, longest: Option<Duration>) -> Option<T> {
        let until = longest.map(|longest| Instant::now() + longest);
        let mut letters = self.lock();
        loop {
            if letters.is_closed {
                return None;
            }
            if let Some(letter) = letters.waiting.pop_front() {
                return Some(letter);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            letters.sleepers += 1;
            letters = match left {
                Some(left) => self.0.arrived.wait_timeout(letters, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.0.arrived.wait(letters).unwrap_or_else(PoisonError::into_inner),
            };
            letters.sleepers -= 1;
        }
    }

    /// Drops what is there and what will come, and wakes everybody.
    pub fn close(&self) {
        let mut letters = self.lock();
        letters.is_closed = true;
        let dropped = std::mem::take(&mut letters.waiting);
        drop(letters);
        drop(dropped);
        self.0.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Letters<T>> {
        self.0.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_arrives_once_and_a_close_wakes_all_who_wait() {
        let (jobs, answers) = (Mailbox::<u64>::default(), Mailbox::default());
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (jobs, answers) = (jobs.clone(), answers.clone());
                std::thread::spawn(move || {
                    while let Some(job) = jobs.receive(None) {
                        answers.send(job * 2);
                    }
                })
            })
            .collect();
        (0..1000).for_each(|job| jobs.send(job));
        let mut found: Vec<u64> = (0..1000).map(|_| answers.receive(Some(Duration::from_secs(20))).unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, (0..1000).map(|job| job * 2).collect::<Vec<_>>());
        jobs.close();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(answers.receive(Some(Duration::from_millis(1))), None);
        jobs.send(1);
        assert_eq!(jobs.receive(Some(Duration::ZERO)), None);
    }
}
