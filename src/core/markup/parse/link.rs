//! Links: marked if the dialect can, else written out.

use pulldown_cmark::LinkType;

use super::super::Style;
use super::super::styled::{Format, Link, display_target};
use super::Reader;

/// A link whose text is being read.
pub(super) struct OpenLink {
    url: String,
    title: String,
    start: usize,
    /// The number of visible characters before it.
    visible: usize,
    /// Whether the address has to be written out, because the dialect has no mark for it.
    spell: bool,
}

impl Reader<'_> {
    pub(super) fn start_link(&mut self, link_type: LinkType, url: &str, title: &str) {
        self.flush();
        if self.in_link {
            // An image inside a link: its text belongs to the link.
            return self.outer.push((self.format, None));
        }
        self.in_link = true;
        let url = match link_type {
            LinkType::Email => format!("mailto:{url}"),
            _ => url.trim().chars().filter(|char| !char.is_control()).collect(),
        };
        let spell = !self.fits_a_link(&url);
        let outer = self.format;
        if !spell {
            self.styled.links.push(Link { url: url.clone(), end: 0, shows_target: false });
            self.format.link = self.styled.links.len() as u32;
        }
        let (title, start, visible) = (title.trim().to_owned(), self.styled.text.len(), self.visible);
        self.outer.push((outer, Some(OpenLink { url, title, start, visible, spell })));
    }

    /// Whether the dialect can show this link together with some text in every part. An address that takes half a
    /// message or more is written out, because text can be cut and a mark cannot.
    fn fits_a_link(&self, url: &str) -> bool {
        let mut mark = String::new();
        if self.format.pre != 0 || !(self.marks.open)(Style::Link { url }, &mut mark) {
            return false;
        }
        (self.marks.close)(Style::Link { url }, &mut mark);
        let unit = self.limit.unit;
        let longest = unit.len(&mark).max(unit.len(url) + " ()".len());
        longest <= self.limit.max / 2 && self.mark_length <= self.limit.max / 2
    }

    pub(super) fn end_link(&mut self, link: OpenLink, outer: Format) {
        let OpenLink { url, title, start, visible, spell } = link;
        self.in_link = false;
        // A link without text shows its address.
        let bare = self.visible == visible;
        if bare {
            self.text(display_target(&url));
        }
        if !title.is_empty() && self.styled.text[start..].trim() != title {
            self.text(&format!(" ({title})"));
        }
        let shown = &self.styled.text[start..];
        let shows_target =
            bare || url.is_empty() || [url.as_str(), display_target(&url)].contains(&shown.trim());
        let end = start + shown.trim_end().len();
        if !spell {
            if let Some(link) = self.styled.links.last_mut() {
                (link.end, link.shows_target) = (end, shows_target);
            }
        } else if !shows_target {
            // The address follows the last word, wherever the mark of the link ended.
            let after = shown[end - start..].to_owned();
            self.styled.truncate(end);
            self.format = outer;
            self.text(&format!(" ({})", display_target(&url)));
            self.styled.push(&after, self.shown_format());
        }
    }
}
