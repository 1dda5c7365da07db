//! `frontdesk run`: the gateway, until somebody says stop.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use frontdesk::clock::SystemClock;
use frontdesk::config::Config;
use frontdesk::home::{self, Home};
use frontdesk::{Gateway, Running, StartError};
use frontdesk_core::port::Clock;
use frontdesk_runtime::{GatewayHandle, Lifecycle};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Done, Failure, HomeArgs, config, log, screen};

/// Histograms gather until somebody reads them; this often nobody needs to.
const UPKEEP: Duration = Duration::from_secs(30);

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    home: HomeArgs,
    /// The configuration file [default: frontdesk.toml or frontdesk.jsonc in the home, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen on this address instead of [gateway] host
    #[arg(long)]
    host: Option<String>,
    /// Listen on this port instead of [gateway] port; 0 takes any free one
    #[arg(long)]
    port: Option<u16>,
    /// Log more
    #[arg(long, short)]
    verbose: bool,
}

pub fn run(args: RunArgs) -> Done {
    let clock = SystemClock::new();
    // Nothing that we make is for anybody else.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let home = Home::find(args.home.home.as_deref(), &super::env)?;
    let (config, notices) = args.read(&home)?;
    log::begin(&config.log, &home, args.verbose)?;
    for notice in notices {
        tracing::warn!("{notice}");
    }
    frontdesk::descriptors::raise(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let done = runtime.block_on(live(&args, config, &home, clock));
    // After an orderly stop nothing runs any more; after a hasty one nobody wants to wait for it.
    runtime.shutdown_background();
    done
}

impl RunArgs {
    /// The configuration, and what should be said about it and the home.
    fn read(&self, home: &Home) -> Result<(Config, Vec<String>), Failure> {
        let mut notices = Vec::new();
        let mut config = match self.config.as_deref() {
            // A home that nothing can run in is not made.
            Some(file) => {
                notices.extend(home::check_config(file)?);
                let config = config::load(home, Some(file))?.config;
                notices.extend(home.secure()?);
                config
            }
            // A configuration can run programs: whose the home is comes before what is in it.
            None => {
                notices.extend(home.secure()?);
                config::load(home, None)?.config
            }
        };
        self.override_in(&mut config);
        Ok((config, notices))
    }

    /// The configuration of the next life. One that is wrong keeps the old one at work; a port that was any free
    /// one stays the same, since people know it by now.
    fn read_again(&self, home: &Home, before: Config, port: u16) -> Config {
        let mut config = match self.read(home) {
            Ok((config, notices)) => {
                for notice in notices {
                    tracing::warn!("{notice}");
                }
                config
            }
            Err(failure) => {
                tracing::error!(%failure, "the configuration cannot be used: the one from before stays");
                before
            }
        };
        if config.gateway.port == 0 {
            config.gateway.port = port;
        }
        config
    }

    fn override_in(&self, config: &mut Config) {
        if let Some(host) = &self.host {
            config.gateway.host.clone_from(host);
        }
        if let Some(port) = self.port {
            config.gateway.port = port;
        }
    }
}

/// How one life of the gateway ended, if it ended as somebody wanted.
enum End {
    /// For good.
    Stopped,
    /// To begin again; with the port that it listened on.
    Again(u16),
}

/// One life after the other, until somebody says stop.
async fn live(args: &RunArgs, config: Config, home: &Home, clock: SystemClock) -> Done {
    let mut signals = Signals::listen()?;
    let recorder = recorder()?;
    let mut config = config;
    let mut greeted = false;
    loop {
        let metrics = recorder.clone();
        let running = Gateway::builder()
            .config(config.clone())
            .home(home.path())
            .clock(Arc::new(clock))
            .metrics(Arc::new(move || metrics.render()))
            .start()
            .await?;
        if std::mem::replace(&mut greeted, true) {
            tracing::info!(address = %running.address(), "ready again");
        } else {
            let ready = clock.mono().0.as_millis();
            tracing::info!(address = %running.address(), version = env!("CARGO_PKG_VERSION"), "ready in {ready} ms");
            greet(&running)?;
        }
        match serve(running, &mut signals, &recorder, &clock).await? {
            End::Stopped => return Ok(()),
            End::Again(port) => config = args.read_again(home, config, port),
        }
    }
}

/// One life, to its end.
async fn serve(
    running: Running,
    signals: &mut Signals,
    recorder: &PrometheusHandle,
    clock: &SystemClock,
) -> Result<End, Failure> {
    let port = running.address().port();
    let end = tokio::select! {
        name = signals.stop() => {
            tracing::info!("{name}: stopping; running turns have {} s", running.get_config().runtime.turns.drain_seconds);
            Ok(End::Stopped)
        }
        wish = wish(running.handle()) => {
            tracing::info!(?wish, "an admin wants it so; running turns have {} s", running.get_config().runtime.turns.drain_seconds);
            Ok(match wish {
                Lifecycle::Stop => End::Stopped,
                Lifecycle::Restart => End::Again(port),
            })
        }
        cause = running.failed() => {
            tracing::error!(cause, "the gateway cannot go on");
            Err(Failure::new(format!("the gateway cannot go on: {cause}")))
        }
        never = upkeep(recorder, clock) => match never {},
    };
    tokio::select! {
        () = running.stop() => {
            tracing::info!("stopped");
            end
        }
        name = signals.stop() => Err(Failure::new(format!(
            "a second {name}: ended at once; what was accepted is kept and goes on at the next start"
        ))),
    }
}

/// What an admin wants of the process, once one wants something.
async fn wish(handle: &GatewayHandle) -> Lifecycle {
    let mut wishes = handle.lifecycle();
    loop {
        if let Some(wish) = *wishes.borrow_and_update() {
            return wish;
        }
        if wishes.changed().await.is_err() {
            // Nobody is left to wish anything.
            std::future::pending::<()>().await;
        }
    }
}

/// Says where to go. The link is printed on the first start alone, and never logged.
fn greet(running: &Running) -> Done {
    let url = running.url();
    match running.token() {
        (token, true) => screen::line(format!(
            "Frontdesk is ready. Open this link to log in; `frontdesk link` prints it again:\n\n  {}\n\n\
             Or ask from here: frontdesk chat \"Hello\"",
            token.link(&url)
        )),
        (_, false) => screen::line(format!(
            "Frontdesk is ready at {url} (`frontdesk link` prints a link that logs you in)."
        )),
    }
}

/// One recorder for the process, read by `/metrics`.
fn recorder() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| Failure::new(format!("cannot keep metrics: {error}")))
}

async fn upkeep(recorder: &PrometheusHandle, clock: &SystemClock) -> Infallible {
    loop {
        clock.sleep_until(clock.mono() + UPKEEP).await;
        recorder.run_upkeep();
    }
}

/// The signals that mean something to us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Signals, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(format!("cannot listen for signals: {error}")));
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// The name of the next signal that means stop.
    async fn stop(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                // Without a handler it would end us, and it is what people send to reload.
                _ = self.hangup.recv() => {
                    tracing::warn!("SIGHUP: this version does not reload its configuration; restart it for that");
                }
            }
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(problems) => problems.into(),
            StartError::Home(error) => error.into(),
            StartError::Runtime(frontdesk_runtime::StartError::Config(error)) => {
                Failure::config(error.to_string())
            }
            StartError::Agent(error) => Failure::config(error.to_string()),
            other => Failure::new(other.to_string()),
        }
    }
}
