//! A message that waits has a reaction of the bot.

use frontdesk_botapi::BOT;

use crate::program::{NewHome, until};
use crate::telegram::Telegram;

#[test]
fn a_message_that_waits_has_a_reaction_until_it_is_answered() {
    let telegram = Telegram::start();
    let home = NewHome::new();
    let daemon = telegram.gateway(&home, "dm_policy = \"open\"\nacknowledge = \"👀\"");
    let anna = telegram.user(7, "Anna");
    anna.tells("!slow 3000 one two three");
    anna.tells("and this?");
    let reactions = || {
        let shown = anna.user.sees().into_iter().find(|shown| shown.text == "and this?" && shown.from != BOT);
        shown.unwrap().reactions
    };
    until("it has a reaction", || reactions() == [(BOT, "👀".to_owned())]);
    anna.sees("one two three");
    until("it has none", || reactions().is_empty());
    anna.sees("and this?");
    daemon.stop().good();
}
