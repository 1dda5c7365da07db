//! Markdown that stays as the agent wrote it and is cut only where it is too long.
//!
//! A code fence that is cut is closed and opened again. In a list or a quote it gets the indentation of that line. In a
//! list that is indented by four or more this does not work, and the fence becomes text.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use super::{PLACEHOLDER, Part, intake, number, parse, plain};
use crate::limit::Limit;
use crate::split::{self, Fit};
use crate::visible::is_visible;

/// A fenced code block in the source.
struct Fence {
    /// From the end of the opening line to the end of the last line of code.
    inside: Range<usize>,
    /// Where the closing line ends.
    end: usize,
    opener: String,
    closer: String,
}

pub(super) fn render(text: &str, limit: Limit) -> Vec<Part> {
    if limit.holds(text) {
        return number(std::iter::once((text.to_owned(), plain_within(text, limit))));
    }
    let fences = fences(text);
    let mut body = String::new();
    let pieces = split::split(
        text,
        limit.max,
        |range, with_marks| {
            body.clear();
            write(text, &fences, range, with_marks, &mut body);
            limit.holds(&body)
        },
        |_| false,
    );
    let bodies = pieces.into_iter().map(|piece| {
        let mut body = String::new();
        match piece.fit {
            Fit::Placeholder => body.push_str(PLACEHOLDER),
            fit => write(text, &fences, piece.range, fit == Fit::Full, &mut body),
        }
        body
    });
    // A piece that contained only the end of a fence is empty now.
    number(bodies.filter(|body| is_visible(body)).map(|body| {
        let plain = plain_within(&body, limit);
        (body, plain)
    }))
}

/// Plain text can be longer than its source (`-` becomes `•`). Then the source is used.
fn plain_within(body: &str, limit: Limit) -> String {
    let plain = plain(body);
    if limit.holds(&plain) && is_visible(&plain) { plain } else { body.to_owned() }
}

fn write(text: &str, fences: &[Fence], piece: Range<usize>, with_marks: bool, out: &mut String) {
    let around = |at: usize| {
        let fence = fences.partition_point(|fence| fence.end < at);
        fences.get(fence).filter(|_| with_marks)
    };
    let mut start = piece.start;
    if let Some(fence) = around(start).filter(|fence| fence.inside.start < start) {
        if start <= fence.inside.end {
            out.push_str(&fence.opener);
        } else {
            // The piece before has closed it already.
            start = fence.end.min(piece.end);
        }
    }
    out.push_str(&text[start..piece.end]);
    if let Some(fence) = around(piece.end)
        && (fence.inside.start..=fence.inside.end).contains(&piece.end)
        && start < piece.end
    {
        out.push_str(&fence.closer);
    }
}

fn fences(text: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    if intake::is_too_deep(text) {
        return fences;
    }
    for (event, range) in Parser::new_ext(text, parse::options()).into_offset_iter() {
        if let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) = event {
            fences.extend(fence(text, range));
        }
    }
    fences
}

fn fence(text: &str, range: Range<usize>) -> Option<Fence> {
    let block = &text[range.clone()];
    let opening = block.lines().next()?;
    let mark = opening.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let width = opening.len() - opening.trim_start_matches(mark).len();
    let line = text[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
    let indent: String =
        text[line..range.start].chars().map(|char| if char == '>' { '>' } else { ' ' }).collect();
    let ticks = &opening[..width];
    let block = block.trim_end();
    let last = block.rfind('\n')?;
    let closes = |line: &str| {
        let line = line.trim_start_matches([' ', '\t', '>']);
        line.len() >= width && line.chars().all(|char| char == mark)
    };
    let end = range.start + block.len();
    Some(Fence {
        inside: range.start + opening.len()..if closes(block[last..].trim_start_matches('\n')) {
            range.start + last
        } else {
            end
        },
        end,
        opener: format!("{indent}{opening}\n"),
        closer: format!("\n{indent}{ticks}"),
    })
}
