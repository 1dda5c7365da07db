//! Links whose target the text does not show.

use super::mention::bytes;
use super::model::{Entity, EntityKind};
use frontdesk_core::message::Link;

/// A text in which the target of every hidden link follows its label.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ExpandedText {
    pub text: String,
    /// The entities, at their new positions.
    pub entities: Vec<Entity>,
    pub links: Vec<Link>,
}

/// A target that is inserted into the text.
struct Target {
    /// The position in bytes and in UTF-16 units.
    at: (usize, usize),
    words: String,
}

/// Inserts the targets of hidden links into the text. A person who is mentioned by a name that is no user name becomes
/// a link with their id; the text is not changed for it.
pub(super) fn expand_links(text: &str, entities: &[Entity]) -> ExpandedText {
    let (mut links, mut targets) = (Vec::new(), Vec::new());
    for (n, entity) in entities.iter().enumerate() {
        let Some(range) = bytes(text, entity.offset, entity.length) else { continue };
        let label = text[range.clone()].to_owned();
        match &entity.kind {
            EntityKind::TextLink(url) if !shows(&label, url) => {
                let link = Link { label, url: url.clone() };
                // One link may consist of several entities, if parts of it have different formatting.
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
    ExpandedText { text: with(text, &targets), entities: moved(entities, &targets), links }
}

fn person(label: String, user: i64) -> Link {
    Link { label, url: format!("tg://user?id={user}") }
}

/// Whether the label shows the target.
fn shows(label: &str, url: &str) -> bool {
    label.trim_end_matches('/') == url.trim_end_matches('/')
}

fn with(text: &str, targets: &[Target]) -> String {
    let (mut expanded, mut from) = (String::with_capacity(text.len()), 0);
    for Target { at: (at, _), words } in targets {
        expanded.push_str(&text[from..*at]);
        expanded.push_str(words);
        from = *at;
    }
    expanded.push_str(&text[from..]);
    expanded
}

/// Moves the entities. An inserted target does not become part of an entity that ends before it or begins after it.
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
        Entity { kind: EntityKind::Formatting, offset, length }
    }

    #[test]
    fn a_hidden_target_follows_its_label() {
        let expanded = expand_links("👋 read this", &[link(8, 4, "https://e.com/p?a=1")]);
        assert_eq!(expanded.text, "👋 read this (https://e.com/p?a=1)");
        assert_eq!(expanded.links, [Link { label: "this".into(), url: "https://e.com/p?a=1".into() }]);
    }

    #[test]
    fn two_links_each_have_their_target_and_entities_keep_their_text() {
        let entities =
            [link(0, 3, "https://a.example/"), code(4, 3), link(8, 3, "https://b.example/"), code(0, 11)];
        let expanded = expand_links("one two tri", &entities);
        assert_eq!(expanded.text, "one (https://a.example/) two tri (https://b.example/)");
        let words = |n: usize| {
            let Entity { offset, length, .. } = expanded.entities[n];
            &expanded.text[offset..offset + length]
        };
        assert_eq!(
            (0..4).map(words).collect::<Vec<_>>(),
            ["one", "two", "tri", "one (https://a.example/) two tri"]
        );
    }

    #[test]
    fn a_target_cannot_leave_its_bracket() {
        let expanded = expand_links("this", &[link(0, 4, "https://e.com/a)%0A(b")]);
        assert_eq!(expanded.text, "this (https://e.com/a%29%0A%28b)");
    }

    #[test]
    fn a_visible_target_is_not_repeated() {
        let expanded = expand_links("https://e.com", &[link(0, 13, "https://e.com")]);
        assert_eq!((expanded.text.as_str(), expanded.links.len()), ("https://e.com", 0));
    }

    #[test]
    fn a_link_in_pieces_has_one_target_in_the_text() {
        let pieces = [link(0, 3, "https://e.com/"), code(3, 4), link(3, 4, "https://e.com/")];
        assert_eq!(
            expand_links("see this", &pieces).text,
            "see this".replace("see thi", "see thi (https://e.com/)")
        );
    }

    #[test]
    fn a_person_mentioned_without_a_user_name_is_linked_by_id() {
        let mention = Entity { kind: EntityKind::TextMention(1002), offset: 4, length: 3 };
        let expanded = expand_links("ask Ben", &[mention]);
        assert_eq!(expanded.text, "ask Ben");
        assert_eq!(expanded.links, [Link { label: "Ben".into(), url: "tg://user?id=1002".into() }]);
    }

    proptest! {
        #[test]
        fn no_entities_panic(text in r"\PC{0,20}", all in prop::collection::vec((0_usize..30, 0_usize..30, any::<bool>()), 0..5)) {
            let entity = |(offset, length, huge): (usize, usize, bool)| {
                link(if huge { usize::MAX } else { offset }, length, "https://e.com/")
            };
            let entities: Vec<Entity> = all.into_iter().map(entity).collect();
            let expanded = expand_links(&text, &entities);
            prop_assert_eq!(expanded.text.replace(" (https://e.com/)", ""), text.replace(" (https://e.com/)", ""));
        }
    }
}
