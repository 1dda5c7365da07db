//! What concerns one person in a group is for them alone, where the platform can show that.

use std::time::Duration;

use frontdesk_runtime::config::Rate;
use frontdesk_world::event::message_from;
use frontdesk_world::{World, plan};

#[tokio::test]
async fn what_concerns_one_person_in_a_group_is_for_them_alone() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 6, burst: 3 })).await;
    let platform = world.platform();
    for (who, text, chat, says, is_for_them) in [
        ("root", "/gateway sessions", "-1", "group -1", true),
        ("anna", "/gateway sessions", "-1", "Only admins may manage the gateway.", true),
        ("root", "/gateway dance", "-1", "There is no request", true),
        ("anna", "/dance", "-1", "There is no command", true),
        ("root", "/link x y z", "-1", "Please write it like this", true),
        ("root", "hello?", "-9", "I do not answer in this group yet.", true),
        ("anna", "/status", "-1", "", false),
        ("ben", "hello", "-1", "hello", false),
    ] {
        let before = platform.chat(chat).len();
        platform.outcome_of(message_from(who, text).in_group(chat)).await;
        world.at_rest().await;
        let shown = platform.chat(chat).split_off(before);
        assert!(shown[0].text.contains(says), "{text}: {shown:?}");
        let reader = is_for_them.then(|| format!("fake:{who}"));
        assert!(shown.iter().all(|post| post.audience == reader), "{text}: {shown:?}");
        world.clock().pass(Duration::from_secs(10));
    }
    for _ in 0..4 {
        platform.outcome_of(message_from("ben", "faster").in_group("-1")).await;
    }
    let refused = platform.shows("-1", 1, |post| post.text.contains("too fast")).await;
    assert_eq!(refused[0].audience.as_deref(), Some("fake:ben"));
}
