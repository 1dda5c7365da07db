//! What keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::composer::Motion;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A character.
    Type(char),
    /// A line break in the text.
    Break,
    /// Send, press the selected button, open the selected conversation.
    Enter,
    /// Close, select nothing, or stop the answer.
    Escape,
    /// Up: in the text, in the list, or to the text that was sent before.
    Up,
    /// Down.
    Down,
    /// The cursor, or the selection of a button.
    Go(Motion),
    /// Delete up to there.
    Delete(Motion),
    /// So many screens up (negative) or down.
    Scroll(isize),
    /// To the end of the conversation.
    End,
    /// Show or leave the list of conversations.
    List,
    /// Begin a conversation.
    New,
    /// Open the next conversation of the list, or the one before.
    Switch(isize),
    /// Show the keys.
    Help,
    /// Let the terminal select text, or not.
    Mouse,
    /// Connect now.
    Reconnect,
    /// Draw everything anew.
    Redraw,
    /// Stop the process, as a shell's job.
    Suspend,
    /// Clear the text; twice: quit.
    Interrupt,
    /// Quit, if nothing is written.
    Quit,
}

/// The keys and what they do, for people.
pub const HELP: [(&str, &str); 19] = [
    ("Enter", "send, or answer with the selected button"),
    ("Alt+Enter, Ctrl+J", "new line"),
    ("Up, Down", "what you have sent before"),
    ("1 to 9, arrows", "select the answer to a question"),
    ("Escape", "stop the answer; close what is open"),
    ("PageUp, PageDown, wheel", "scroll"),
    ("Ctrl+End", "to the end of the conversation"),
    ("Tab", "the list of conversations"),
    ("Ctrl+N", "new conversation"),
    ("Alt+Up, Alt+Down", "the conversation above, below"),
    ("Ctrl+A, Ctrl+E", "beginning, end of the line"),
    ("Ctrl+W, Ctrl+U, Ctrl+K", "delete a word, to the beginning, to the end"),
    ("Ctrl+R", "connect now"),
    ("Ctrl+L", "draw again"),
    ("F2", "select text with the mouse, or scroll"),
    ("F1, ?", "this help"),
    ("Ctrl+Z", "back to the shell; fg returns"),
    ("Ctrl+D", "quit"),
    ("Ctrl+C twice", "quit"),
];

/// What a key asks for; `None` if it has no meaning.
pub fn act(key: KeyEvent) -> Option<Act> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let (control, alt) =
        (key.modifiers.contains(KeyModifiers::CONTROL), key.modifiers.contains(KeyModifiers::ALT));
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    Some(match key.code {
        KeyCode::Char(c) if control => return controlled(c.to_ascii_lowercase()),
        KeyCode::Char('b') if alt => Act::Go(Motion::WordLeft),
        KeyCode::Char('f') if alt => Act::Go(Motion::WordRight),
        KeyCode::Char('d') if alt => Act::Delete(Motion::WordRight),
        KeyCode::Char(c) => Act::Type(c),
        KeyCode::Enter if alt || shift || control => Act::Break,
        KeyCode::Enter => Act::Enter,
        KeyCode::Esc => Act::Escape,
        KeyCode::Backspace if alt || control => Act::Delete(Motion::WordLeft),
        KeyCode::Backspace => Act::Delete(Motion::Left),
        KeyCode::Delete => Act::Delete(Motion::Right),
        KeyCode::Left if control || alt => Act::Go(Motion::WordLeft),
        KeyCode::Right if control || alt => Act::Go(Motion::WordRight),
        KeyCode::Left => Act::Go(Motion::Left),
        KeyCode::Right => Act::Go(Motion::Right),
        KeyCode::Home if control => Act::Scroll(isize::MIN),
        KeyCode::End if control => Act::End,
        KeyCode::Home => Act::Go(Motion::LineStart),
        KeyCode::End => Act::Go(Motion::LineEnd),
        KeyCode::Up if alt => Act::Switch(-1),
        KeyCode::Down if alt => Act::Switch(1),
        KeyCode::Up => Act::Up,
        KeyCode::Down => Act::Down,
        KeyCode::PageUp => Act::Scroll(-1),
        KeyCode::PageDown => Act::Scroll(1),
        KeyCode::Tab | KeyCode::BackTab => Act::List,
        KeyCode::F(1) => Act::Help,
        KeyCode::F(2) => Act::Mouse,
        _ => return None,
    })
}

fn controlled(c: char) -> Option<Act> {
    Some(match c {
        'a' => Act::Go(Motion::LineStart),
        'b' => Act::Go(Motion::Left),
        'c' => Act::Interrupt,
        'd' => Act::Quit,
        'e' => Act::Go(Motion::LineEnd),
        'f' => Act::Go(Motion::Right),
        'h' => Act::Delete(Motion::Left),
        'j' => Act::Break,
        'k' => Act::Delete(Motion::LineEnd),
        'l' => Act::Redraw,
        'n' => Act::New,
        'r' => Act::Reconnect,
        'u' => Act::Delete(Motion::LineStart),
        'w' => Act::Delete(Motion::WordLeft),
        'z' => Act::Suspend,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_and_the_end_of_a_message_are_different_keys() {
        let key = |code, modifiers| act(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Enter, KeyModifiers::NONE), Some(Act::Enter));
        assert_eq!(key(KeyCode::Enter, KeyModifiers::ALT), Some(Act::Break));
        assert_eq!(key(KeyCode::Char('j'), KeyModifiers::CONTROL), Some(Act::Break));
        assert_eq!(key(KeyCode::Char('J'), KeyModifiers::SHIFT), Some(Act::Type('J')));
        assert_eq!(
            key(KeyCode::Char('€'), KeyModifiers::ALT),
            Some(Act::Type('€')),
            "AltGr on some keyboards"
        );
    }
}
