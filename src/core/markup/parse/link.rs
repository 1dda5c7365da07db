//! Links: marked where the dialect can, spelled out where it cannot.

use pulldown_cmark::LinkType;

use super::super::Style;
use super::super::styled::{Link, Look, told};
use super::Reader;

/// Where a link's text began.
pub(super) struct Anchor {
    url: String,
    title: String,
    start: usize,
    /// The ink before it.
    ink: usize,
    /// Whether the address has to be spelled out, the dialect having no mark for it.
    spell: bool,
}

impl Reader<'_> {
    pub(super) fn start_link(&mut self, link_type: LinkType, url: &str, title: &str) {
        self.flush();
        if self.in_link {
            // An image inside a link: its text is the link's.
            return self.outer.push((self.look, None));
        }
        self.in_link = true;
        let url = match link_type {
            LinkType::Email => format!("mailto:{url}"),
            _ => url.trim().chars().filter(|char| !char.is_control()).collect(),
        };
        let spell = !self.fits_a_link(&url);
        let outer = self.look;
        if !spell {
            self.styled.links.push(Link { url: url.clone(), end: 0, told: false });
            self.look.link = self.styled.links.len() as u32;
        }
        let (title, start, ink) = (title.trim().to_owned(), self.styled.text.len(), self.ink);
        self.outer.push((outer, Some(Anchor { url, title, start, ink, spell })));
    }

    /// Whether the dialect can show this link, and some text of it in every part. An address that takes
    /// half a message or more is spelled out, because text can be cut and a mark cannot.
    fn fits_a_link(&self, url: &str) -> bool {
        let mut mark = String::new();
        if self.look.pre != 0 || !(self.marks.open)(Style::Link { url }, &mut mark) {
            return false;
        }
        (self.marks.close)(Style::Link { url }, &mut mark);
        let unit = self.limit.unit;
        let longest = unit.len(&mark).max(unit.len(url) + " ()".len());
        longest <= self.limit.max / 2 && self.trappings <= self.limit.max / 2
    }

    pub(super) fn end_link(&mut self, anchor: Anchor, outer: Look) {
        let Anchor { url, title, start, ink, spell } = anchor;
        self.in_link = false;
        // A link without words shows its address.
        let bare = self.ink == ink;
        if bare {
            self.text(told(&url));
        }
        if !title.is_empty() && self.styled.text[start..].trim() != title {
            self.text(&format!(" ({title})"));
        }
        let shown = &self.styled.text[start..];
        let told_already = bare || url.is_empty() || [url.as_str(), told(&url)].contains(&shown.trim());
        let end = start + shown.trim_end().len();
        if !spell {
            if let Some(link) = self.styled.links.last_mut() {
                (link.end, link.told) = (end, told_already);
            }
        } else if !told_already {
            // The address follows the last word, wherever the link's mark ended.
            let after = shown[end - start..].to_owned();
            self.styled.truncate(end);
            self.look = outer;
            self.text(&format!(" ({})", told(&url)));
            self.styled.push(&after, self.worn());
        }
    }
}
