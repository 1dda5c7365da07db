//! What the person does.

use crossterm::event::KeyEvent;

use super::{App, Effect};
use crate::cli::tui::chat::Place;
use crate::cli::tui::composer::Motion;
use crate::cli::tui::keys::{self, Act};

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) {
        let Some(act) = keys::act(key) else { return };
        self.sentence = None;
        if !matches!(act, Act::Interrupt | Act::Quit) {
            (self.interrupted, self.warned) = (false, false);
        }
        if self.shows_help && !matches!(act, Act::Interrupt | Act::Suspend | Act::Redraw) {
            self.shows_help = false;
            return;
        }
        match act {
            Act::Help => self.shows_help = true,
            Act::Mouse => self.toggle_mouse(),
            Act::Reconnect => self.effects.push(Effect::TryNow),
            Act::Redraw => self.effects.push(Effect::Redraw),
            Act::Suspend => self.effects.push(Effect::Suspend),
            Act::Interrupt => self.interrupt(),
            Act::New => self.begin(),
            Act::Switch(by) => self.switch(by),
            Act::List => self.toggle_list(),
            Act::Scroll(screens) if !self.in_list => self.scroll_screens(screens),
            Act::End => self.chat.rows.show_end(),
            act if self.in_list => self.in_list(act),
            act => self.write(act),
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.sentence = None;
        self.shows_help = false;
        self.in_list = false;
        self.composer.insert(text);
    }

    fn toggle_mouse(&mut self) {
        self.reads_mouse = !self.reads_mouse;
        self.effects.push(Effect::Mouse(self.reads_mouse));
        let words = if self.reads_mouse {
            "The wheel scrolls"
        } else {
            "The mouse selects text; F2 lets the wheel scroll"
        };
        self.sentence = Some(words.to_owned());
    }

    fn scroll_screens(&mut self, screens: isize) {
        let lines = isize::try_from(self.view.1).unwrap_or(isize::MAX);
        // One line stays, so that the eye finds its place.
        self.scroll(screens.saturating_mul((lines - 1).max(1)));
    }

    // -- conversations -------------------------------------------------------------------------------------

    fn toggle_list(&mut self) {
        self.in_list = !self.in_list;
        self.sessions.selected = self.current();
        if self.in_list && self.is_connected() {
            self.read_list();
        }
    }

    fn switch(&mut self, by: isize) {
        let entries = self.entries();
        let next = self.current().saturating_add_signed(by).min(entries.len().saturating_sub(1));
        if let Some(entry) = entries.get(next) {
            self.open(entry.place.clone());
        }
    }

    fn in_list(&mut self, act: Act) {
        let entries = self.entries();
        let last = entries.len().saturating_sub(1);
        let selected = self.sessions.selected.min(last);
        let page = isize::try_from(self.view.1).unwrap_or(10).max(1);
        let by = match act {
            Act::Up | Act::Type('k') => -1,
            Act::Down | Act::Type('j') => 1,
            Act::Scroll(screens) => screens.saturating_mul(page),
            Act::Go(Motion::LineStart) => isize::MIN,
            Act::Go(Motion::LineEnd) => isize::MAX,
            Act::Type('n') => return self.begin(),
            Act::Escape | Act::Quit => {
                self.in_list = false;
                return;
            }
            Act::Enter => {
                if let Some(entry) = entries.get(selected) {
                    self.open(entry.place.clone());
                }
                return;
            }
            _ => return,
        };
        self.sessions.selected = selected.saturating_add_signed(by).min(last);
    }

    // -- writing -------------------------------------------------------------------------------------------

    fn write(&mut self, act: Act) {
        let is_empty = self.composer.is_empty();
        match act {
            Act::Type('?') if is_empty => self.shows_help = true,
            Act::Type(c) if is_empty && self.selects(c) => {}
            Act::Type(c) => self.composer.insert(c.encode_utf8(&mut [0; 4])),
            Act::Break => self.composer.insert("\n"),
            Act::Enter if is_empty => self.press(),
            Act::Enter => self.send(),
            Act::Escape => self.escape(),
            Act::Up | Act::Go(Motion::Left) if is_empty && self.chat.asks.step(false) => {}
            Act::Down | Act::Go(Motion::Right) if is_empty && self.chat.asks.step(true) => {}
            Act::Up => self.composer.up(),
            Act::Down => self.composer.down(),
            Act::Go(to) => self.composer.go(to, false),
            Act::Delete(to) => self.composer.go(to, true),
            Act::Quit if is_empty => self.quit(),
            Act::Quit => self.composer.go(Motion::Right, true),
            _ => {}
        }
    }

    /// Selects the answer with this number.
    fn selects(&mut self, c: char) -> bool {
        let number = c.to_digit(10).and_then(|digit| digit.checked_sub(1));
        number.is_some_and(|number| self.chat.asks.select(number as usize))
    }

    /// Presses the selected button.
    fn press(&mut self) {
        if self.chat.asks.selected().is_none() {
            return;
        }
        let Some(id) = self.id() else { return };
        let frame = self.chat.choose(id);
        self.effects.extend(frame.map(Effect::Send));
    }

    fn send(&mut self) {
        if self.composer.text().trim().is_empty() {
            return;
        }
        if let Place::Session(key) = &self.chat.place {
            let platform = key.channel();
            self.sentence = Some(format!("This conversation is on {platform}: it can only be read here."));
            return;
        }
        let Some(id) = self.id() else { return };
        let text = self.composer.take();
        let wants_words = self.chat.asks.current().is_some_and(|ask| ask.choices.is_empty());
        let is_connected = self.is_connected();
        let frame = if wants_words && !text.starts_with('/') {
            self.chat.answer_in_words(id, &text)
        } else {
            Some(self.chat.say(id, text, is_connected, self.now.wall))
        };
        // Without a connection it is sent when there is one.
        self.effects.extend(frame.filter(|_| is_connected).map(Effect::Send));
    }

    fn escape(&mut self) {
        if self.chat.asks.unselect() || !self.chat.is_running() {
            return;
        }
        if self.is_connected() {
            self.effects.push(Effect::Send(self.chat.abort()));
        } else {
            self.sentence = Some("The answer cannot be stopped without a connection".to_owned());
        }
    }

    // -- the end -------------------------------------------------------------------------------------------

    fn interrupt(&mut self) {
        if self.interrupted {
            return self.quit();
        }
        self.interrupted = true;
        if !self.composer.is_empty() {
            self.composer.take();
        }
        self.sentence = Some("Press Ctrl+C again to quit".to_owned());
    }

    fn quit(&mut self) {
        let unsent = self.unsent();
        if unsent == 0 || self.warned {
            return self.effects.push(Effect::Quit);
        }
        self.warned = true;
        let messages = frontdesk_core::count::counted(unsent as u64, "message");
        self.sentence = Some(format!("{messages} not sent yet would be lost. Press again to quit"));
    }
}
