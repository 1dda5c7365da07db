//! Markdown that stays as the agent wrote it, and is cut only where it is too long.
//!
//! A fence that is cut is closed and opened again. In a list or a quote it is given that line's
//! indentation; a list indented by four or more does not survive the cut, and its fence is then text.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use super::{Part, STAND_IN, intake, number, parse, plain};
use crate::blank::is_visible;
use crate::profile::Limit;
use crate::split::{self, Fit};

/// A block of code between fences, in the source.
struct Fence {
    /// From the end of the line that opens it to the end of its last line of code.
    inside: Range<usize>,
    /// Where the line that closes it ends.
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
        |range, dressed| {
            body.clear();
            write(text, &fences, range, dressed, &mut body);
            limit.holds(&body)
        },
        |_| false,
    );
    let bodies = pieces.into_iter().map(|piece| {
        let mut body = String::new();
        match piece.dress {
            Fit::StandIn => body.push_str(STAND_IN),
            dress => write(text, &fences, piece.range, dress == Fit::Full, &mut body),
        }
        body
    });
    // A piece that was nothing but the end of a fence is empty by now.
    number(bodies.filter(|body| is_visible(body)).map(|body| {
        let plain = plain_within(&body, limit);
        (body, plain)
    }))
}

/// Plain text can be longer than its source (`-` becomes `•`); then the source is plain enough.
fn plain_within(body: &str, limit: Limit) -> String {
    let plain = plain(body);
    if limit.holds(&plain) && is_visible(&plain) { plain } else { body.to_owned() }
}

fn write(text: &str, fences: &[Fence], piece: Range<usize>, dressed: bool, out: &mut String) {
    let around = |at: usize| {
        let fence = fences.partition_point(|fence| fence.end < at);
        fences.get(fence).filter(|_| dressed)
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
