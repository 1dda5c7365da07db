//! Draws the state.

mod ask;
mod help;
mod list;
#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::app::{App, Connection};
use super::chat::Place;
use super::text::{clean_line, cut, width};

/// From this width on the list of conversations is beside the conversation.
const WIDE: u16 = 100;
/// The width of the list.
const LIST: u16 = 30;
/// The most lines of the field in which one writes.
const MOST_LINES: u16 = 8;

/// What moves while somebody works.
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Draws everything. Returns columns and lines of the conversation.
pub fn draw(frame: &mut Frame<'_>, app: &mut App) -> (usize, usize) {
    let area = frame.area();
    let is_wide = area.width >= WIDE;
    let mut main = area;
    if is_wide {
        let side = Rect { width: LIST, ..area };
        main = Rect { x: area.x + LIST, width: area.width - LIST, ..area };
        list::draw(frame.buffer_mut(), side, app, true);
    }
    let parts = Parts::of(main, app);
    header(frame.buffer_mut(), parts.header, app);
    banner(frame.buffer_mut(), parts.banner, app);
    if app.in_list && !is_wide {
        list::draw(frame.buffer_mut(), parts.rows, app, false);
    } else {
        rows(frame.buffer_mut(), parts.rows, app);
    }
    ask::draw(frame.buffer_mut(), parts.ask, app);
    status(frame.buffer_mut(), parts.status, app);
    let cursor = composer(frame.buffer_mut(), parts.composer, app);
    if app.shows_help {
        help::draw(frame.buffer_mut(), area, app.look.theme);
    } else if let Some(cursor) = cursor.filter(|_| !app.in_list) {
        frame.set_cursor_position(cursor);
    }
    (usize::from(parts.rows.width), usize::from(parts.rows.height))
}

/// The parts of the screen, from top to bottom.
struct Parts {
    header: Rect,
    banner: Rect,
    rows: Rect,
    ask: Rect,
    status: Rect,
    composer: Rect,
}

impl Parts {
    fn of(area: Rect, app: &App) -> Parts {
        let most = (area.height / 3).clamp(1, MOST_LINES);
        let field = app.composer.field(field_columns(area), usize::from(most));
        let composer = u16::try_from(field.lines.len()).unwrap_or(most);
        let banner = u16::from(app.connection != Connection::Open);
        let ask = ask::height(app, usize::from(area.width)).min(area.height / 3);
        // In a small terminal the field comes first, then the conversation.
        let mut left = area.height.saturating_sub(composer);
        let mut take = |wanted: u16, keeps: u16| {
            let taken = if left >= wanted + keeps { wanted } else { 0 };
            left -= taken;
            taken
        };
        let status = take(1, 0);
        let banner = take(banner, 1);
        let ask = take(ask, 1);
        let header = take(1, 2);
        let mut y = area.y;
        let mut part = |height: u16| {
            let part = Rect { x: area.x, y, width: area.width, height };
            y += height;
            part
        };
        Parts {
            header: part(header),
            banner: part(banner),
            rows: part(left),
            ask: part(ask),
            status: part(status),
            composer: part(composer.min(area.height)),
        }
    }
}

/// Writes a line into the row of an area, if it has that row.
fn put(buffer: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

fn header(buffer: &mut Buffer, area: Rect, app: &App) {
    let entries = app.entries();
    let title = entries.get(app.current()).map(|entry| clean_line(&entry.title)).unwrap_or_default();
    let agent = clean_line(&app.chat.agent());
    let mut right = Vec::new();
    if let Some(model) = &app.chat.model {
        right.push(clean_line(model));
    }
    if !agent.is_empty() {
        right.push(format!("agent {agent}"));
    }
    right.push(
        match app.connection {
            Connection::Open => "● connected",
            Connection::Connecting => "○ connecting",
            Connection::Waiting(..) => "○ offline",
        }
        .to_owned(),
    );
    let right = right.join(" · ");
    let columns = usize::from(area.width);
    let title = cut(&title, columns.saturating_sub(width(&right) + 3));
    let space = columns.saturating_sub(width(&title) + width(&right) + 2);
    let text = format!(" {title}{}{right} ", " ".repeat(space));
    put(buffer, area, 0, &Line::styled(text, app.look.theme.selected()));
}

fn banner(buffer: &mut Buffer, area: Rect, app: &App) {
    let Connection::Waiting(until, why) = &app.connection else {
        let line = Line::styled(" Connecting to the gateway…", app.look.theme.bad());
        return put(buffer, area, 0, &line);
    };
    let why = if why.is_empty() { "No connection" } else { why };
    let left = until.0.saturating_sub(app.now.mono.0).as_millis().div_ceil(1000);
    let text = format!(" {}. What you write is kept. Next try in {left} s (Ctrl+R: now)", clean_line(why));
    put(buffer, area, 0, &Line::styled(cut(&text, usize::from(area.width)), app.look.theme.bad()));
}

fn rows(buffer: &mut Buffer, area: Rect, app: &mut App) {
    let (columns, lines) = (usize::from(area.width), usize::from(area.height));
    if app.chat.rows.is_empty() && app.chat.session.is_some() {
        return welcome(buffer, area, app);
    }
    let view = app.chat.rows.view(columns.saturating_sub(1), lines, &app.look);
    for (row, line) in (0..).zip(&view.lines) {
        put(buffer, area, row, line);
    }
    if view.below > 0 && lines > 0 {
        let text = format!(" ↓ {} more lines (Ctrl+End) ", view.below);
        let columns = u16::try_from(width(&text)).unwrap_or(area.width).min(area.width);
        let x = area.x + area.width - columns;
        buffer.set_stringn(x, area.bottom() - 1, text, usize::from(columns), app.look.theme.selected());
    }
}

/// What an empty conversation says.
fn welcome(buffer: &mut Buffer, area: Rect, app: &App) {
    let agent = clean_line(&app.chat.agent());
    let dim = app.look.theme.dim();
    let lines = match &app.chat.place {
        Place::Chat(_) => [
            Line::from(vec![
                Span::raw(" You write to the agent "),
                Span::styled(agent, app.look.theme.agent()),
            ]),
            Line::styled(" Write something below. /help lists the commands, F1 the keys.", dim),
        ],
        Place::Session(_) => [Line::raw(" Nothing was said in this session yet."), Line::default()],
    };
    for (row, line) in (1..).zip(&lines) {
        put(buffer, area, row, line);
    }
}

fn status(buffer: &mut Buffer, area: Rect, app: &App) {
    if area.is_empty() {
        return;
    }
    let theme = app.look.theme;
    let mut spans = vec![Span::raw(" ")];
    if let Some(sentence) = &app.sentence {
        spans.push(Span::styled(clean_line(sentence), theme.notice().add_modifier(Modifier::BOLD)));
    } else {
        spans.extend(work(app));
    }
    let hint =
        if app.in_list { "Enter opens · n new · Esc back " } else { "F1 keys · Tab conversations " };
    put(buffer, area, 0, &Line::styled("─".repeat(usize::from(area.width)), theme.dim()));
    put(buffer, area, 0, &Line::from(spans.clone()));
    let used: usize = spans.iter().map(|span| width(&span.content)).sum();
    let columns = usize::from(area.width);
    if columns > used + width(hint) + 2 {
        let x = area.x + area.width - u16::try_from(width(hint)).unwrap_or_default();
        buffer.set_stringn(x, area.y, hint, width(hint), theme.dim());
    }
}

/// What is under way.
fn work(app: &App) -> Vec<Span<'static>> {
    let theme = app.look.theme;
    let chat = &app.chat;
    if !chat.is_running() {
        return Vec::new();
    }
    let agent = match clean_line(&chat.agent()) {
        agent if agent.is_empty() => "The agent".to_owned(),
        agent => agent,
    };
    let mut words = match &chat.tool {
        _ if !chat.is_writing() && chat.asks.any() => format!("{agent} waits for an answer"),
        Some(tool) => format!("{agent} runs {}", clean_line(tool)),
        None if chat.is_writing() => format!("{agent} writes"),
        None => format!("{agent} thinks"),
    };
    if chat.waiting() > 0 {
        words.push_str(&format!(" · {} in line", chat.waiting()));
    }
    words.push_str(" · Esc stops ");
    let spinner = SPINNER[app.ticks % SPINNER.len()];
    vec![Span::styled(format!("{spinner} "), theme.good()), Span::raw(words)]
}

fn field_columns(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(3)
}

/// Draws the field in which one writes. Returns where the cursor is.
fn composer(buffer: &mut Buffer, area: Rect, app: &App) -> Option<(u16, u16)> {
    if area.is_empty() {
        return None;
    }
    let theme = app.look.theme;
    let field = app.composer.field(field_columns(area), usize::from(area.height));
    put(buffer, area, 0, &Line::styled("> ", theme.me()));
    if app.composer.is_empty() && area.width > 2 {
        let wants_words = app.chat.asks.current().is_some_and(|ask| ask.choices.is_empty());
        let words = match &app.chat.place {
            Place::Session(key) => {
                format!("This conversation is on {}: it can only be read here", key.channel())
            }
            Place::Chat(_) if wants_words => "Your answer".to_owned(),
            Place::Chat(_) => "Write a message".to_owned(),
        };
        buffer.set_stringn(area.x + 2, area.y, words, field_columns(area), theme.dim());
    }
    for (row, line) in (0..area.height).zip(&field.lines).filter(|_| area.width > 2) {
        buffer.set_stringn(area.x + 2, area.y + row, line, field_columns(area), Style::new());
    }
    let (column, row) = field.cursor;
    let (column, row) = (u16::try_from(column).ok()?, u16::try_from(row).ok()?);
    (area.height > row && area.width > 2).then(|| (area.x + 2 + column, area.y + row))
}
