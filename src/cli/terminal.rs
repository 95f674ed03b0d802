//! The person at the terminal and the listeners to events, as the executor meets them.

use std::fs::File;
use std::io::BufWriter;

use crate::callback::{Events, Screen};
use crate::display::{Display, Echo};
use crate::event::{Event, EventSink};
use crate::executor::Console;

/// A screen, and a file of events where `DRIFTLESS_EVENTS` names one.
pub struct Terminal<'d> {
    screen: Screen<'d>,
    events: Option<Events<BufWriter<File>>>,
}

impl<'d> Terminal<'d> {
    /// Events go to this screen, and to the file.
    pub fn new(screen: Screen<'d>, events: Option<File>) -> Self {
        Self { screen, events: events.map(|file| Events::new(BufWriter::new(file))) }
    }
}

impl EventSink for Terminal<'_> {
    fn event(&mut self, event: &Event) {
        self.screen.event(event);
        if let Some(events) = &mut self.events {
            events.event(event);
        }
    }
}

impl Console for Terminal<'_> {
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<String> {
        if !Display::can_ask() {
            return None;
        }
        self.screen.display().ask(prompt, if echo { Echo::On } else { Echo::Off })
    }

    fn read(&mut self, prompt: &str) -> Option<String> {
        self.screen.display().ask(prompt, Echo::On)
    }

    fn say(&mut self, text: &str) {
        self.screen.display().note(text);
    }
}
