//! What operators do with their apps and workspaces. Nobody is told of it.

use serde_json::json;

use super::{Action, Did, Impossible};
use crate::channel::Channel;
use crate::delivery::Way;
use crate::hooks::Hook;
use crate::world::{Frame, Install, World};

impl World {
    /// Carries out such an action.
    pub(super) fn operate(&mut self, action: Action) -> Did {
        match action {
            Action::Group { id, users } => drop(self.groups.insert(id, users)),
            Action::Archive { channel, on } => self.known(&channel)?.archived = on,
            Action::ReadOnly { channel, on } => self.known(&channel)?.read_only = on,
            Action::Revoke { token, error } => self.installed(&token)?.revoked = Some(error),
            Action::Scopes { token, remove } => {
                let scopes = match self.apps.values_mut().find(|app| app.token == token) {
                    Some(app) => &mut app.scopes,
                    None => &mut self.installed(&token)?.scopes,
                };
                scopes.retain(|scope| !remove.contains(scope));
            }
            Action::SocketMode { app, state } => {
                self.apps.get_mut(&app).ok_or("there is no such app")?.socket_mode = state;
            }
            Action::Subscribe { app, events } => {
                let app = self.apps.get_mut(&app).ok_or("there is no such app")?;
                app.subscribed = events.map(|events| events.into_iter().collect());
            }
            Action::Withhold { app, on } => {
                self.apps.get_mut(&app).ok_or("there is no such app")?.withholds = on;
            }
            Action::RequestUrl { app, url } => return self.request_url(&app, url),
            Action::App { id, token, secret, team, bot_token, bot, name } => {
                let bot_id = self.new_id("B0");
                if !self.teams.contains_key(&team) {
                    self.add_team(&team, &name);
                }
                self.add_app(&id, &token, &secret);
                self.install(&id, &team, &bot_token, &bot, &bot_id, &name);
            }
            Action::Webhook { channel } => {
                let install = self.installs.first().cloned().ok_or("there is no app")?;
                let path = format!("/services/{}/{}/{}", install.team, install.bot, self.secret());
                let made_at = self.now_ms();
                let hook = Hook { install, channel, user: None, message: None, made_at, uses: 0 };
                self.hooks.insert(path.clone(), hook);
                return Ok(json!({"url": format!("{}{path}", self.url)}));
            }
            Action::Disconnect { app, reason } => {
                let ends = self.now_ms() + 10_000;
                let frame = || match reason.as_str() {
                    "warning" => Frame::Ends(ends),
                    other => Frame::End(other.to_owned()),
                };
                return self.tell_sockets(&app, frame);
            }
            Action::Dead { app } => return self.tell_sockets(&app, || Frame::Dead),
            Action::Limits { on } => self.limiter.on = on,
            Action::Redirects { on } => self.redirects = on,
            Action::Forget {} => self.forget_waiting(),
            Action::Again { number } => return Ok(json!(self.deliver_again(number))),
            _ => return Err("nobody does this".to_owned()),
        }
        Ok(json!(true))
    }

    fn known(&mut self, channel: &str) -> Result<&mut Channel, Impossible> {
        self.channels.get_mut(channel).ok_or_else(|| format!("there is no channel {channel}"))
    }

    fn installed(&mut self, token: &str) -> Result<&mut Install, Impossible> {
        self.installs
            .iter_mut()
            .find(|install| install.token == token)
            .ok_or_else(|| "no such token".to_owned())
    }

    /// Tells every socket of an app; returns how many there are.
    fn tell_sockets(&mut self, app: &str, frame: impl Fn() -> Frame) -> Did {
        let app = self.apps.get(app).ok_or("there is no such app")?;
        Ok(json!(app.sockets.values().filter(|socket| socket.send(frame()).is_ok()).count()))
    }

    /// Events go to an address once it has proved itself; without one Socket Mode is on again.
    fn request_url(&mut self, id: &str, url: Option<String>) -> Did {
        let challenge = self.secret();
        let install = self.installs.iter().find(|install| install.app == id).cloned().ok_or("no such app")?;
        let app = self.apps.get_mut(id).ok_or("there is no such app")?;
        app.request_url = url.map(|url| (url, false));
        if app.request_url.is_none() {
            return Ok(json!({"number": 0}));
        }
        let proof = json!({"token": "verification", "challenge": challenge, "type": "url_verification"});
        Ok(json!({"number": self.queue(&install, Way::Challenge, "", proof)}))
    }
}
