//! How people set up a bot, and what Discord says about it.

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::count::counted;
use frontdesk_kit::Setup;
use frontdesk_kit::setup::{AppNames, CheckHost, Finding, Report, Step, TokenKey, Trouble, host_of, shown};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serenity::model::gateway::GatewayIntents;

use crate::CHANNEL;
use crate::config::{Account, Settings};
use crate::error::{Fault, Refusal};
use crate::gateway::INTENTS;
use crate::guilds::Pages;
use crate::permissions::{Permission, invite_url, missing, needed};
use crate::rest::{Request, Rest};
use crate::section::{Discord, TOKEN};

/// Where applications are made.
const PORTAL: &str = "https://discord.com/developers/applications";
/// How many servers are named.
const NAMED: usize = 5;

/// Intents that have to be switched on: the intent, its name in the portal, and the flags of an application that has it
/// (Discord's documentation, Application Flags: of one in many servers, and of any other).
const PRIVILEGED: [(GatewayIntents, &str, u64); 3] = [
    (GatewayIntents::MESSAGE_CONTENT, "Message Content Intent", 1 << 18 | 1 << 19),
    (GatewayIntents::GUILD_MEMBERS, "Server Members Intent", 1 << 14 | 1 << 15),
    (GatewayIntents::GUILD_PRESENCES, "Presence Intent", 1 << 12 | 1 << 13),
];

#[derive(Deserialize)]
struct User {
    id: String,
    username: String,
}

#[derive(Deserialize)]
struct Application {
    id: String,
    #[serde(default)]
    flags: u64,
    interactions_endpoint_url: Option<String>,
    #[serde(default)]
    bot_require_code_grant: bool,
}

#[derive(Deserialize)]
struct Guild {
    id: String,
    name: String,
    /// What the bot may do there, before channels add and take away.
    permissions: Option<String>,
}

/// The findings of the checks, by the step that they belong to.
#[derive(Default)]
struct Found {
    application: Option<String>,
    token: Vec<Finding>,
    intents: Vec<Finding>,
    commands: Vec<Finding>,
    servers: Vec<Finding>,
}

#[async_trait]
impl Setup for Discord {
    fn title(&self) -> &'static str {
        "Discord"
    }

    fn manifest(&self, _: &AppNames) -> Option<Result<Value, String>> {
        None
    }

    fn has_token(&self, account: &AccountId) -> bool {
        self.of(account).is_some_and(|bot| bot.account.token().is_some())
    }

    async fn inspect(&self, account: &AccountId, host: &CheckHost) -> Report {
        let bot = self.of(account);
        let settings = bot.map(|bot| bot.settings.clone()).unwrap_or_default();
        let config = bot.and_then(|bot| bot.adapter_config(account.name()));
        let mut report = Report::default();
        let mut found = Found::default();
        // Errors of the configuration are reported by the program, for all platforms alike.
        if let Some(config) = config.filter(|config| config.check().is_ok())
            && let Ok(rest) = Rest::new(&config, host.clock.clone())
        {
            Look { rest: &rest, account: &config, id: account }.at_all(&mut found, &mut report).await;
        }
        let link = invite_url(found.application.as_deref().unwrap_or("APP"), &settings);
        if found.application.is_some() {
            report.set("invite_url", link.as_str());
        }
        let each = |one: &Permission| json!({"name": one.name, "bit": one.bit.to_string(), "why": one.why});
        report.set("permissions", needed(&settings).iter().map(each).collect::<Vec<_>>());
        report.steps = steps(account, self.has_token(account), found, &settings, &link);
        report
    }
}

fn steps(account: &AccountId, has_token: bool, found: Found, settings: &Settings, link: &str) -> Vec<Step> {
    let knows = found.application.is_some();
    let mut notes = vec![format!("Invite link: {link}")];
    if !knows {
        notes.push(
            "Replace APP by the Application ID, which stands on the page \"General Information\".".to_owned(),
        );
    }
    notes.push("The link asks for these permissions:".to_owned());
    notes.extend(needed(settings).iter().map(|one| format!("    {}: {}", one.name, one.why)));
    let tokens = [TokenKey { key: "token", variable: TOKEN, file: "discord.token" }];
    vec![
        Step::new(
            "Make an application",
            [
                format!("Open {PORTAL} and log in."),
                "Choose \"New Application\", give it a name, accept the terms, and choose \"Create\".".to_owned(),
            ],
        )
        .done(knows),
        Step::new(
            "Copy the token of its bot",
            ["In the menu choose \"Bot\", then \"Reset Token\" and \"Yes, do it!\". Copy the token: it is shown only once."],
        )
        .found(found.token),
        Step::new(
            "Let the bot read what people write",
            ["On the same page, under \"Privileged Gateway Intents\", switch on \"Message Content Intent\" and choose \"Save \
              Changes\"."],
        )
        .found(found.intents),
        Step::give_tokens(account, &tokens).done(has_token),
        Step::new(
            "Leave the Interactions Endpoint URL empty",
            ["The field is on the page \"General Information\". In a new application it is empty, and there is nothing to do."],
        )
        .found(found.commands),
        Step::new("Invite the bot to your server", ["Open the link, choose your server, \"Continue\", \"Authorize\"."])
            .noted(notes)
            .found(found.servers),
        Step::talk(
            account,
            "In Discord, choose the bot in your server's list of members and write to it, or mention it in a channel.",
        ),
    ]
}

/// A look at one bot.
struct Look<'a> {
    rest: &'a Rest,
    account: &'a Account,
    id: &'a AccountId,
}

impl Look<'_> {
    /// Makes all checks. If the token is refused, there are no further requests.
    async fn at_all(&self, found: &mut Found, report: &mut Report) {
        let user: User = match self.ask("get_my_user", &["users", "@me"]).await {
            Ok(user) => user,
            Err(finding) => return found.token.push(finding),
        };
        let name = shown(&user.username);
        found
            .token
            .push(Finding::ok("token", format!("Discord knows the token: it belongs to the bot {name}.")));
        report.set("bot", json!({"id": user.id, "name": user.username}));
        match self.ask::<Application>("get_my_application", &["applications", "@me"]).await {
            Ok(application) => application_says(&application, found, report),
            Err(finding) => found.token.push(Finding { check: "application", ..finding }),
        }
        match self.guilds().await {
            Ok(guilds) => self.guilds_say(&guilds, found, report),
            Err(finding) => found.servers.push(Finding { check: "servers", ..finding }),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, operation: &'static str, path: &[&str]) -> Result<T, Finding> {
        let asked = self.rest.query(&Request::new(operation, Method::GET, path)).await;
        asked.map_err(|fault| self.failed(operation, fault))
    }

    /// The servers of the bot.
    async fn guilds(&self) -> Result<Vec<Guild>, Finding> {
        let failed = |fault| self.failed("list_my_guilds", fault);
        let mut pages = Pages::default();
        while let Some(request) = pages.next() {
            pages.add(self.rest.query(&request).await.map_err(failed)?);
        }
        let guilds = pages.all();
        let guilds = guilds.iter().map(|raw| serde_json::from_str(raw.get()));
        guilds
            .collect::<Result<_, _>>()
            .map_err(|error: serde_json::Error| failed(Fault::Unreadable(error.to_string())))
    }

    fn failed(&self, operation: &'static str, fault: Fault) -> Finding {
        tracing::debug!(channel = CHANNEL, account = %self.id, operation, %fault, "a check failed");
        self.refused(fault)
    }

    /// What a failed request means, without Discord's own words.
    fn refused(&self, fault: Fault) -> Finding {
        let trouble = match fault {
            Fault::Refused(Refusal { status: 401, .. } | Refusal { code: 50014, .. }) => {
                return Finding::error(
                    "token",
                    "Discord does not know the token: it was reset, or was not copied whole.",
                    format!(
                        "Open {PORTAL}, choose the application, \"Bot\", \"Reset Token\", and give the new token to Frontdesk."
                    ),
                );
            }
            Fault::Refused(Refusal { status: status @ ..500, code, .. }) => {
                return Finding::error(
                    "token",
                    format!("Discord refuses to tell about the bot (HTTP {status}, code {code})."),
                    format!("Look at the application on {PORTAL}: it may have been disabled."),
                );
            }
            Fault::Refused(Refusal { status, .. }) => Trouble::Status(status),
            Fault::Foreign { status: 429, after } => Trouble::TooMany(after.unwrap_or_default()),
            Fault::Foreign { status, .. } => Trouble::Status(status),
            Fault::TooMany { after, .. } => Trouble::TooMany(after),
            Fault::Unsent(detail) => Trouble::Unsent(detail),
            Fault::Unanswered(detail) => Trouble::Unanswered(detail),
            Fault::Unreadable(_) => Trouble::Unreadable,
        };
        trouble.finding("token", "Discord", &self.rest.host())
    }

    fn guilds_say(&self, guilds: &[Guild], found: &mut Found, report: &mut Report) {
        let settings = &self.account.settings;
        let lacks = |guild: &Guild| {
            // Without the field nothing is known.
            let bits = guild.permissions.as_ref().and_then(|bits| bits.parse().ok()).unwrap_or(u64::MAX);
            missing(settings, bits).iter().map(|one| one.name).collect::<Vec<_>>()
        };
        let each = |guild: &Guild| json!({"id": guild.id, "name": guild.name, "missing": lacks(guild)});
        report.set("servers", guilds.iter().map(each).collect::<Vec<_>>());
        if guilds.is_empty() {
            found.servers.push(Finding::warning(
                "servers",
                "The bot is in no server, so nobody can find it.",
                "Open the invite link and choose your server (`frontdesk onboard discord` prints it).",
            ));
            return;
        }
        let mut names: Vec<String> = guilds.iter().take(NAMED).map(|guild| shown(&guild.name)).collect();
        if guilds.len() > NAMED {
            names.push(format!("{} more", guilds.len() - NAMED));
        }
        let n = counted(u64::try_from(guilds.len()).unwrap_or(u64::MAX), "server");
        found.servers.push(Finding::ok("servers", format!("The bot is in {n}: {}.", names.join(", "))));
        let lacking: Vec<(&Guild, Vec<&str>)> =
            guilds.iter().map(|guild| (guild, lacks(guild))).filter(|(_, lacks)| !lacks.is_empty()).collect();
        for (guild, lacks) in lacking.iter().take(NAMED) {
            found.servers.push(Finding::warning(
                "permissions",
                format!("In {} the bot lacks permissions: {}.", shown(&guild.name), lacks.join(", ")),
                "Open the invite link again and allow them (`frontdesk onboard discord` prints it), or give them to the \
                 bot's role in the server's settings.",
            ));
        }
        if lacking.is_empty() {
            let all = "It has all permissions that it needs there. A channel can take some of them away.";
            found.servers.push(Finding::ok("permissions", all));
        }
    }
}

fn application_says(application: &Application, found: &mut Found, report: &mut Report) {
    let page = |name: &str| format!("{PORTAL}/{}/{name}", application.id);
    found.application = Some(application.id.clone());
    let mut intents = Map::new();
    for (_, name, flags) in PRIVILEGED.iter().filter(|(intent, ..)| INTENTS.contains(*intent)) {
        intents.insert((*name).to_owned(), json!(application.flags & flags != 0));
        found.intents.push(match application.flags & flags {
            0 => Finding::error(
                "intents",
                format!("{name} is off, so the bot cannot read what people write."),
                format!(
                    "Open {}, switch on \"{name}\" under \"Privileged Gateway Intents\", and choose \"Save Changes\".",
                    page("bot")
                ),
            ),
            _ => Finding::ok("intents", format!("{name} is on.")),
        });
    }
    report.set("application", json!({"id": application.id, "intents": intents}));
    let endpoint = application.interactions_endpoint_url.as_deref().filter(|url| !url.is_empty());
    found.commands.push(match endpoint {
        Some(url) => Finding::error(
            "commands",
            format!(
                "An Interactions Endpoint URL is set, so Discord sends the bot's commands and buttons to {} and not to \
                 Frontdesk.",
                host_of(url)
            ),
            format!("Open {}, empty \"Interactions Endpoint URL\", and choose \"Save Changes\".", page("information")),
        ),
        None => Finding::ok("commands", "Commands and buttons come to Frontdesk: there is no Interactions Endpoint URL."),
    });
    if application.bot_require_code_grant {
        found.servers.push(Finding::warning(
            "invite",
            "The invite link does not work, because \"Requires OAuth2 Code Grant\" is on.",
            format!("Open {}, switch that off, and choose \"Save Changes\".", page("bot")),
        ));
    }
}
