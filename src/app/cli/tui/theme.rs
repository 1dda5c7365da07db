//! Colours and emphasis. Without colours (`NO_COLOR`), bold, dim and reversed text tell the same.

use ratatui::style::{Color, Modifier, Style};

/// How texts look.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    colours: bool,
}

impl Theme {
    /// With or without colours.
    pub const fn new(colours: bool) -> Theme {
        Theme { colours }
    }

    fn coloured(self, style: Style, colour: Color) -> Style {
        if self.colours { style.fg(colour) } else { style }
    }

    /// Less important than the text around it.
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The name above one's own message.
    pub fn me(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Cyan)
    }

    /// The name above an answer.
    pub fn agent(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Green)
    }

    /// A notice of the gateway.
    pub fn notice(self) -> Style {
        self.coloured(Style::new(), Color::Yellow)
    }

    /// Something that has failed.
    pub fn bad(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Red)
    }

    /// Something that works.
    pub fn good(self) -> Style {
        self.coloured(Style::new(), Color::Green)
    }

    /// Code.
    pub fn code(self) -> Style {
        self.coloured(Style::new(), Color::Yellow)
    }

    /// The text of a link.
    pub fn link(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::UNDERLINED), Color::Blue)
    }

    /// A heading of a level from 1.
    pub fn heading(self, level: u8) -> Style {
        let bold = self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Magenta);
        if level == 1 { bold.add_modifier(Modifier::UNDERLINED) } else { bold }
    }

    /// A button.
    pub fn button(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED), Color::Cyan)
    }

    /// What is selected.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
