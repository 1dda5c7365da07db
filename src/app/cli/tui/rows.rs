//! The rows of a conversation. Each has an id, so that what arrives twice is shown once.

use std::ops::Range;

use ratatui::text::Line;

use super::row::{Look, Row, RowId, RowKey};

/// The rows, the oldest first. Messages that the gateway has not accepted stay at the end.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    last_key: u64,
    /// The first visible row and how many of its lines are above the screen; `None` at the end of the conversation.
    anchor: Option<(RowKey, usize)>,
}

impl Rows {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows, the oldest first.
    #[cfg(test)]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.iter()
    }

    fn position(&self, id: &RowId) -> Option<usize> {
        self.rows.iter().rposition(|row| row.id.as_ref() == Some(id))
    }

    /// The key of the row with this id.
    pub fn find(&self, id: &RowId) -> Option<RowKey> {
        self.position(id).map(|at| self.rows[at].key)
    }

    /// The row with this id.
    pub fn get_mut(&mut self, id: &RowId) -> Option<&mut Row> {
        let at = self.position(id)?;
        self.rows.get_mut(at)
    }

    /// The row with this id.
    pub fn get(&self, id: &RowId) -> Option<&Row> {
        self.position(id).map(|at| &self.rows[at])
    }

    /// The newest row for which this holds.
    pub fn last_mut(&mut self, holds: impl Fn(&Row) -> bool) -> Option<&mut Row> {
        self.rows.iter_mut().rfind(|row| holds(row))
    }

    /// The key of the first row.
    pub fn first(&self) -> Option<RowKey> {
        self.rows.first().map(|row| row.key)
    }

    /// The key of the first row of those that were not accepted.
    pub fn first_unsent(&self) -> Option<RowKey> {
        let is_unsent = |row: &&Row| matches!(row.id, Some(RowId::Unsent(_)));
        self.rows.iter().find(is_unsent).map(|row| row.key)
    }

    /// Adds a row before another one; without one at the end.
    pub fn add(&mut self, mut row: Row, before: Option<RowKey>) -> RowKey {
        self.last_key += 1;
        row.key = RowKey(self.last_key);
        let key = row.key;
        let is_unsent = matches!(row.id, Some(RowId::Unsent(_)));
        let before = before.or_else(|| self.first_unsent().filter(|_| !is_unsent));
        let at = before.and_then(|key| self.rows.iter().rposition(|row| row.key == key));
        self.rows.insert(at.unwrap_or(self.rows.len()), row);
        key
    }

    /// Moves a row before another one.
    pub fn put_before(&mut self, key: RowKey, before: RowKey) {
        let Some(from) = self.rows.iter().position(|row| row.key == key) else { return };
        let row = self.rows.remove(from);
        let at = self.rows.iter().position(|row| row.key == before).unwrap_or(self.rows.len());
        self.rows.insert(at, row);
    }

    /// Removes a row.
    pub fn remove(&mut self, id: &RowId) -> Option<Row> {
        let at = self.position(id)?;
        Some(self.rows.remove(at))
    }

    /// Keeps only the rows for which this holds.
    pub fn retain(&mut self, holds: impl Fn(&Row) -> bool) {
        self.rows.retain(|row| holds(row));
    }

    // -- the part that is on the screen --------------------------------------------------------------------

    /// Whether the view stays at the end.
    pub fn is_at_end(&self) -> bool {
        self.anchor.is_none()
    }

    /// Shows the end of the conversation.
    pub fn show_end(&mut self) {
        self.anchor = None;
    }

    /// Draws the rows, and returns the heights of all.
    fn heights(&mut self, columns: usize, look: &Look) -> Vec<usize> {
        self.rows.iter_mut().map(|row| row.draw(columns, look).len()).collect()
    }

    /// How many lines are above the screen.
    fn top(&self, heights: &[usize], height: usize) -> usize {
        let all: usize = heights.iter().sum();
        let end = all.saturating_sub(height);
        let Some((key, line)) = self.anchor else { return end };
        let Some(at) = self.rows.iter().position(|row| row.key == key) else { return end };
        (heights[..at].iter().sum::<usize>() + line.min(heights[at].saturating_sub(1))).min(end)
    }

    /// The lines on the screen, and how many are above and below.
    pub fn view(&mut self, columns: usize, height: usize, look: &Look) -> View {
        let heights = self.heights(columns, look);
        let all: usize = heights.iter().sum();
        let top = self.top(&heights, height);
        let mut lines = Vec::with_capacity(height);
        let mut at = 0;
        for (row, height_of_row) in self.rows.iter_mut().zip(&heights) {
            let seen = overlap(at..at + height_of_row, top..top + height);
            if !seen.is_empty() {
                lines.extend_from_slice(&row.draw(columns, look)[seen.start - at..seen.end - at]);
            }
            at += height_of_row;
        }
        View { lines, above: top, below: all.saturating_sub(top + height) }
    }

    /// Moves the view up or down by lines.
    pub fn scroll(&mut self, by: isize, columns: usize, height: usize, look: &Look) {
        let heights = self.heights(columns, look);
        let end = heights.iter().sum::<usize>().saturating_sub(height);
        let top = self.top(&heights, height).saturating_add_signed(by);
        if top >= end {
            return self.show_end();
        }
        let mut at = 0;
        for (row, height) in self.rows.iter().zip(&heights) {
            if top < at + height {
                self.anchor = Some((row.key, top - at));
                return;
            }
            at += height;
        }
    }
}

/// What is on the screen.
pub struct View {
    /// The visible lines.
    pub lines: Vec<Line<'static>>,
    /// How many lines are above them.
    pub above: usize,
    /// How many are below.
    pub below: usize,
}

fn overlap(one: Range<usize>, other: Range<usize>) -> Range<usize> {
    let start = one.start.max(other.start);
    start..one.end.min(other.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tui::row::RowKind;
    use crate::cli::tui::theme::Theme;

    const LOOK: Look = Look { theme: Theme::new(false), zone: chrono_tz::UTC };

    fn rows(count: u64) -> Rows {
        let mut rows = Rows::default();
        for n in 1..=count {
            let row = Row::new(RowKind::Mine, "You").id(RowId::Message(format!("m{n}")));
            rows.add(row.text(format!("text {n}")), None);
        }
        rows
    }

    fn shown(rows: &mut Rows, height: usize) -> Vec<String> {
        let view = rows.view(40, height, &LOOK);
        let plain = |line: &Line<'_>| line.spans.iter().map(|span| span.content.as_ref()).collect::<String>();
        view.lines.iter().map(plain).collect()
    }

    #[test]
    fn the_view_stays_at_the_end_until_somebody_scrolls_up() {
        let mut rows = rows(5);
        assert_eq!(shown(&mut rows, 3), ["You", "  text 5", ""]);
        rows.scroll(-3, 40, 3, &LOOK);
        assert_eq!(shown(&mut rows, 3), ["You", "  text 4", ""]);
        // What is added below or above moves nothing.
        rows.add(Row::new(RowKind::Mine, "You").text("text 6"), None);
        let first = rows.first();
        rows.add(Row::new(RowKind::Mine, "You").text("text 0"), first);
        assert_eq!(shown(&mut rows, 3), ["You", "  text 4", ""]);
        rows.scroll(100, 40, 3, &LOOK);
        assert!(rows.is_at_end());
        assert_eq!(shown(&mut rows, 3), ["You", "  text 6", ""]);
        rows.scroll(-100, 40, 3, &LOOK);
        assert_eq!(shown(&mut rows, 2), ["You", "  text 0"]);
    }

    #[test]
    fn what_was_not_accepted_stays_at_the_end() {
        let mut rows = Rows::default();
        rows.add(Row::new(RowKind::Mine, "You").id(RowId::Unsent("1".into())).text("later"), None);
        rows.add(Row::new(RowKind::Theirs, "main").text("earlier"), None);
        assert_eq!(shown(&mut rows, 9), ["main", "  earlier", "", "You", "  later", ""]);
    }

    #[test]
    fn a_narrower_screen_wraps_again() {
        let mut rows = Rows::default();
        rows.add(Row::new(RowKind::Mine, "You").text("one two three"), None);
        assert_eq!(rows.view(40, 9, &LOOK).lines.len(), 3);
        assert_eq!(rows.view(9, 9, &LOOK).lines.len(), 4);
    }
}
