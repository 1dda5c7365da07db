//! The sender of an event.

use frontdesk_core::address::Principal;
use frontdesk_core::message::{Sender, SenderKind};
use serde_json::Value;

use super::App;
use super::field::{Unread, text_of};

/// The id of a person: `U1`, and `T2/U1` for somebody of another workspace.
pub(super) fn id(app: &App, user: &str, team: Option<&str>) -> String {
    match team {
        Some(team) if team != app.team && Some(team) != app.enterprise.as_deref() => format!("{team}/{user}"),
        _ => user.to_owned(),
    }
}

/// Whether an id names another workspace.
pub(crate) fn is_of_another_team(id: &str) -> bool {
    id.contains('/')
}

/// Whether somebody with this id belongs to a workspace or an organisation.
pub(crate) fn is_of_team(app: &App, id: &str, team: &str) -> bool {
    match id.split_once('/') {
        Some((theirs, _)) => theirs == team,
        None => team == app.team || Some(team) == app.enterprise.as_deref(),
    }
}

pub(super) fn principal(app: &App, id: &str) -> Result<Principal, Unread> {
    Ok(Principal::at(&app.account, id)?)
}

/// The workspace of a message's author, if the message names it.
pub(super) fn team_of(message: &Value) -> Option<&str> {
    text_of(message, "user_team").or(text_of(message, "source_team")).or(text_of(message, "team"))
}

/// The author of a message. A message with a `bot_id` was written by a program, whatever name it shows.
pub(super) fn author(app: &App, message: &Value) -> Result<Sender, Unread> {
    let bot = text_of(message, "bot_id");
    let is_bot = bot.is_some() || message["subtype"] == "bot_message";
    let user = text_of(message, "user").or(bot).ok_or(Unread("user"))?;
    let kind = if is_bot { SenderKind::Bot } else { SenderKind::Person };
    let profile = &message["user_profile"];
    let name = text_of(profile, "display_name")
        .or(text_of(profile, "real_name"))
        .or(text_of(message, "username"))
        .or(text_of(&message["bot_profile"], "name"));
    let id = principal(app, &id(app, user, team_of(message)))?;
    Ok(Sender { name: name.map(str::to_owned), ..Sender::new(id, kind) })
}

/// The person who has acted, from an object with an `id`.
pub(super) fn acting(app: &App, user: &Value) -> Result<Sender, Unread> {
    let id = id(app, text_of(user, "id").ok_or(Unread("user"))?, text_of(user, "team_id"));
    let name = text_of(user, "name").or(text_of(user, "username"));
    Ok(Sender { name: name.map(str::to_owned), ..Sender::new(principal(app, &id)?, SenderKind::Person) })
}

/// Whether the app itself has written a message.
pub(super) fn is_ours(app: &App, message: &Value) -> bool {
    message["bot_id"] == app.bot.as_str() || message["user"] == app.user.as_str()
}

/// The sender of an event that has none.
pub(super) fn unknown(app: &App) -> Result<Sender, Unread> {
    Ok(Sender::new(principal(app, "0")?, SenderKind::Chat))
}

#[cfg(test)]
mod tests {
    use frontdesk_core::account::AccountId;

    use super::*;
    use crate::CHANNEL;
    use crate::inbound::DmSessions;

    #[test]
    fn people_are_of_their_own_workspace_and_ours_of_our_organisation_too() {
        let app = App {
            account: AccountId::default_of(CHANNEL),
            app: "A1".to_owned(),
            team: "T1".to_owned(),
            enterprise: Some("E1".to_owned()),
            user: "U0".to_owned(),
            bot: "B0".to_owned(),
            dm_sessions: DmSessions::Auto,
            has_agent_view: false,
            externals: true,
            guests: false,
        };
        for (id, teams) in [("U1", ["T1", "E1"].as_slice()), ("T2/U1", &["T2"]), ("E2/U1", &["E2"])] {
            let of: Vec<&str> =
                ["T1", "E1", "T2", "E2"].into_iter().filter(|team| is_of_team(&app, id, team)).collect();
            assert_eq!(of, teams, "{id}");
        }
    }
}
