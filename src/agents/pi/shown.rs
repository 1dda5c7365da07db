//! How a permission question shows the parameters of a tool call. People decide by this text, so a command is shown as a whole
//! or not at all, and remarks about what was left out stand in double brackets, which are escaped in the parameters.

use frontdesk_core::visible;
use serde_json::Value;

/// How much of a call's parameters a question shows, in characters.
const MOST: usize = 1600;
/// How many characters a line break counts as.
const LINE: usize = 10;
/// The longest space between two words that is shown as it is, in characters.
const SPACE: usize = 16;
/// What must be left for a parameter of which only the beginning and the end are shown.
const LEAST: usize = 80;
/// The longest name of a parameter.
const NAME: usize = 64;
/// Parameters that are run: their effect cannot be judged from a part.
const RUN: [&str; 3] = ["command", "code", "script"];

const TOO_LONG: &str = "The command is too long to be shown to a person, who would have to permit it. Write a script file and run it.";
const TOO_MANY: &str =
    "The call has more parameters than can be shown to a person, who would have to permit it.";

/// The parameters as a code block, or why the tool may not run because nobody could judge them.
pub(super) fn params(params: &Value) -> Result<String, &'static str> {
    let mut fields: Vec<Field> = match params.as_object() {
        Some(fields) => fields.iter().map(|(name, value)| Field::new(name, value)).collect(),
        None => vec![Field::new("", params)],
    };
    if let [only] = fields.as_mut_slice()
        && only.is_run
    {
        only.name.clear();
    }
    fields.sort_by_key(|field| (!field.is_run, field.width()));
    let mut left = MOST;
    let mut count = fields.len();
    for field in &mut fields {
        let may = if field.is_run { left } else { left / count };
        if field.width() > may {
            match field.is_run {
                true => return Err(TOO_LONG),
                false if may < LEAST + field.name.chars().count() => return Err(TOO_MANY),
                false => field.shorten(may),
            }
        }
        left = left.saturating_sub(field.width());
        count -= 1;
    }
    // A parameter that is run is read last, like the content of a file.
    fields.sort_by_key(Field::width);
    Ok(block(&fields.iter().map(Field::text).collect::<Vec<_>>().join("\n")))
}

struct Field {
    name: String,
    is_run: bool,
    pieces: Vec<Piece>,
}

/// A part of a text as it is shown.
struct Piece {
    shown: String,
    /// How many characters of the text it stands for.
    stands_for: usize,
}

impl Field {
    fn new(name: &str, value: &Value) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut shown_name = Self { name: String::new(), is_run: false, pieces: pieces(name) };
        if shown_name.width() > NAME {
            shown_name.shorten(NAME);
        }
        let name_shown = shown_name.text().replace('\n', " ");
        let name_shown = if name.is_empty() { name_shown } else { format!("{name_shown}: ") };
        Self { name: name_shown, is_run: RUN.contains(&name), pieces: pieces(&text) }
    }

    fn width(&self) -> usize {
        self.name.chars().count() + LINE + self.pieces.iter().map(Piece::width).sum::<usize>()
    }

    /// Keeps as much of the beginning and of the end as fits in.
    fn shorten(&mut self, may: usize) {
        const MARK: usize = 40;
        let may = may.saturating_sub(self.name.chars().count() + LINE + MARK);
        let fitting = |pieces: &mut dyn Iterator<Item = &Piece>, may: usize| {
            let mut width = 0;
            let fits = |piece: &&Piece| {
                width += piece.width();
                width <= may
            };
            pieces.take_while(fits).count()
        };
        let head = fitting(&mut self.pieces.iter(), may * 2 / 3);
        let tail = fitting(&mut self.pieces[head..].iter().rev(), may / 3);
        let end = self.pieces.len() - tail;
        let stands_for: usize = self.pieces[head..end].iter().map(|piece| piece.stands_for).sum();
        let shown = format!(" ⟦{stands_for} characters not shown⟧ ");
        self.pieces.splice(head..end, [Piece { shown, stands_for }]);
    }

    /// Further lines of a parameter with a name are indented, so that they cannot pass for other parameters.
    fn text(&self) -> String {
        let text: String = self.pieces.iter().map(|piece| piece.shown.as_str()).collect();
        if self.name.is_empty() { text } else { format!("{}{}", self.name, text.replace('\n', "\n  ")) }
    }
}

impl Piece {
    fn width(&self) -> usize {
        self.shown.chars().map(|c| if c == '\n' { LINE } else { 1 }).sum()
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

/// The text with everything written out that a reader would not see, and long gaps replaced.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let gap = rest.find(|c| !is_blank(c)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(if gap == 0 { c.len_utf8() } else { gap });
        let shown = if gap > 0 { gap_shown(piece) } else { letter(c) };
        pieces.push(Piece { shown, stands_for: piece.chars().count() });
        rest = after;
    }
    pieces
}

fn letter(c: char) -> String {
    match c {
        // Only ours are brackets of this kind.
        '⟦' | '⟧' | '〚' | '〛' => c.escape_unicode().to_string(),
        c if !visible::shows(c) || visible::is_deceptive(c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    }
}

fn gap_shown(gap: &str) -> String {
    let lines = gap.matches('\n').count();
    let spaces = gap.matches(' ').count();
    let count = gap.len();
    if lines <= 2 && spaces + 4 * gap.matches('\t').count() <= SPACE {
        return gap.to_owned();
    }
    let of = match () {
        () if spaces == count => "spaces",
        () if lines == count => "line breaks",
        () => "spaces, tabs and line breaks",
    };
    format!(" ⟦{count} {of}⟧{}", if lines > 0 { '\n' } else { ' ' })
}

/// A text as a code block that it cannot end.
fn block(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: Value) -> String {
        params(&value).unwrap()
    }

    #[test]
    fn a_command_cannot_be_hidden_behind_blank_space() {
        let gap = |gap: &str| shown(json!({"command": format!("ls{gap}; echo PWNED > file")}));
        assert_eq!(gap(&" ".repeat(1500)), "```\nls ⟦1500 spaces⟧ ; echo PWNED > file\n```");
        assert_eq!(gap(&"\n".repeat(1500)), "```\nls ⟦1500 line breaks⟧\n; echo PWNED > file\n```");
        assert!(gap(&" \n\t".repeat(500)).contains("ls ⟦1500 spaces, tabs and line breaks⟧\n; echo PWNED"));
        // Characters that only look blank are written out.
        assert!(gap("\u{a0}\u{2800}\u{200d}\r").contains("ls\\u{a0}\\u{2800}\\u{200d}\\u{d}; echo PWNED"));
        assert_eq!(gap("\n    \t"), "```\nls\n    \t; echo PWNED > file\n```");
    }

    #[test]
    fn what_is_run_is_shown_as_a_whole_or_not_asked_about() {
        for long in ["x".repeat(2000), "\u{a0}".repeat(300), "a\n".repeat(200)] {
            assert_eq!(params(&json!({"command": long, "timeout": 5})), Err(TOO_LONG));
            assert_eq!(params(&json!({"code": long})), Err(TOO_LONG));
        }
        let long = "y".repeat(1500);
        assert!(
            shown(json!({"command": long, "timeout": 5})).contains(&format!("timeout: 5\ncommand: {long}"))
        );
    }

    #[test]
    fn a_long_parameter_comes_after_the_short_ones_with_its_beginning_and_its_end() {
        let content = format!("begin{}end", "x".repeat(5000));
        let text = shown(json!({"content": content, "path": "/etc/cron.d/x"}));
        assert!(text.starts_with("```\npath: /etc/cron.d/x\ncontent: beginxxx"), "{text}");
        assert!(text.ends_with("xxxend\n```"), "{text}");
        let mark = text.split_once('⟦').unwrap().1.split_once(" characters not shown⟧").unwrap().0;
        assert_eq!(mark.parse::<usize>().unwrap() + text.matches('x').count() - 1, 5000);
        let many: serde_json::Map<_, _> =
            (0..40).map(|n| (format!("p{n}"), json!("x".repeat(500)))).collect();
        assert_eq!(params(&many.into()), Err(TOO_MANY));
    }

    #[test]
    fn parameters_can_imitate_neither_a_mark_nor_another_parameter_nor_the_end_of_the_block() {
        let text = shown(json!({"command": "a ⟦9 spaces⟧ 〚b〛 ```"}));
        assert_eq!(text, "````\na \\u{27e6}9 spaces\\u{27e7} \\u{301a}b\\u{301b} ```\n````");
        let text = shown(json!({"path": "a\nzone: b", "x\ny": 1}));
        assert!(text.contains("\npath: a\n  zone: b\n") && text.contains("\nx y: 1\n"), "{text}");
    }
}
