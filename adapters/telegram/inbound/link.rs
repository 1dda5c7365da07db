//! Links whose target the text does not show.

use super::mention::bytes;
use super::model::{Entity, EntityKind};
use frontdesk_core::message::Link;

/// Words in which the target of every hidden link stands behind its label.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Spelled {
    pub text: String,
    /// What Telegram marked, where it stands now.
    pub entities: Vec<Entity>,
    pub links: Vec<Link>,
}

/// A target that is put into the text.
struct Target {
    /// Where, in bytes and as Telegram counts.
    at: (usize, usize),
    words: String,
}

/// Spells out where hidden links lead. People who are mentioned by a name that is no user name are named by their id
/// among the links; in the text their name is enough.
pub(super) fn spell_out(text: &str, entities: &[Entity]) -> Spelled {
    let (mut links, mut targets) = (Vec::new(), Vec::new());
    for (n, entity) in entities.iter().enumerate() {
        let Some(range) = bytes(text, entity.offset, entity.length) else { continue };
        let label = text[range.clone()].to_owned();
        match &entity.kind {
            EntityKind::TextLink(url) if !shows(&label, url) => {
                let link = Link { label, url: url.clone() };
                // One link may come in several pieces, of which each is written differently.
                let goes_on = entities[n + 1..]
                    .iter()
                    .any(|next| next.kind == entity.kind && next.offset == entity.offset + entity.length);
                if !goes_on {
                    let at = (range.end, entity.offset + entity.length);
                    targets.push(Target { at, words: link.beside() });
                }
                links.push(link);
            }
            EntityKind::TextMention(user) => links.push(person(label, *user)),
            _ => {}
        }
    }
    targets.sort_by_key(|target| target.at);
    Spelled { text: with(text, &targets), entities: moved(entities, &targets), links }
}

fn person(label: String, user: i64) -> Link {
    Link { label, url: format!("tg://user?id={user}") }
}

/// Whether a label is its target.
fn shows(label: &str, url: &str) -> bool {
    label.trim_end_matches('/') == url.trim_end_matches('/')
}

fn with(text: &str, targets: &[Target]) -> String {
    let (mut spelled, mut from) = (String::with_capacity(text.len()), 0);
    for Target { at: (at, _), words } in targets {
        spelled.push_str(&text[from..*at]);
        spelled.push_str(words);
        from = *at;
    }
    spelled.push_str(&text[from..]);
    spelled
}

/// A target belongs to nothing that ends before it or begins behind it.
fn moved(entities: &[Entity], targets: &[Target]) -> Vec<Entity> {
    let before = |most: &dyn Fn(usize) -> bool| -> usize {
        let targets = targets.iter().filter(|target| most(target.at.1));
        targets.map(|target| target.words.encode_utf16().count()).sum()
    };
    let all = entities.iter().map(|entity| {
        let end = entity.offset.saturating_add(entity.length);
        let offset = entity.offset.saturating_add(before(&|at| at <= entity.offset));
        let end = end.saturating_add(before(&|at| at < end));
        Entity { kind: entity.kind.clone(), offset, length: end.saturating_sub(offset) }
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn link(offset: usize, length: usize, url: &str) -> Entity {
        Entity { kind: EntityKind::TextLink(url.into()), offset, length }
    }

    fn code(offset: usize, length: usize) -> Entity {
        Entity { kind: EntityKind::Shown, offset, length }
    }

    #[test]
    fn a_hidden_target_stands_beside_its_label() {
        let spelled = spell_out("👋 read this", &[link(8, 4, "https://e.com/p?a=1")]);
        assert_eq!(spelled.text, "👋 read this (https://e.com/p?a=1)");
        assert_eq!(spelled.links, [Link { label: "this".into(), url: "https://e.com/p?a=1".into() }]);
    }

    #[test]
    fn two_links_each_have_their_target_and_marks_keep_their_words() {
        let entities =
            [link(0, 3, "https://a.example/"), code(4, 3), link(8, 3, "https://b.example/"), code(0, 11)];
        let spelled = spell_out("one two tri", &entities);
        assert_eq!(spelled.text, "one (https://a.example/) two tri (https://b.example/)");
        let words = |n: usize| {
            let Entity { offset, length, .. } = spelled.entities[n];
            &spelled.text[offset..offset + length]
        };
        assert_eq!(
            (0..4).map(words).collect::<Vec<_>>(),
            ["one", "two", "tri", "one (https://a.example/) two tri"]
        );
    }

    #[test]
    fn a_target_cannot_leave_its_bracket() {
        let spelled = spell_out("this", &[link(0, 4, "https://e.com/a)%0A(b")]);
        assert_eq!(spelled.text, "this (https://e.com/a%29%0A%28b)");
    }

    #[test]
    fn a_target_that_can_be_read_is_not_said_twice() {
        let spelled = spell_out("https://e.com", &[link(0, 13, "https://e.com")]);
        assert_eq!((spelled.text.as_str(), spelled.links.len()), ("https://e.com", 0));
    }

    #[test]
    fn a_link_in_pieces_has_one_target_in_the_text() {
        let pieces = [link(0, 3, "https://e.com/"), code(3, 4), link(3, 4, "https://e.com/")];
        assert_eq!(
            spell_out("see this", &pieces).text,
            "see this".replace("see thi", "see thi (https://e.com/)")
        );
    }

    #[test]
    fn who_is_mentioned_without_a_user_name_is_known_by_id() {
        let mention = Entity { kind: EntityKind::TextMention(1002), offset: 4, length: 3 };
        let spelled = spell_out("ask Ben", &[mention]);
        assert_eq!(spelled.text, "ask Ben");
        assert_eq!(spelled.links, [Link { label: "Ben".into(), url: "tg://user?id=1002".into() }]);
    }

    proptest! {
        #[test]
        fn no_entities_panic(text in r"\PC{0,20}", all in prop::collection::vec((0_usize..30, 0_usize..30, any::<bool>()), 0..5)) {
            let entity = |(offset, length, huge): (usize, usize, bool)| {
                link(if huge { usize::MAX } else { offset }, length, "https://e.com/")
            };
            let entities: Vec<Entity> = all.into_iter().map(entity).collect();
            let spelled = spell_out(&text, &entities);
            prop_assert_eq!(spelled.text.replace(" (https://e.com/)", ""), text.replace(" (https://e.com/)", ""));
        }
    }
}
